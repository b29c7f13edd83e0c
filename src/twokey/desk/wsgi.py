"""The web process: `gunicorn twokey.desk.wsgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from twokey.desk.warming import warm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twokey.desk.settings")
application = get_wsgi_application()
warm()

"""What gunicorn is told beyond its flags (`--config python:twokey.desk.web_process`)."""

from __future__ import annotations

from typing import Any

from twokey.desk.parent import end_with_parent


def on_starting(server: Any) -> None:
    """Watch the parent from gunicorn's own process, before it starts a worker."""
    end_with_parent()

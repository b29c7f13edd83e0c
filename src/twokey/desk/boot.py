"""Bring the desk up inside this process: database, Django, schema, durability check."""

from __future__ import annotations

import os

import psycopg


def setup() -> None:
    """Start or join the database, set up Django, and refuse a server that could lose commits.

    After this call models and services can be imported and used. Calling it again does nothing.
    """
    from django.apps import apps

    if apps.ready:
        return
    from twokey.desk.home import home
    from twokey.desk.postgres import check_durable, database_url

    home().make()
    if not os.environ.get("TWOKEY_DATABASE_URL"):
        os.environ["TWOKEY_EMBEDDED"] = "1"  # for the processes that this one starts: the server is this desk's own
    os.environ["TWOKEY_DATABASE_URL"] = database_url()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twokey.desk.settings")
    with psycopg.connect(os.environ["TWOKEY_DATABASE_URL"]) as connection:
        check_durable(connection)
    import django

    django.setup()


def migrate(verbosity: int = 0) -> None:
    """Bring the schema up to date, and the public rows that every desk has (authorities, first lists)."""
    from django.core.management import call_command

    call_command("migrate", verbosity=verbosity, interactive=False)


def ready() -> None:
    """Set up and migrate: what every command that touches the desk does first."""
    setup()
    migrate()

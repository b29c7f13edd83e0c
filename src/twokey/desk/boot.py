"""Bring the desk up inside this process: database, Django, schema, role, durability check."""

from __future__ import annotations

import os


def setup() -> None:
    """Start or join the database, set up Django, and refuse a server that could lose commits.

    After this call models and services can be imported and used. Calling it again does nothing.
    """
    from django.apps import apps

    if apps.ready:
        return
    from twokey.desk.home import home
    from twokey.desk.postgres import addresses, check_durable, reach

    home().make()
    if not os.environ.get("TWOKEY_DATABASE_URL"):
        os.environ["TWOKEY_EMBEDDED"] = "1"  # for the processes that this one starts: the server is this desk's own
    desk, owner = addresses()
    os.environ["TWOKEY_DATABASE_URL"] = desk
    if owner:
        os.environ["TWOKEY_OWNER_URL"] = owner
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twokey.desk.settings")
    with reach(desk, "TWOKEY_DATABASE_URL") as connection:
        check_durable(connection)
    if owner:
        reach(owner, "TWOKEY_OWNER_URL").close()
    import django

    django.setup()


def migrate(verbosity: int = 0) -> None:
    """Bring the schema up to date as the owner of the tables, and give the desk's role its rights on them."""
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    from twokey.desk import roles

    owner = connections["owner"]
    try:
        executor = MigrationExecutor(owner)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            owner.ensure_connection()
            roles.check_owner(owner.connection)
            call_command("migrate", database="owner", verbosity=verbosity, interactive=False)
        owner.ensure_connection()
        if pending or not roles.granted(owner.connection):
            with owner.connection.transaction():
                roles.grant(owner.connection)
    finally:
        owner.close()


def ready() -> None:
    """Set up and migrate: what every command that touches the desk does first."""
    setup()
    migrate()

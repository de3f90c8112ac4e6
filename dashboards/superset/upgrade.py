"""Bring Superset's tables and roles to the installed version; returns at once when they are there.

Run by its own Python before the server. Importing Superset and looking through its migrations takes half a minute, so
the version and this configuration are noted beside the tables and compared first.
"""

import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path

import psycopg2

HERE = Path(__file__).parent
WRITTEN = ("hub_security.py", "upgrade.py")  # they say which roles there are


def main() -> int:
    """Exit code: 0 when Superset can start."""
    wanted = version("apache-superset") + " " + fingerprint()
    address = os.environ["HUB_SUPERSET_STORAGE_URL"].replace("postgresql+psycopg2://", "postgresql://")
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS superset")
        cursor.execute("CREATE TABLE IF NOT EXISTS superset.hub_installed (version text PRIMARY KEY)")
        cursor.execute("SELECT version FROM superset.hub_installed")
        if cursor.fetchone() == (wanted,):
            return 0
    upgrade()
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM superset.hub_installed")
        cursor.execute("INSERT INTO superset.hub_installed VALUES (%s)", (wanted,))
    return 0


def upgrade() -> None:
    """`superset db upgrade` and `superset init` in one process: its start is most of the time."""
    from flask_migrate import upgrade as migrate
    from superset.app import create_app
    from superset.utils.decorators import transaction

    app = create_app()
    with app.app_context():
        from superset.extensions import appbuilder, security_manager

        migrate(directory=str(Path(sys.modules["superset"].__file__ or "").parent / "migrations"))

        @transaction()
        def init() -> None:
            appbuilder.add_permissions(update_perms=True)
            security_manager.sync_role_definitions()

        init()


def fingerprint() -> str:
    """Of the files that decide which roles there are."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in WRITTEN)).hexdigest()[:16]


if __name__ == "__main__":
    sys.exit(main())

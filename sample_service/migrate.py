"""`python -m sample_service.migrate`: bring the schema up to date, then exit.

yoyo runs the SQL files of migrations/ in the order of their names, each in a transaction, and
records which it ran. Concurrent runs wait for each other. (Alembic, the alternative, derives
migrations from SQLAlchemy's models, which this service does not have.)
"""

from contextlib import closing
from pathlib import Path

from yoyo import get_backend, read_migrations  # type: ignore[import-untyped]

from sample_service.settings import Settings

__all__ = ["migrate"]

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(database_url: str) -> int:
    """Apply the pending migrations and return how many ran. Raises the driver's errors."""
    backend = get_backend(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with closing(backend.connection), backend.lock():
        pending = backend.to_apply(read_migrations(str(MIGRATIONS)))
        backend.apply_migrations(pending)
        return len(pending)


if __name__ == "__main__":
    migrate(Settings().database_url.get_secret_value())

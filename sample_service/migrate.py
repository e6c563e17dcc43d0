"""`python -m sample_service.migrate`: bring the schema up to date, then exit.

yoyo runs the plain SQL files of migrations/ in the order of their names, each in a transaction, and
remembers which it ran; two that start at once wait for each other. (Alembic was the alternative: it
derives migrations from SQLAlchemy's models, which this service does not have.)
"""

from contextlib import closing
from pathlib import Path

from yoyo import get_backend, read_migrations  # type: ignore[import-untyped]

from sample_service.settings import Settings

__all__ = ["migrate"]

MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(database_url: str) -> int:
    """Apply what is missing; returns how many migrations ran. Raises what the driver raises."""
    backend = get_backend(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with closing(backend.connection), backend.lock():
        missing = backend.to_apply(read_migrations(str(MIGRATIONS)))
        backend.apply_migrations(missing)
        return len(missing)


if __name__ == "__main__":
    migrate(Settings().database_url.get_secret_value())

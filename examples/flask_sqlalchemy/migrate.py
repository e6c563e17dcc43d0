"""Creates the tables."""

from shop import engine, metadata  # type: ignore[import-not-found]

metadata.create_all(engine)

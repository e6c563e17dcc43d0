"""Creates the tables."""

import asyncio

from shop import engine, metadata  # type: ignore[import-not-found]


async def main() -> None:
    """Create what is not there."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


asyncio.run(main())

"""Creates the tables, and lets the database tell of each order."""

import asyncio
import os

from shop import metadata  # type: ignore[import-not-found]
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

TELL = """
create or replace function tell() returns trigger language plpgsql
as $$ begin perform pg_notify('orders', ''); return null; end $$"""

TRIGGER = """
create or replace trigger tell after insert on orders
for each statement execute function tell()"""


async def main() -> None:
    """Create what is not there, with time-outs of its own: no caller waits for it."""
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for statement in (TELL, TRIGGER):
            await connection.execute(text(statement))
    await engine.dispose()


asyncio.run(main())

"""The products in the database."""

from collections.abc import Sequence

from pydantic import BaseModel

from sample_service.resilience.database import Database
from sample_service.resilience.deadline import Deadline

__all__ = ["Product", "Products"]

LIST = "SELECT sku, name, price_cents, stock FROM products ORDER BY sku"


class Product(BaseModel):
    """A product for sale."""

    sku: str
    name: str
    price_cents: int
    stock: int


class Products:
    """The products in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._circuit = database.circuit("products")

    async def all(self, deadline: Deadline) -> Sequence[Product]:
        """Return every product, ordered by sku. Raises `Problem`."""
        rows = await self._database.read(deadline, self._circuit, LIST)
        return [Product(**row) for row in rows]

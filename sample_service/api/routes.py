"""The HTTP operations: parse the request, call the shop, shape the response."""

import math
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from sample_service.api.boundary import deadline_of
from sample_service.api.openapi import AGE, PLACED, TIMED
from sample_service.observability import metrics
from sample_service.observability.health import Health
from sample_service.shop.catalogue import Catalogue
from sample_service.shop.invoices import Invoices
from sample_service.shop.orders import NewOrder, Order, Orders
from sample_service.shop.products import Product

__all__ = ["operator_routes", "shop_routes"]

LAST_ID = 2**63 - 1
"""PostgreSQL's largest bigint."""


Id = Annotated[int, Path(ge=1, le=LAST_ID)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


class PngResponse(Response):
    """An image."""

    media_type = "image/png"


class OrderPage(BaseModel):
    """Some orders, newest first; `next` is the next page's `before`, or null."""

    orders: list[Order]
    next: int | None


class ProductList(BaseModel):
    """The products for sale."""

    products: list[Product]


class ShippingQuote(BaseModel):
    """The price of shipping a parcel."""

    weight_grams: int
    price_cents: int


def shop_routes(orders: Orders, catalogue: Catalogue, invoices: Invoices) -> APIRouter:
    """Return the shop's operations."""
    routes = APIRouter()

    @routes.post("/orders", status_code=201, responses=PLACED)
    async def place_order(
        new: NewOrder, request: Request, response: Response, key: Key = None
    ) -> Order:
        order = await orders.place(deadline_of(request), new, key)
        response.headers["Location"] = f"/orders/{order.id}"
        return order

    @routes.get("/orders/{order_id}")
    async def read_order(order_id: Id, request: Request) -> Order:
        return await orders.read(deadline_of(request), order_id)

    @routes.get("/orders")
    async def list_orders(
        request: Request,
        customer: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
        before: Annotated[int, Query(ge=1, le=LAST_ID)] = LAST_ID,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> OrderPage:
        found = await orders.page(deadline_of(request), customer, before, limit)
        return OrderPage(orders=list(found), next=found[-1].id if len(found) == limit else None)

    @routes.delete("/orders/{order_id}")
    async def cancel_order(order_id: Id, request: Request) -> Order:
        return await orders.cancel(deadline_of(request), order_id)

    @routes.get(
        "/orders/{order_id}/invoice",
        response_class=PngResponse,
        response_description="The invoice's payment code",
    )
    async def draw_invoice(order_id: Id, request: Request) -> Response:
        # This returns the connection before the drawing begins.
        order = await orders.read(deadline_of(request), order_id)
        return PngResponse(await invoices.draw(deadline_of(request), order.id, order.total_cents))

    @routes.get("/products", responses=AGE)
    async def list_products(request: Request, response: Response) -> ProductList:
        products, age = await catalogue.list(deadline_of(request))
        if age is not None:  # RFC 9111 section 4.2.3: a response with this header is a stored one
            response.headers["Age"] = str(math.ceil(age))
        return ProductList(products=list(products))

    @routes.get("/shipping-quote")
    async def quote_shipping(
        weight: Annotated[int, Query(ge=1, le=30_000, description="in grams")],
    ) -> ShippingQuote:
        return ShippingQuote(weight_grams=weight, price_cents=390 + 60 * -(-weight // 500))

    for route in routes.routes:
        assert isinstance(route, APIRoute)  # noqa: S101 - for the type checker
        route.openapi_extra = TIMED
    return routes


def operator_routes(health: Health) -> APIRouter:
    """Return the probes and the metrics, which are not in the OpenAPI document."""
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/health/live", health.live, response_model=None)
    routes.add_api_route("/health/ready", health.ready, response_model=None)
    routes.add_api_route("/health/startup", health.startup, response_model=None)

    @routes.get("/metrics")
    async def expose_metrics() -> Response:
        return metrics.exposition()

    return routes

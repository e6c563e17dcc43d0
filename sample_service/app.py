"""Assembles the application from parts, each of which can be replaced."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from sample_service.api.boundary import Boundary
from sample_service.api.errors import ErrorHandlers
from sample_service.api.openapi import PROBLEM_RESPONSES
from sample_service.api.routes import operator_routes, shop_routes
from sample_service.observability import logs
from sample_service.observability.health import Health
from sample_service.process.draining import draining
from sample_service.resilience.database import Database
from sample_service.resilience.shedding import Shedder
from sample_service.settings import Settings
from sample_service.shop.catalogue import Catalogue
from sample_service.shop.invoices import Invoices
from sample_service.shop.orders import Orders
from sample_service.shop.products import Products

__all__ = ["Parts", "create_app"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The factory of each part of the application.

    To see what a part is for, replace it: subclass it, override a method, and pass
    `Parts(orders=Mine)`. The parts call only each other's public methods.
    """

    database: Callable[[Settings], Database] = Database
    orders: Callable[[Database], Orders] = Orders
    products: Callable[[Database], Products] = Products
    catalogue: Callable[[Settings, Products], Catalogue] = Catalogue
    invoices: Callable[[Settings], Invoices] = Invoices
    health: Callable[[Settings, Database], Health] = Health
    shedder: Callable[[Settings], Shedder] = Shedder
    errors: Callable[[], ErrorHandlers] = ErrorHandlers


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> FastAPI:
    """Create the ASGI application; `settings` default to the environment's.

    Raises pydantic's `ValidationError` if a setting is missing or invalid.
    """
    settings = settings or Settings()
    parts = parts or Parts()
    database = parts.database(settings)
    orders = parts.orders(database)
    catalogue = parts.catalogue(settings, parts.products(database))
    invoices = parts.invoices(settings)
    health = parts.health(settings, database)
    errors = parts.errors()

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        logs.configure()
        await database.pool.open()
        health.start()
        catalogue.start()
        invoices.start()
        try:
            with draining(health.drain, settings.drain_delay):
                yield
        finally:
            await catalogue.stop()
            await health.stop()
            database.pool.close()
            invoices.close()

    app = FastAPI(
        title="Shop",
        version="1.0.0",
        lifespan=running,
        generate_unique_id_function=lambda route: route.name,  # short ids for OpenAPI links
        redirect_slashes=False,  # a redirect would be another format of refusal
        responses=PROBLEM_RESPONSES,
    )
    shedder = parts.shedder(settings)
    app.add_middleware(Boundary, errors=errors, shedder=shedder, settings=settings)
    errors.install(app)
    app.include_router(shop_routes(orders, catalogue, invoices))
    app.include_router(operator_routes(health))
    return app

"""The application, put together from parts that can be replaced one by one."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from sample_service import logs
from sample_service.boundary import Boundary
from sample_service.database import Database
from sample_service.errors import ErrorHandlers
from sample_service.health import Health
from sample_service.orders import Orders
from sample_service.products import Products
from sample_service.routes import health_routes, shop_routes
from sample_service.settings import Settings

__all__ = ["Parts", "create_app"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What makes each part of the application.

    To see what one part is for, replace it: subclass it, override what it should do otherwise, and
    pass `Parts(database=Mine)`. Every part asks the others only for their public methods.
    """

    database: Callable[[Settings], Database] = Database
    orders: Callable[[Database], Orders] = Orders
    products: Callable[[Database], Products] = Products
    health: Callable[[Settings, Database], Health] = Health
    errors: Callable[[], ErrorHandlers] = ErrorHandlers


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> FastAPI:
    """The ASGI application; settings come from the environment where none are given.

    Raises pydantic's `ValidationError` where a setting is missing or wrong.
    """
    settings = settings or Settings()
    parts = parts or Parts()
    logs.configure()
    database = parts.database(settings)
    health = parts.health(settings, database)
    errors = parts.errors()

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await database.open()
        health.start()
        try:
            yield
        finally:
            await health.stop()
            database.close()

    app = FastAPI(title="Shop", version="1.0.0", lifespan=running, redirect_slashes=False)
    app.add_middleware(Boundary, errors=errors, time_to_work=settings.time_to_work)
    errors.install(app)
    app.include_router(health_routes(health))
    app.include_router(shop_routes(parts.orders(database), parts.products(database)))
    return app

"""A service with one route that raises without a handler, and a liveness route."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def fail(_: Request) -> Response:
    """Raise."""
    raise RuntimeError


async def live(_: Request) -> Response:
    """Be there."""
    return Response()


app = Starlette(routes=[Route("/fail", fail), Route("/live", live)])

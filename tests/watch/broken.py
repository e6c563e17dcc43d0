"""Services whose defects a watch sees in their answers alone."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused

__all__ = ["by_customer", "by_customer_in_html", "forgetful", "html_refusals", "never_back"]


class HtmlRefusals(Front):
    """Refuses with a page."""

    def problem(self, refused: Refused) -> Response:
        """Answer with HTML in the place of a problem."""
        super().problem(refused)
        return HTMLResponse("<h1>Sorry</h1>", refused.status, headers={"Retry-After": "1"})


def html_refusals() -> Starlette:
    """Create the kiosk with `HtmlRefusals`."""
    return kiosk(front=HtmlRefusals)


class NeverBack(Pool):
    """Gives no connection any more once it has failed to open one."""

    _failed: Exception | None = None

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, or raise the first error again."""
        if self._failed is not None:
            raise self._failed
        try:
            return await super().connection(until)
        except DRIVER_ERRORS as error:
            self._failed = error
            raise


def never_back() -> Starlette:
    """Create the kiosk with `NeverBack`."""
    return kiosk(pool=NeverBack)


class ByCustomer(Front):
    """Also lists the orders of one customer."""

    async def orders(self, request: Request) -> Response:
        """Return the last orders, or those of a customer."""
        customer = request.query_params.get("customer")
        if customer is None:
            return await super().orders(request)
        async with self.counter.pool.lease(self.deadline(request)) as connection:
            found = await connection.fetch(
                "SELECT id, customer FROM orders WHERE customer = $1", customer
            )
            return JSONResponse([dict(row) for row in found])


class ByCustomerInHtml(HtmlRefusals, ByCustomer):
    """Both of these."""


class Forgetful(Counter):
    """Acknowledges orders that it does not place."""

    async def place(self, *_: object) -> int:
        """Return a number."""
        return 1


def by_customer() -> Starlette:
    """Create the kiosk with `ByCustomer`."""
    return kiosk(front=ByCustomer)


def by_customer_in_html() -> Starlette:
    """Create the kiosk with `ByCustomerInHtml`."""
    return kiosk(front=ByCustomerInHtml)


def forgetful() -> Starlette:
    """Create that with `Forgetful`."""
    return kiosk(front=ByCustomer, counter=Forgetful)

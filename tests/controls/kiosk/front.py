"""The kiosk's front: HTTP in, JSON or one kind of problem out."""

import asyncio
import json
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined, meaning
from tests.controls.kiosk.settings import WORK

__all__ = ["EXPECTED", "Front"]

EXPECTED: Final = (*DRIVER_ERRORS, HTTPException, Refused, Undetermined)
"""What handlers raise; anything else is unforeseen."""


class Front:
    """The operations, and how every error leaves."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    def deadline(self) -> float:
        """When the work of a request that begins now must be over."""
        return asyncio.get_running_loop().time() + WORK

    async def orders(self, _: Request) -> Response:
        """The last orders."""
        return JSONResponse(await self.counter.orders(self.deadline()))

    async def place(self, request: Request) -> Response:
        """Place an order."""
        until = self.deadline()
        try:
            customer = str((await request.json())["customer"])
        except (json.JSONDecodeError, KeyError, TypeError):
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY) from None
        key = request.headers.get("Idempotency-Key")
        number = await self.counter.place(until, customer, key)
        return JSONResponse({"id": number, "customer": customer}, HTTPStatus.CREATED)

    async def quote(self, _: Request) -> Response:
        """What sending costs; needs no database."""
        return JSONResponse({"cents": 490})

    async def refuse(self, _: Request, error: Exception) -> Response:
        """Whatever was raised, as a problem (RFC 9457)."""
        if isinstance(error, HTTPException):
            status = HTTPStatus(error.status_code)
            return self.problem(Refused(status, "The request cannot be understood."))
        refused = error if isinstance(error, Refused) else meaning(error)
        return self.unforeseen(error) if refused is None else self.problem(refused)

    def unforeseen(self, _: Exception) -> Response:
        """The kiosk has a fault of its own."""
        return self.problem(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "It was recorded."))

    def problem(self, refused: Refused) -> Response:
        """One format for every refusal."""
        retry = {"Retry-After": "1"} if refused.status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        return JSONResponse(
            {
                "type": f"https://kiosk.example/problems/{refused.status.value}",
                "title": refused.status.phrase,
                "status": refused.status.value,
                "detail": refused.detail,
            },
            refused.status,
            media_type="application/problem+json",
            headers=retry,
        )

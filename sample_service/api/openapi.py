"""What OpenAPI says of the interface: problems, links, and the caller's deadline."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from sample_service.api.boundary import MAX_DIGITS
from sample_service.problems import Origin

__all__ = ["AGE", "PLACED", "PROBLEM_RESPONSES", "TIMED", "ProblemBody"]


class ProblemBody(BaseModel):
    """RFC 9457, with the error's origin and the trace id that the log also has."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The address of the problem's documentation.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    trace_id: str = Field(pattern="^[0-9a-f]{32}$")
    origin: Origin


def _content() -> dict[str, Any]:
    schema = ProblemBody.model_json_schema()
    schema["properties"]["origin"] = schema.pop("$defs")["Origin"]  # its $ref would not resolve
    return {"application/problem+json": {"schema": schema}}


PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request was refused.", "content": _content()},
    "5XX": {"description": "The request failed.", "content": _content()},
}
"""With these, FastAPI omits its own description of 422, which this service never sends."""

PLACED: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        "headers": {"Location": {"description": "The order's path.", "schema": {"type": "string"}}},
        "links": {
            operation: {"operationId": operation, "parameters": {"order_id": "$response.body#/id"}}
            for operation in ("read_order", "cancel_order", "draw_invoice")
        },
    }
}
"""The response to a placed order, with links to the operations on it."""

AGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "Age": {
                "description": "Present only if PostgreSQL was unavailable: the age of these "
                "products in seconds.",
                "schema": {"type": "integer", "minimum": 0},
            }
        }
    }
}
"""The header by which a caller tells a stale catalogue from a fresh one."""

TIMED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "X-Request-Timeout-Ms",
            "in": "header",
            "description": "How long the caller will wait, in milliseconds, capped by the "
            "service's own deadline. Any other value is refused with 400.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 10**MAX_DIGITS - 1},
        }
    ]
}
"""The header that every operation obeys. It is not a FastAPI parameter, because `Boundary` has
already parsed it."""

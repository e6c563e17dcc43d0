"""The interface's description: every operation may answer with a problem, and says so."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from sample_service.api.boundary import LONGEST_NUMBER
from sample_service.problems import Origin

__all__ = ["AGE", "PLACED", "PROBLEM_RESPONSES", "TIMED", "ProblemBody"]


class ProblemBody(BaseModel):
    """RFC 9457, with where the error arose and the id under which the log has it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The address of the problem's page.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    trace_id: str = Field(pattern="^[0-9a-f]{32}$")
    origin: Origin


def _content() -> dict[str, Any]:
    schema = ProblemBody.model_json_schema()
    schema["properties"]["origin"] = schema.pop("$defs")["Origin"]  # inline: refs point elsewhere
    return {"application/problem+json": {"schema": schema}}


PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request was refused.", "content": _content()},
    "5XX": {"description": "The request failed.", "content": _content()},
}
"""FastAPI leaves out its own description of 422, which this service never answers with."""

PLACED: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        "headers": {
            "Location": {"description": "Where the order is.", "schema": {"type": "string"}}
        },
        "links": {
            operation: {"operationId": operation, "parameters": {"order_id": "$response.body#/id"}}
            for operation in ("read_order", "cancel_order", "draw_invoice")
        },
    }
}
"""What can be done with an order once it is placed."""

AGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "Age": {
                "description": "Only where PostgreSQL could not be asked: these products are "
                "stale, by so many seconds.",
                "schema": {"type": "integer", "minimum": 0},
            }
        }
    }
}
"""How a caller tells a stale catalogue from a fresh one."""

TIMED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "X-Request-Timeout-Ms",
            "in": "header",
            "description": "How long the caller will wait, in milliseconds; the service's own "
            "deadline where that is shorter. Anything but such a number is refused with 400.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 10**LONGEST_NUMBER - 1},
        }
    ]
}
"""What every operation obeys. A parameter of FastAPI's would be read and checked again each time;
`Boundary` has done that before, once for all."""

"""The controls of the judgement on reads that go back in time."""

from functools import partial
from typing import Final

from brownout import Answer, Operation
from brownout.declaration.pairs import Pair
from brownout.expectations import expect_none_goes_back
from brownout.units import seconds
from tests.core.judgements import Controls
from tests.core.made import answer

__all__ = ["BY_ID", "BY_TOKEN", "PLACE", "REGISTER_CONTROLS", "found", "placed"]

PLACE: Final = Operation.write(
    "place", "POST", "/things", applied="select 1 where '' = $1", captures={"id": "$.id"}
)
BY_TOKEN: Final = Pair(
    PLACE, Operation.read("find", "GET", "/things?name={token}", reads_back="place")
)
BY_ID: Final = Pair(PLACE, Operation.read("get", "GET", "/things/{id}", reads_back="place"))


def placed(status: int = 201, *, at: float = 0.0, token: str = "a") -> Answer:  # noqa: S107
    """An answer to the write that begins at this second and takes one."""
    return answer(status, operation=PLACE, token=token, started=at, elapsed=seconds(1))


def found(*tokens: str, at: float, token: str = "a") -> Answer:  # noqa: S107 - it opens nothing
    """A read of the write with `token`, which shows these."""
    return answer(
        json=[*tokens], operation=BY_TOKEN.read, token=token, started=at, elapsed=seconds(1)
    )


def got(status: int, *, at: float) -> Answer:
    """A read of the write by its id."""
    return answer(status, operation=BY_ID.read, token="a", started=at, elapsed=seconds(1))  # noqa: S106


FAILED: Final = answer(503, operation=BY_TOKEN.read, token="a", started=9.0)  # noqa: S106

by_token = partial(expect_none_goes_back, [BY_TOKEN])
by_id = partial(expect_none_goes_back, [BY_ID])

REGISTER_CONTROLS = {
    "expect_none_goes_back": Controls(
        kept=[
            partial(by_token, [placed(), found("a", at=2.0)], {"a": 1}),
            partial(by_token, [placed(), found(at=0.5), found("a", at=2.0)], {"a": 1}),
            partial(by_token, [placed(504), found(at=2.0), found("a", at=3.5)], {"a": 1}),
            partial(by_token, [placed(503), found(at=2.0)], {"a": 0}),
            partial(by_token, [placed(), found("a", at=2.0), FAILED], {}),
            partial(by_id, [placed(), got(200, at=2.0), got(503, at=4.0)], {"a": 1}),
        ],
        broken=[
            partial(by_token, [placed(), found(at=2.0)], {"a": 1}),
            partial(by_token, [placed(504), found("a", at=2.0), found(at=4.0)], {"a": 1}),
            partial(by_token, [placed(504), found("a", at=2.0)], {"a": 0}),
            partial(by_token, [placed(504), placed(at=4.0), found(at=6.0)], {"a": 1}),
            partial(by_id, [placed(), got(404, at=2.0)], {"a": 1}),
        ],
        nothing=[
            partial(by_token, [], {}),
            partial(by_token, [placed()], {"a": 1}),
            partial(by_token, [placed(), FAILED], {"a": 1}),
            partial(by_id, [got(404, at=1.0)], {}),
            # It shows what was never sent: it repeats what it was asked for.
            partial(by_token, [placed(), found("z", at=4.0, token="z")], {"a": 1}),  # noqa: S106
        ],
    ),
}

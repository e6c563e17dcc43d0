"""Which writes a watch follows, and what it says of those that are lost or doubled."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from brownout import Answer, ContractViolation, NotAssessable, Operation, Service
from brownout.mask import Mask
from brownout.report.facts import Trouble, Verdict
from brownout.trial.probe import Probe
from brownout.trial.recording import Recording
from brownout.watch.writing import OF_WRITES, Writing
from tests.core.made import answer, recording, service

WRITE = Operation.write("place", "POST", "/things", json={"for": "{token}"}, success=[201])
READ = Operation.read("of", "GET", "/things?for={token}", reads_back="place")
PAIRED = service((WRITE, READ))


def seen(*times: int, declared: Service = PAIRED) -> Recording:
    """Each write was acknowledged, and a read showed it so often at the end."""
    tokens = [f"token{number}" for number in range(len(times))]
    written = [
        answer(201, operation=WRITE, token=token, started=100 + number)
        for number, token in enumerate(tokens)
    ]
    read = [
        answer(json=[{"for": token}] * count, operation=READ, token=token, started=200)
        for token, count in zip(tokens, times, strict=True)
    ]
    notes = {"written": tuple(written), "read back": tuple(read)}
    return recording(declared=declared, notes=notes)


def verdicts(made: Recording) -> Iterator[str]:
    """What C1, C2 and C3 say."""
    for judge in OF_WRITES:
        try:
            judge.expect(made)
            yield Verdict.KEPT.value
        except (ContractViolation, NotAssessable) as error:
            yield Trouble.of(error).verdict.value


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((1, 1, 1), ["kept", "kept", "kept"]),
        ((1, 0, 1), ["broken", "broken", "kept"]),
        ((1, 2, 1), ["kept", "kept", "broken"]),
        ((), ["not assessed"] * 3),
    ],
    ids=["kept", "lost", "doubled", "none"],
)
def test_what_reads_show_at_the_end_judges_the_writes(
    times: tuple[int, ...], said: list[str]
) -> None:
    assert list(verdicts(seen(*times))) == said


def test_a_read_that_shows_each_write_twice_is_no_double() -> None:
    """A row may name its token in two columns."""
    assert list(verdicts(seen(2, 2, 2))) == ["kept"] * 3
    assert list(verdicts(seen(2, 4, 2))) == ["kept", "kept", "broken"]


def test_without_a_pair_nothing_is_said_of_writes() -> None:
    for declared in (service((WRITE,)), service((Operation.read("x", "GET", "/x"),))):
        assert list(verdicts(seen(1, declared=declared))) == ["not assessed"] * 3


class Shop(Probe):
    """Answers at once, and remembers orders."""

    def __init__(self) -> None:
        super().__init__(PAIRED, "http://127.0.0.1:9")
        self.orders: list[str] = []

    async def ask(self, operation: Operation, *, token: str | None = None, **_: object) -> Answer:
        """Place an order, or show those of a token."""
        assert token is not None
        if operation is WRITE:
            self.orders.append(token)
            return answer(201, operation=WRITE, token=token)
        found = [{"for": one} for one in self.orders if one == token]
        return answer(body=json.dumps(found).encode(), operation=READ, token=token, started=200)


def test_few_writes_are_followed_while_all_is_well_and_many_while_requests_fail() -> None:
    async def followed(count: int, *, failing: bool) -> int:
        async with Shop() as shop:
            writing = Writing(PAIRED, shop, Mask({}).answer)
            for turn in range(count):
                await writing.ask(WRITE, turn=turn, failing=failing)
            notes = await writing.everything()
            assert len(shop.orders) == count
            assert len(notes["read back"]) == len(notes["written"]) + 1, "and one never sent"
            made = recording(declared=PAIRED, notes=notes)
            assert list(verdicts(made)) == ["kept"] * 3
            return len(notes["written"])

    assert asyncio.run(followed(50, failing=False)) == 20
    assert asyncio.run(followed(500, failing=True)) == 400


def test_a_write_that_is_under_way_when_the_watch_ends_says_nothing() -> None:
    class Slow(Shop):
        third: asyncio.Event

        async def ask(
            self, operation: Operation, *, token: str | None = None, **_: object
        ) -> Answer:
            came = await super().ask(operation, token=token)
            if operation is WRITE and len(self.orders) == 3:
                self.third.set()
                await asyncio.Event().wait()
            return came

    async def ended() -> Recording:
        async with Slow() as shop:
            shop.third = asyncio.Event()
            writing = Writing(PAIRED, shop, Mask({}).answer)
            for turn in range(2):
                await writing.ask(WRITE, turn=turn, failing=False)
            under_way = asyncio.create_task(writing.ask(WRITE, turn=2, failing=False))
            await shop.third.wait()
            under_way.cancel()
            return recording(declared=PAIRED, notes=await writing.everything())

    made = asyncio.run(ended())
    assert len(made.notes["written"]) == 2
    assert list(verdicts(made)) == ["kept"] * 3


def test_what_is_remembered_of_writes_and_reads_has_no_secret() -> None:
    class Telling(Shop):
        async def ask(
            self, operation: Operation, *, token: str | None = None, **_: object
        ) -> Answer:
            came = await super().ask(operation, token=token)
            return replace(
                came, body=came.body + b" open-sesame", headers=(("Sid", "open-sesame"),)
            )

    async def ended() -> Recording:
        async with Telling() as shop:
            writing = Writing(PAIRED, shop, Mask({}, ["open-sesame"]).answer)
            await writing.ask(WRITE, turn=0, failing=False)
            return recording(declared=PAIRED, notes=await writing.everything())

    made = asyncio.run(ended())
    assert list(verdicts(made)) == ["kept"] * 3
    assert "open-sesame" not in json.dumps(made.to_json())

"""Statements are refused in each way, and only answers to those that were are set apart."""

import asyncio
from typing import cast

import pytest

from brownout import Operation
from brownout.faults import Fault, ServerError
from brownout.trial import Trial
from brownout.trial.refusing import REFUSALS, RefusedStatements
from tests.core.fakes import FakePostgres, FakeService
from tests.core.made import READ, WRITE, service
from tests.core.peer import OK, Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

FREE = Operation.read("free", "GET", "/free", needs_database=False)


async def test_each_operation_that_needs_the_database_is_refused_in_each_way() -> None:
    made: list[ServerError] = []

    def switch(fault: Fault, on: bool) -> None:
        assert isinstance(fault, ServerError)
        if on:
            made.append(fault)

    postgres = FakePostgres(switch=switch)
    declared = service([READ, FREE, WRITE])
    async with serving(whole(503)) as peer, staged(peer, declared, postgres) as stage:
        await RefusedStatements().run(stage)
    assert [one.sqlstate for one in made] == [state for state in REFUSALS for _ in range(2)]
    assert {one.sqlstate for one in made if one.fatal} == {"57P01"}
    assert {name: len(answers) for name, answers in stage.notes.items()} == {
        f"refused {READ.name}": len(REFUSALS),
        f"refused {WRITE.name}": len(REFUSALS),
    }
    assert {name: len(one) for name, one in stage.exchanges.items()} == {
        f"refused {state} {name}": 1 for state in REFUSALS for name in (READ.name, WRITE.name)
    }


async def test_what_is_logged_of_a_refusal_is_set_apart_with_its_answer() -> None:
    """The line may come a moment after the answer; and each operation fails first by turns."""
    in_force: list[str] = []
    paths: list[str] = []

    def switch(fault: Fault, on: bool) -> None:
        assert isinstance(fault, ServerError)
        (in_force.append if on else in_force.remove)(fault.sqlstate)

    postgres = FakePostgres(switch=switch)
    async with serving() as peer, staged(peer, service([READ, WRITE]), postgres) as stage:
        words = cast("FakeService", stage.service)

        async def refusing(request: Request) -> Reply:
            state = in_force[0]
            paths.append(request.method)

            def log() -> None:
                words.words += f"{request.method} failed: {state}\n"

            asyncio.get_running_loop().call_later(0.05, log)
            return whole(503)

        peer.answer = refusing
        await RefusedStatements().run(stage)
    logs = {name: one.log for name, (one,) in stage.exchanges.items()}
    assert logs == {
        f"refused {state} {name}": f"{method} failed: {state}\n"
        for state in REFUSALS
        for name, method in ((READ.name, "GET"), (WRITE.name, "POST"))
    }
    assert paths[:4] == ["GET", "POST", "POST", "GET"]


async def test_an_answer_whose_statements_were_not_met_is_not_set_apart() -> None:
    """A breaker may be open, or the answer come from elsewhere: nothing is known of it."""
    in_force: list[str] = []

    def switch(fault: Fault, on: bool) -> None:
        assert isinstance(fault, ServerError)
        (in_force.append if on else in_force.remove)(fault.sqlstate)

    async def swallowing(_: Request) -> Reply:
        return OK if in_force == ["42P01"] else whole(503)

    postgres = FakePostgres(switch=switch, felt=lambda: int(in_force == ["42P01"]))
    async with serving(swallowing) as peer, staged(peer, service([READ]), postgres) as stage:
        await RefusedStatements().run(stage)
    (answer,) = stage.notes[f"refused {READ.name}"]
    assert answer.status == 200
    assert len(stage.answers) == len(REFUSALS)


async def test_a_judge_is_told_the_sqlstates() -> None:
    assert Trial("x", script=RefusedStatements()).sqlstates == tuple(REFUSALS)

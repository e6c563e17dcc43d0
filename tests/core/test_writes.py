"""Writes go on while things break; what is unknown is asked for again where a key protects it."""

from collections import Counter

import pytest

from brownout import Completion, FaultNotFelt, Operation, Outcome, ms
from brownout.faults import (
    BlackHole,
    Direction,
    Fault,
    Latency,
    Reset,
    Restart,
    ServerError,
    TerminatedBackends,
)
from brownout.trial.probe import Probe
from brownout.trial.writes import WriteHistories
from tests.core.fakes import FakePostgres
from tests.core.made import service
from tests.core.peer import SILENCE, Reply, Request, serving, whole

pytestmark = pytest.mark.asyncio

SQL = "select count(*) from things where token = $1"
KEYED = Operation.write(
    "place", "POST", "/{token}", applied=SQL, idempotency_header="Idempotency-Key"
)
BARE = Operation.write("place", "POST", "/{token}", applied=SQL)


class Store:
    """A service that applies each key once; in a black hole it applies and does not answer."""

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.silent = False

    def switch(self, fault: Fault, on: bool) -> None:
        """A fault comes or goes."""
        if isinstance(fault, BlackHole):
            self.silent = on

    async def __call__(self, request: Request) -> Reply:
        if request.method == "GET":
            return whole()
        token = request.path.strip("/")
        self.asked[token] += 1
        if "idempotency-key" in request.headers:
            self.applied[request.headers["idempotency-key"]] = 1
        else:
            self.applied[token] += 1
        return SILENCE if self.silent else whole(201)


@pytest.mark.parametrize("operation", [KEYED, BARE], ids=["keyed", "bare"])
async def test_writers_meet_every_fault_and_what_they_left_is_counted_by_token(
    operation: Operation,
) -> None:
    store = Store()
    postgres = FakePostgres(switch=store.switch, applied=store.applied)
    declared = service([operation], request=ms(200))
    histories = WriteHistories(declared, postgres.as_postgres)
    async with (
        serving(store) as peer,
        Probe(declared, peer.url, patience=ms(80)) as probe,
    ):
        history = await histories.of(operation, probe)
        assert await histories.of(operation, probe) is history

    kinds = [type(fault) for fault in postgres.made]
    assert set(kinds) == {BlackHole, Latency, Reset, TerminatedBackends, ServerError, Restart}
    answers_only = BlackHole(Direction.TO_SERVICE)
    assert all(one == answers_only for one in postgres.made if isinstance(one, BlackHole))
    assert kinds.count(TerminatedBackends) >= 3
    assert kinds.count(Reset) >= 3
    refused = [one for one in postgres.made if isinstance(one, ServerError)]
    callers = declared.connections
    assert [one.nth for one in refused] == [1, callers + 1, 2 * callers + 1, 3 * callers + 1]
    assert {one.times for one in refused} == {1}
    assert postgres.missed == []
    assert kinds.index(Latency) < kinds.index(TerminatedBackends), "each step is wide enough"
    assert postgres.asked == [(SQL, "place")]

    tokens = {answer.token for answer in history.answers}
    assert history.applied.keys() == tokens
    lost = {one.token for one in history.answers if one.ending is Completion.NO_ANSWER}
    assert len(lost) >= declared.connections
    asked_again = {token for token in tokens if store.asked[token] > 1}
    if operation is KEYED:
        assert asked_again >= {token for token in lost if store.asked[token]}
        last = {one.token: one for one in history.answers}
        assert all(last[token].outcome is Outcome.ACKNOWLEDGED for token in lost)
        at_once = {token for token in asked_again if token not in lost}
        assert len(at_once) >= declared.connections
        assert all(store.asked[token] == 2 for token in asked_again)
        assert set(history.applied.values()) == {1}
    else:
        assert asked_again == set()


async def test_faults_that_the_backend_lacks_are_left_out() -> None:
    store = Store()
    postgres = FakePostgres(switch=store.switch, missing=["TerminatedBackends", "Restart"])
    declared = service([KEYED], request=ms(200))
    async with (
        serving(store) as peer,
        Probe(declared, peer.url, patience=ms(80)) as probe,
    ):
        await WriteHistories(declared, postgres.as_postgres).of(KEYED, probe)
    assert BlackHole(Direction.TO_SERVICE) in postgres.made
    assert not {type(fault) for fault in postgres.made} & {TerminatedBackends, Restart}


async def test_statements_that_cannot_be_refused_are_left_out() -> None:
    store = Store()

    def switch(fault: Fault, on: bool) -> None:
        store.switch(fault, on)
        if isinstance(fault, ServerError) and not on:
            raise FaultNotFelt("every statement is hidden in a function")

    postgres = FakePostgres(switch=switch, applied=store.applied)
    declared = service([KEYED], request=ms(200))
    async with (
        serving(store) as peer,
        Probe(declared, peer.url, patience=ms(80)) as probe,
    ):
        history = await WriteHistories(declared, postgres.as_postgres).of(KEYED, probe)
    assert Restart() in postgres.made, "the history goes on"
    assert set(history.applied.values()) == {1}

"""Writes go on while things break; what is unknown is asked for again where a key protects it."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from brownout import (
    Answer,
    Budget,
    Completion,
    FaultNotFelt,
    Operation,
    Outcome,
    Service,
    ms,
    seconds,
)
from brownout.faults import (
    BlackHole,
    Crash,
    Direction,
    Fault,
    Latency,
    Reset,
    Restart,
    ServerError,
    TerminatedBackends,
)
from brownout.trial.writes import WriteHistories
from tests.core.fakes import FakePostgres, FakeService
from tests.core.made import service
from tests.core.peer import DROP, SILENCE, Peer, Reply, Request, serving, whole
from tests.trial.staged import staged

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


async def history(
    declared: Service,
    postgres: FakePostgres,
    peer: Peer,
    histories: WriteHistories = WriteHistories(),  # noqa: B008 - frozen
) -> tuple[Answer, ...]:
    """The history of the one write that is declared."""
    async with staged(peer, declared, postgres, patience=ms(80)) as stage:
        await histories.run(stage)
    assert stage.notes.keys() - {"asked again place"} == {"history place"}
    return stage.notes["history place"]


def always(reply: Reply) -> Callable[[Request], Awaitable[Reply]]:
    """An answer to every request."""

    async def answer(_: Request) -> Reply:
        return reply

    return answer


@pytest.mark.parametrize("operation", [KEYED, BARE], ids=["keyed", "bare"])
async def test_writers_meet_every_fault_and_what_is_unknown_is_asked_again(
    operation: Operation,
) -> None:
    store = Store()
    postgres = FakePostgres(switch=store.switch)
    declared = service([operation], request=ms(200))
    async with serving(store) as peer:
        answers = await history(declared, postgres, peer)

    kinds = [type(fault) for fault in postgres.made]
    assert set(kinds) == {
        BlackHole, Latency, Reset, TerminatedBackends, ServerError, Restart, Crash
    }  # fmt: skip
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

    tokens = {answer.token for answer in answers}
    lost = {one.token for one in answers if one.ending is Completion.NO_ANSWER}
    assert len(lost) >= declared.connections
    # What the callers sent counts: on a busy machine one gives up before the store has read it.
    sent = Counter(one.token for one in answers)
    asked_again = {token for token in tokens if sent[token] > 1}
    if operation is KEYED:
        assert asked_again >= lost
        at_once = {token for token in asked_again if token not in lost}
        assert len(at_once) >= declared.connections
        assert all(sent[token] == 2 for token in asked_again)
        assert all(store.asked[token] <= 2 for token in asked_again)
        assert set(store.applied.values()) == {1}
    else:
        assert asked_again == set()


async def test_what_reads_show_in_the_place_of_tokens_is_looked_up() -> None:
    store = Store()
    listed: list[str] = []

    async def answering(request: Request) -> Reply:
        if request.method != "GET" or request.path != "/":
            reply = await store(request)
            listed.append(request.path.strip("/"))
            return reply
        rows = [{"token": token} for token in (*listed[-3:], "0123456789abcdef")]
        return whole(200, json.dumps({"etag": "f" * 16, "rows": rows}).encode())

    postgres = FakePostgres(switch=store.switch, applied=store.applied)
    declared = service([BARE, Operation.read("list", "GET", "/")], request=ms(200))
    histories = WriteHistories(writes=20)
    async with (
        serving(answering) as peer,
        staged(peer, declared, postgres, patience=ms(80)) as stage,
    ):
        await histories.run(stage)
    assert stage.shown.pop("0123456789abcdef") == 0, "a value that was never written"
    assert set(stage.shown) <= set(store.applied), "and nothing that stands elsewhere"
    assert set(stage.shown.values()) == {1}


async def test_faults_that_the_backend_lacks_are_left_out() -> None:
    store = Store()
    postgres = FakePostgres(switch=store.switch, missing=["TerminatedBackends", "Restart", "Crash"])
    declared = service([KEYED], request=ms(200))
    async with serving(store) as peer:
        await history(declared, postgres, peer)
    assert BlackHole(Direction.TO_SERVICE) in postgres.made
    assert not {type(fault) for fault in postgres.made} & {TerminatedBackends, Restart, Crash}


async def test_statements_that_cannot_be_refused_are_left_out() -> None:
    store = Store()

    def switch(fault: Fault, on: bool) -> None:
        store.switch(fault, on)
        if isinstance(fault, ServerError) and not on:
            raise FaultNotFelt("every statement is hidden in a function")

    postgres = FakePostgres(switch=switch, applied=store.applied)
    declared = service([KEYED], request=ms(200))
    async with serving(store) as peer:
        await history(declared, postgres, peer)
    assert {Restart(), Crash()} <= set(postgres.made), "the history goes on"
    assert set(store.applied.values()) == {1}


@pytest.mark.parametrize(
    "histories",
    [WriteHistories(writes=20), WriteHistories(lasting=ms(150))],
    ids=["so_many_writes", "so_long"],
)
async def test_a_history_ends_with_what_comes_first(histories: WriteHistories) -> None:
    store = Store()
    postgres = FakePostgres(switch=store.switch)
    declared = service([KEYED], request=ms(200))
    async with serving(store) as peer:
        answers = await history(declared, postgres, peer, histories)
    kinds = [type(fault) for fault in postgres.made]
    assert Restart not in kinds
    assert kinds.count(Reset) <= 1
    unknown = {one.token for one in answers if one.outcome is Outcome.UNDETERMINED}
    sent = Counter(one.token for one in answers)
    assert all(sent[token] == 2 for token in unknown), "what is unknown is asked again"


def burnt(store: Store, *, times: int) -> Callable[[Request], Awaitable[Reply]]:
    """A service that refuses the key of what was lost so many times, as if it were in use."""
    lost: set[str] = set()

    async def answer(request: Request) -> Reply:
        token = request.path.strip("/")
        reply = await store(request)
        if store.silent:
            lost.add(token)
        refused = token in lost and not store.silent and store.asked[token] <= times + 1
        return whole(409) if refused else reply

    return answer


@pytest.mark.parametrize("times", [2, 10_000], ids=["for a moment", "for good"])
async def test_a_key_that_stays_in_use_is_asked_for_until_the_recovery_time_is_over(
    times: int,
) -> None:
    """As many of them as there are connections; and each of them once."""
    store = Store()
    declared = service([KEYED], budget=Budget(request=ms(200), recovery=ms(400), pool=3))
    postgres = FakePostgres(switch=store.switch)
    async with (
        serving(burnt(store, times=times)) as peer,
        staged(peer, declared, postgres, patience=ms(80)) as stage,
    ):
        await WriteHistories(writes=200).run(stage)
    again = stage.notes["asked again place"]
    asked = {
        token: [one for one in again if one.token == token]
        for token in {one.token for one in again}
    }
    assert len(asked) == 3
    for answers in asked.values():
        assert [one.status for one in answers[:2]] == [409, 409]
        assert answers[-1].succeeded is (times == 2)
        if times > 2:
            assert answers[-1].finished - answers[0].started >= 0.4
    history = stage.notes["history place"]
    assert set(again) <= set(history)
    unknown = {one.token for one in history if one.outcome is Outcome.UNDETERMINED}
    assert all(len([one for one in history if one.token == token]) > 1 for token in unknown)


async def test_a_history_ends_with_the_service() -> None:
    store = Store()
    declared = service([KEYED], request=ms(200))
    async with serving(store) as peer, staged(peer, declared, patience=ms(80)) as stage:

        def switch(fault: Fault, on: bool) -> None:
            if on and isinstance(fault, BlackHole):
                cast("FakeService", stage.service).end(1)
                peer.answer = always(DROP)

        cast("FakePostgres", stage.postgres).switch = switch
        await WriteHistories(lasting=seconds(600)).run(stage)
    assert stage.recovery is not None
    assert not stage.recovery.steady
    made = {type(fault) for fault in cast("FakePostgres", stage.postgres).made}
    assert not made & {Reset, TerminatedBackends, ServerError, Restart}

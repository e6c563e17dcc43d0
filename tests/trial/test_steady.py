"""The steady state is asked for as often as there are connections; a baseline is taken once."""

import asyncio

import pytest

from brownout import (
    BrownoutError,
    Budget,
    Degraded,
    Health,
    Operation,
    ServiceNotReady,
    ms,
    seconds,
)
from brownout.observations import SAMPLES
from brownout.trial.probe import Probe
from brownout.trial.steady import Baseline, SteadyState
from tests.core.made import READ, WRITE, service
from tests.core.peer import DROP, OK, PATIENCE, SILENCE, Peer, Reply, Request, serving, whole

pytestmark = pytest.mark.asyncio

LONG = seconds(PATIENCE)
QUICK = Budget(request=seconds(1), recovery=ms(60), pool=3)


class Scripted:
    """By path: the first replies; then all is well."""

    def __init__(self, **first: list[Reply]) -> None:
        self._first = first

    async def __call__(self, request: Request) -> Reply:
        replies = self._first.get(f"{request.method}_{request.path.strip('/')}")
        return replies.pop(0) if replies else OK


def asked(peer: Peer) -> dict[str, int]:
    seen: dict[str, int] = {}
    for request in peer.requests:
        key = f"{request.method} {request.path}"
        seen[key] = seen.get(key, 0) + 1
    return seen


# -- the steady state ----------------------------------------------------------------------------


async def test_a_round_is_readiness_and_each_operation_on_every_connection() -> None:
    declared = service(
        [
            READ,
            Operation.read("free", "GET", "/free", needs_database=False),
            Operation.compute("sum", "POST", "/sum"),
            WRITE,
        ],
        workers=2,
    )
    together = asyncio.Barrier(6)

    async def reply(request: Request) -> Reply:
        if request.path == "/things":
            await together.wait()
        return OK

    async with serving(reply) as peer, Probe(declared, peer.url) as probe:
        recovery = await SteadyState(declared).reached(probe, within=LONG)
    assert recovery.steady
    assert recovery.rounds == ()
    assert recovery.after < seconds(1)
    assert asked(peer) == {"GET /ready": 1, "GET /things": 6, "POST /things": 6}


async def test_an_operation_with_a_fallback_has_to_be_back_too() -> None:
    cached = Operation.read(
        "cached", "GET", "/cached", degraded=Degraded(marker="Age", max_age=seconds(9))
    )
    declared = service([cached])
    async with serving() as peer, Probe(declared, peer.url) as probe:
        await SteadyState(declared).reached(probe, within=LONG)
    assert asked(peer) == {"GET /ready": 1, "GET /cached": 3}


@pytest.mark.parametrize(
    ("where", "reply", "seen"),
    [
        ("GET_ready", whole(503), "/ready: status 503"),
        ("GET_things", whole(500), "list: status 500"),
        ("POST_things", DROP, "place: connection dropped"),
    ],
)
async def test_it_is_asked_again_until_a_whole_round_succeeds(
    where: str, reply: Reply, seen: str
) -> None:
    declared = service()
    async with (
        serving(Scripted(**{where: [reply, OK, OK, reply]})) as peer,
        Probe(declared, peer.url, keep_alive=False) as probe,
    ):
        recovery = await SteadyState(declared).reached(probe, within=LONG)
    assert recovery.steady
    assert 1 <= len(recovery.rounds) <= 2
    assert all(seen in entry for entry in recovery.rounds)
    assert recovery.after >= ms(20) * len(recovery.rounds)


async def test_a_service_that_stays_away_is_not_steady_and_not_stormed() -> None:
    declared = service()
    async with serving(whole(503)) as peer, Probe(declared, peer.url) as probe:
        recovery = await SteadyState(declared).reached(probe, within=ms(100))
    assert not recovery.steady
    assert asked(peer) == {"GET /ready": len(recovery.rounds)}
    assert 1 <= len(recovery.rounds) <= 6, "20 ms between two rounds"


async def test_a_service_that_comes_back_too_late_is_not_steady() -> None:
    declared = service()

    async def slow(request: Request) -> Reply:
        return await Scripted()(request) if len(peer.requests) > 1 else SILENCE

    async with serving(slow) as peer, Probe(declared, peer.url, patience=ms(60)) as probe:
        recovery = await SteadyState(declared).reached(probe, within=ms(50))
    assert not recovery.steady
    assert recovery.after >= ms(60), "the time that it took, not the start of the last round"
    assert "no answer by the caller's time-out" in recovery.rounds[0]


async def test_a_service_that_has_ended_is_not_waited_for() -> None:
    async with serving(whole(503)) as peer, Probe(service(), peer.url) as probe:
        recovery = await SteadyState(service()).reached(probe, within=LONG, alive=lambda: False)
    assert not recovery.steady
    assert len(recovery.rounds) == len(peer.requests) == 1


async def test_without_a_readiness_route_the_operations_alone_are_asked() -> None:
    declared = service(health=Health(live=None, ready=None))
    async with serving() as peer, Probe(declared, peer.url) as probe:
        assert (await SteadyState(declared).reached(probe, within=LONG)).steady
    assert asked(peer) == {"GET /things": 3, "POST /things": 3}


async def test_readiness_may_answer_any_2xx() -> None:
    declared = service([])
    async with serving(whole(204, b"")) as peer, Probe(declared, peer.url) as probe:
        assert (await SteadyState(declared).reached(probe, within=LONG)).steady


async def test_where_it_is_not_reached_though_nothing_is_broken_the_last_round_is_told() -> None:
    declared = service(budget=QUICK)
    async with serving(whole(503)) as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(ServiceNotReady, match="Nothing is broken, yet") as refusal:
            await SteadyState(declared).require(probe)
    asked, last = refusal.value.tried
    assert asked.endswith("each operation 3 times at once, as Budget(pool=3) says")
    assert "such rounds; the last: after " in last
    assert "/ready: status 503" in last
    assert "service's log" in refusal.value.remedy


async def test_where_too_many_callers_hang_it_is_told_how_many_there_are() -> None:
    """As with a sync service whose threads are fewer than the connections that are declared."""
    declared = service(workers=20, budget=QUICK)

    async def hang(request: Request) -> Reply:
        return OK if request.path == "/ready" else SILENCE

    async with serving(hang) as peer, Probe(declared, peer.url, patience=ms(60)) as probe:
        with pytest.raises(ServiceNotReady) as refusal:
            await SteadyState(declared).require(probe)
    asked, last = refusal.value.tried
    assert asked.endswith("60 times at once, as Budget(pool=3) times workers=20 says")
    assert last.startswith("1 such round; the last: ")
    assert refusal.value.remedy.startswith("Declare the pool that the service has")


@pytest.mark.parametrize("operation", [READ, WRITE])
async def test_an_operation_with_a_wrong_path_is_named(operation: Operation) -> None:
    declared = service(budget=QUICK)
    place = f"{operation.method}_things"
    wrong = Scripted(**{place: [whole(404)] * 1000})
    async with serving(wrong) as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(ServiceNotReady) as refusal:
            await SteadyState(declared).require(probe)
    assert f"correct {operation.method} /things in its declaration" in refusal.value.remedy


async def test_a_steady_service_is_what_is_required() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        await SteadyState(service()).require(probe)


# -- the baseline --------------------------------------------------------------------------------


async def test_a_baseline_is_200_samples_taken_once_for_each_operation() -> None:
    declared, baseline = service(), Baseline()
    async with serving() as peer, Probe(declared, peer.url) as probe:
        taken = await baseline.of(READ, probe)
        again = await baseline.of(READ, probe)
        assert taken == again
        assert len(taken.samples) == len(peer.requests) == SAMPLES
        assert peer.most_under_way == 1
        assert asked(peer) == {"GET /things": SAMPLES}


async def test_a_baseline_of_failures_is_none() -> None:
    first = [OK] * 50 + [whole(500)]
    async with (
        serving(Scripted(GET_things=first)) as peer,
        Probe(service(), peer.url) as probe,
    ):
        baseline = Baseline()
        for _ in range(2):
            with pytest.raises(BrownoutError, match="request 51 of 200 failed: "):
                await baseline.of(READ, probe)
        assert asked(peer) == {"GET /things": 51}
        assert baseline.taken == {}
        assert (await Baseline().of(READ, probe)).p99 > ms(0)


async def test_what_was_taken_is_there_by_the_operation_s_name() -> None:
    baseline = Baseline()
    failing = Scripted(POST_things=[whole(500)])
    async with serving(failing) as peer, Probe(service(), peer.url) as probe:
        taken = await baseline.of(READ, probe)
        with pytest.raises(BrownoutError):
            await baseline.of(WRITE, probe)
    assert baseline.taken == {"list": taken}

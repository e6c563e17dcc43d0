"""How a service refuses is gathered once for each fault, from all of its connections."""

import pytest

from brownout import FaultNotFelt, NotAssessable, Operation
from brownout.faults import BlackHole, Fault, Latency, Outage
from brownout.trial.probe import Probe
from brownout.trial.refusals import CONFLICT, LOST_COMMIT, STARTING_UP, Refusals
from brownout.units import ms
from tests.core.fakes import FakePostgres
from tests.core.made import READ, WRITE, service
from tests.core.peer import Peer, Reply, Request, serving, whole

pytestmark = pytest.mark.asyncio

BODY = Operation.write("fill", "PUT", "/things/{token}", json={"a": 1})
FREE = Operation.read("free", "GET", "/free", needs_database=False)


def asked(peer: Peer) -> list[str]:
    return sorted(f"{request.method} {request.path}" for request in peer.requests)


async def test_every_operation_is_asked_on_each_connection_and_once_more() -> None:
    declared, postgres = service([READ, FREE, WRITE], workers=2), FakePostgres()
    refusals = Refusals(declared, postgres.as_postgres)
    async with serving(whole(503)) as peer, Probe(declared, peer.url) as probe:
        answers = await refusals.under(Outage(), probe)
    assert asked(peer) == ["GET /things"] * 7 + ["POST /things"] * 7
    assert [answer.status for answer in answers] == [503] * 14
    assert postgres.made == [Outage()]


async def test_the_requests_are_made_while_the_fault_is_in_force() -> None:
    in_force: list[Fault] = []

    def switch(fault: Fault, on: bool) -> None:
        assert (fault in in_force) is not on
        (in_force.append if on else in_force.remove)(fault)

    declared, postgres = service([READ]), FakePostgres(switch=switch)
    async with serving() as peer, Probe(declared, peer.url) as probe:

        async def ask(*_: object) -> list[object]:
            assert in_force == [Outage()]
            return []

        probe.each = ask  # type: ignore[assignment]
        await Refusals(declared, postgres.as_postgres).under(Outage(), probe)
    assert in_force == []


async def test_the_same_fault_is_made_once_and_another_one_again() -> None:
    declared, postgres = service([READ]), FakePostgres()
    refusals = Refusals(declared, postgres.as_postgres)
    async with serving(whole(503)) as peer, Probe(declared, peer.url) as probe:
        first = await refusals.under(Latency(ms(5)), probe)
        count = len(peer.requests)
        assert await refusals.under(Latency(ms(5)), probe) is first
        assert len(peer.requests) == count
        await refusals.under(Latency(ms(6)), probe)
        await refusals.under(BlackHole(), probe)
        assert len(peer.requests) == 3 * count
    assert postgres.made == [Latency(ms(5)), Latency(ms(6)), BlackHole()]


async def test_a_fault_that_was_not_felt_is_made_again() -> None:
    felt = False

    def switch(_: Fault, on: bool) -> None:
        if not on and not felt:
            raise FaultNotFelt("nothing was hit")

    declared, postgres = service([READ]), FakePostgres(switch=switch)
    refusals = Refusals(declared, postgres.as_postgres)
    async with serving(whole(503)) as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(FaultNotFelt):
            await refusals.under(Outage(), probe)
        felt = True
        assert len(await refusals.under(Outage(), probe)) == 4
    assert postgres.made == [Outage()] * 2


async def test_the_caller_s_mistakes_are_an_unknown_path_a_wrong_method_and_a_broken_body() -> None:
    declared = service([FREE, READ, WRITE, BODY])
    refusals = Refusals(declared, FakePostgres().as_postgres)
    async with serving(whole(404)) as peer, Probe(declared, peer.url) as probe:
        answers = await refusals.of_callers_mistakes(probe)
    assert list(answers) == [
        "unknown path",
        "wrong method",
        "fill: no JSON",
        "fill: another shape",
        "fill: empty",
    ]
    sent = {request.method: request for request in peer.requests if request.method != "PUT"}
    assert sent["GET"].path == "/no-such-path-of-any-service"
    assert sent["TRACE"].path == "/things"
    filled = [request for request in peer.requests if request.method == "PUT"]
    assert {request.body for request in filled} == {b"{", b"[]", b"{}"}
    assert {request.headers["content-type"] for request in filled} == {"application/json"}
    assert all(request.path.startswith("/things/") for request in filled)


async def test_without_a_declared_body_none_can_be_broken() -> None:
    declared = service([READ, WRITE])
    refusals = Refusals(declared, FakePostgres().as_postgres)
    async with serving(whole(404)) as peer, Probe(declared, peer.url) as probe:
        answers = await refusals.of_callers_mistakes(probe)
    assert list(answers) == ["unknown path", "wrong method"]


async def test_where_only_new_connections_are_refused_the_open_ones_end_first() -> None:
    declared, postgres = service([READ]), FakePostgres()
    refusals = Refusals(declared, postgres.as_postgres)
    async with serving(whole(503)) as peer, Probe(declared, peer.url) as probe:
        await refusals.under(Outage(), probe)
        assert postgres.terminations == 0
        await refusals.under(STARTING_UP, probe)
    assert postgres.terminations == 1
    assert postgres.made == [Outage(), STARTING_UP]


async def test_writes_alone_are_asked_once_under_what_only_they_meet() -> None:
    declared, postgres = service([READ, WRITE, BODY]), FakePostgres()

    async def reply(request: Request) -> Reply:
        return whole(409 if request.method == "PUT" else 201)

    refusals = Refusals(declared, postgres.as_postgres)
    async with serving(reply) as peer, Probe(declared, peer.url) as probe:
        answers = await refusals.of_writes(CONFLICT, probe)
        assert await refusals.of_writes(CONFLICT, probe) is answers
    assert asked(peer)[0] == "POST /things"
    assert [(one.operation, one.status) for one in answers] == [("place", 201), ("fill", 409)]
    assert postgres.made == [CONFLICT]


@pytest.mark.parametrize("felt", [True, False])
async def test_writes_are_not_assessed_where_nobody_is_told_of_the_fault(felt: bool) -> None:
    def switch(_: Fault, on: bool) -> None:
        if not on and not felt:
            raise FaultNotFelt("nothing is inserted")

    declared, postgres = service([WRITE]), FakePostgres(switch=switch)
    async with serving(whole(201)) as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(NotAssessable, match="No write tells its caller of LostCommitReply"):
            await Refusals(declared, postgres.as_postgres).of_writes(LOST_COMMIT, probe)


async def test_without_an_operation_that_needs_the_database_nothing_is_asked() -> None:
    declared = service([FREE])
    refusals = Refusals(declared, FakePostgres().as_postgres)
    async with serving() as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(NotAssessable):
            await refusals.under(Outage(), probe)
        with pytest.raises(NotAssessable):
            await refusals.of_callers_mistakes(probe)
    assert peer.requests == []

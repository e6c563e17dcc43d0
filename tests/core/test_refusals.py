"""How a service refuses is gathered once for each fault, from all of its connections."""

import pytest

from brownout import FaultNotFelt, NotAssessable, Operation
from brownout.faults import BlackHole, Fault, Latency, Outage, ServerError
from brownout.probes import Probe
from brownout.refusals import Refusals
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
    ]
    sent = {request.method: request for request in peer.requests if request.method != "PUT"}
    assert sent["GET"].path == "/no-such-path-of-any-service"
    assert sent["TRACE"].path == "/things"
    filled = [request for request in peer.requests if request.method == "PUT"]
    assert {request.body for request in filled} == {b"{", b"[]"}
    assert {request.headers["content-type"] for request in filled} == {"application/json"}
    assert all(request.path.startswith("/things/") for request in filled)


async def test_without_a_declared_body_none_can_be_broken() -> None:
    declared = service([READ, WRITE])
    refusals = Refusals(declared, FakePostgres().as_postgres)
    async with serving(whole(404)) as peer, Probe(declared, peer.url) as probe:
        answers = await refusals.of_callers_mistakes(probe)
    assert list(answers) == ["unknown path", "wrong method"]


async def test_a_conflict_is_what_writes_answer_where_the_database_knows_the_key() -> None:
    declared, postgres = service([READ, WRITE, BODY]), FakePostgres()

    async def reply(request: Request) -> Reply:
        return whole(409 if request.method == "PUT" else 201)

    refusals = Refusals(declared, postgres.as_postgres)
    async with serving(reply) as peer, Probe(declared, peer.url) as probe:
        answers = await refusals.of_conflicts(probe)
        assert await refusals.of_conflicts(probe) is answers
    assert asked(peer)[0] == "POST /things"
    assert [(one.operation, one.status) for one in answers] == [("fill", 409)]
    [fault] = postgres.made
    assert isinstance(fault, ServerError)
    assert fault.sqlstate == "23505"


@pytest.mark.parametrize("felt", [True, False])
async def test_no_conflict_is_assessed_where_nobody_is_told_of_one(felt: bool) -> None:
    def switch(_: Fault, on: bool) -> None:
        if not on and not felt:
            raise FaultNotFelt("nothing is inserted")

    declared, postgres = service([WRITE]), FakePostgres(switch=switch)
    async with serving(whole(201)) as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(NotAssessable, match="No write answers"):
            await Refusals(declared, postgres.as_postgres).of_conflicts(probe)


async def test_without_an_operation_that_needs_the_database_nothing_is_asked() -> None:
    declared = service([FREE])
    refusals = Refusals(declared, FakePostgres().as_postgres)
    async with serving() as peer, Probe(declared, peer.url) as probe:
        with pytest.raises(NotAssessable):
            await refusals.under(Outage(), probe)
        with pytest.raises(NotAssessable):
            await refusals.of_callers_mistakes(probe)
    assert peer.requests == []

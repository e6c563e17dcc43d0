"""A probe asks as declared, and tells apart what comes back."""

import asyncio
import errno
import gzip
import json
from typing import cast
from urllib.parse import unquote

import httpcore
import httpx
import pytest

from brownout import Answer, BrownoutError, Completion, Operation, Outcome, ms, seconds
from brownout.observations import SAMPLES
from brownout.postgres import Injection
from brownout.trial.clock import Clock
from brownout.trial.probe import Probe
from tests.core.made import READ, WRITE, service
from tests.core.peer import (
    DROP,
    OK,
    PATIENCE,
    RESET,
    SILENCE,
    Reply,
    Request,
    Then,
    closed_port,
    serving,
    whole,
)

pytestmark = pytest.mark.asyncio

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2,"
TORN_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2"


async def asked(url: str, operation: Operation = READ) -> Answer:
    async with Probe(service(), url) as probe:
        return await probe.ask(operation)


# -- the four endings ----------------------------------------------------------------------------


async def test_a_whole_answer_is_kept_with_its_status_headers_body_and_time() -> None:
    async def answer(_: Request) -> Reply:
        await asyncio.sleep(0.03)
        return whole(201, b'{"id": 1}', "X-A: 1", "X-A: 2", "Content-Type: application/json")

    async with serving(answer) as peer:
        seen = await asked(peer.url, WRITE)
    assert (seen.ending, seen.status, seen.body) == (Completion.ANSWERED, 201, b'{"id": 1}')
    assert seen.outcome is Outcome.ACKNOWLEDGED
    assert seen.operation == "place"
    assert [value for name, value in seen.headers if name.lower() == "x-a"] == ["1", "2"]
    assert seen.media_type == "application/json"
    assert seen.elapsed >= ms(30)
    assert seen.started <= peer.requests[0].at <= seen.finished
    assert seen.with_service is not None
    sent, came = seen.with_service
    assert seen.started < sent <= came <= seen.finished
    assert came >= peer.requests[0].at + 0.03


async def test_an_answer_knows_the_path_that_was_asked_for_as_it_was_sent() -> None:
    read = Operation.read("logs", "GET", "/run/{name}/logs?page=2")
    async with serving(OK) as peer, Probe(service(), f"{peer.url}/shop") as probe:
        seen = await probe.ask(read, values={"name": "a/é"})
    assert seen.path == "/shop/run/a%2F%C3%A9/logs"


async def test_a_closed_port_is_a_refused_connection() -> None:
    with closed_port() as url:
        seen = await asked(url, WRITE)
    assert (seen.ending, seen.outcome) == (Completion.CONNECTION_REFUSED, Outcome.UNDETERMINED)
    assert seen.with_service is None


@pytest.mark.parametrize(
    "reply",
    [
        DROP,
        RESET,
        Reply(HALF, Then.CLOSE),
        Reply(HALF, Then.RESET),
        Reply(TORN_CHUNK, Then.CLOSE),
        Reply(b"HTTP/1.1 200", Then.CLOSE),
        Reply(b"220 smtp\r\n\r\n", Then.HOLD),
    ],
    ids=["no_byte", "reset", "half", "half_reset", "torn_chunk", "half_head", "no_http"],
)
async def test_a_connection_that_ends_before_its_answer_is_a_dropped_one(reply: Reply) -> None:
    async with serving(reply) as peer:
        seen = await asked(peer.url)
    assert (seen.ending, seen.outcome) == (Completion.DROPPED, Outcome.UNDETERMINED)
    assert (seen.status, seen.headers, seen.body) == (None, (), b"")


async def test_a_body_that_cannot_be_unpacked_is_no_whole_answer() -> None:
    torn = gzip.compress(b"[1, 2, 3]" * 100)[:-12]
    async with serving(whole(200, b"\x00" + torn, "Content-Encoding: gzip")) as peer:
        assert (await asked(peer.url)).ending is Completion.DROPPED


async def test_silence_ends_with_the_caller_s_patience_and_is_no_answer() -> None:
    async with serving(SILENCE) as peer, Probe(service(), peer.url, patience=ms(40)) as probe:
        seen = await probe.ask(READ)
        longer = await probe.ask(READ, patience=ms(80))
        await peer.until(lambda: peer.gone == len(peer.requests))
    assert [one.ending for one in (seen, longer)] == [Completion.NO_ANSWER] * 2
    assert seen.elapsed >= ms(40)
    assert longer.elapsed >= ms(80)
    assert seen.status is None


async def test_half_an_answer_and_then_silence_is_no_answer() -> None:
    half = Reply(HALF, Then.HOLD)
    async with serving(half) as peer, Probe(service(), peer.url, patience=ms(40)) as probe:
        seen = await probe.ask(READ)
    assert (seen.ending, seen.status) == (Completion.NO_ANSWER, None)


async def test_by_default_a_caller_waits_two_deadlines_and_a_second() -> None:
    declared = service(request=ms(50))
    async with serving(SILENCE) as peer, Probe(declared, peer.url) as probe:
        seen = await probe.ask(READ)
    assert seen.elapsed >= ms(1100)


async def test_sockets_that_this_machine_lacks_are_not_held_against_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lack = httpcore.ConnectError("All connection attempts failed")
    lack.__cause__ = OSError(errno.EMFILE, "Too many open files")

    async def send(_: httpx.Request, __: object) -> httpx.Response:
        raise lack

    async with Probe(service(), "http://127.0.0.1:1") as probe:
        monkeypatch.setattr(probe._callers, "send", send)
        with pytest.raises(BrownoutError, match="Too many open files"):
            await probe.ask(READ)


async def test_a_connection_that_the_service_closed_while_idle_is_no_dropped_one() -> None:
    closing = whole(then=Then.CLOSE)
    async with serving(closing) as peer, Probe(service(), peer.url) as probe:
        for _ in range(3):
            assert (await probe.ask(READ)).ending is Completion.ANSWERED
            await peer.until(lambda: peer.closed == len(peer.requests))


async def test_a_used_connection_that_ends_before_an_answer_is_stale_and_a_fresh_one_dropped() -> (
    None
):
    replies = [OK, DROP, DROP]

    async def reply(_: Request) -> Reply:
        return replies.pop(0)

    async with serving(reply) as peer, Probe(service(), peer.url) as probe:
        endings = [(await probe.ask(WRITE)).ending for _ in range(3)]
    assert endings == [Completion.ANSWERED, Completion.STALE, Completion.DROPPED]


@pytest.mark.parametrize(
    "reply",
    [Reply(HALF, Then.CLOSE), Reply(HALF, Then.RESET), Reply(b"220 smtp\r\n\r\n", Then.HOLD)],
    ids=["half", "half_reset", "no_http"],
)
async def test_what_a_service_sends_on_a_used_connection_is_no_stale_one(reply: Reply) -> None:
    replies = [OK, reply]

    async def answer(_: Request) -> Reply:
        return replies.pop(0)

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        await probe.ask(READ)
        assert (await probe.ask(READ)).ending is Completion.DROPPED


async def test_without_keep_alive_each_request_has_a_connection_of_its_own() -> None:
    async with serving() as peer, Probe(service(), peer.url, keep_alive=False) as probe:
        for _ in range(3):
            assert (await probe.ask(READ)).succeeded
        await probe.burst(READ, 2)
        assert peer.connections == 5
        await peer.until(lambda: peer.closed == 5)


async def test_every_answer_is_heard_however_it_ended() -> None:
    replies = [OK, whole(503), DROP, SILENCE]
    heard: list[Answer] = []

    async def reply(_: Request) -> Reply:
        return replies.pop(0)

    async with (
        serving(reply) as peer,
        Probe(service(), peer.url, heard=heard.append, keep_alive=False) as probe,
    ):
        answers = [await probe.ask(READ) for _ in range(3)]
        answers.append(await probe.get("/ready", patience=ms(60)))
    assert heard == answers
    assert [one.ending for one in heard] == [
        Completion.ANSWERED, Completion.ANSWERED, Completion.DROPPED, Completion.NO_ANSWER,
    ]  # fmt: skip


# -- what is sent --------------------------------------------------------------------------------


async def test_a_request_carries_its_token_wherever_it_is_asked_for() -> None:
    operation = Operation.write(
        "place",
        "put",
        "/things/{token}?a={other}",
        json={"id": "{token}", "n": [1, None, "{x}"]},
        headers={"X-Caller": "c-{token}"},
        idempotency_header="Idempotency-Key",
    )
    async with serving() as peer, Probe(service(), peer.url) as probe:
        seen = await probe.ask(operation, token="abc", headers={"X-More": "1"})  # noqa: S106
    [request] = peer.requests
    assert (request.method, unquote(request.path)) == ("PUT", "/things/abc?a={other}")
    assert json.loads(request.body) == {"id": "abc", "n": [1, None, "{x}"]}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-caller"] == "c-abc"
    assert request.headers["idempotency-key"] == seen.token == "abc"
    assert request.headers["x-more"] == "1"


async def test_every_request_has_a_token_of_its_own() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        answers = await probe.burst(READ, 20)
    assert len({answer.token for answer in answers}) == 20


async def test_content_takes_the_place_of_the_declared_body() -> None:
    operation = Operation.write("place", "POST", "/things", json={"id": 1})
    async with serving() as peer, Probe(service(), peer.url) as probe:
        await probe.ask(operation, content=b"{")
        await probe.ask(READ)
    assert [request.body for request in peer.requests] == [b"{", b""]


async def test_the_environment_s_proxy_is_no_way_to_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closed_port() as nobody:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, nobody)
        async with serving() as peer:
            assert (await asked(peer.url)).succeeded


async def test_a_problem_s_type_decides_the_outcome_where_it_is_declared() -> None:
    operation = Operation.write("place", "POST", "/", undetermined=["/problems/perhaps"])
    body = b'{"type": "/problems/perhaps", "title": "x", "status": 503}'
    async with serving(whole(503, body)) as peer:
        perhaps = await asked(peer.url, operation)
        refused = await asked(peer.url, WRITE)
    assert perhaps.outcome is Outcome.UNDETERMINED
    assert refused.outcome is Outcome.REFUSED


QUERY = Operation.read("query", "POST", "/graphql", json={"query": "{ things { id } }"})
CHANGE = Operation.write("change", "POST", "/graphql", json={"query": "mutation { change }"})
ASKED_BY_GET = Operation.read("get", "GET", "/graphql?query={things{id}}")


@pytest.mark.parametrize("operation", [QUERY, CHANGE, ASKED_BY_GET])
@pytest.mark.parametrize(
    ("body", "succeeds"),
    [
        ({"data": None, "errors": [{"message": "x"}]}, False),
        ({"errors": [{"message": "x", "path": ["things"]}], "extensions": {}}, False),
        # A part of it is there, or nothing says that it failed.
        ({"data": {"things": None}, "errors": [{"message": "x"}]}, True),
        ({"data": {"things": []}}, True),
        ({"data": None}, True),
        ({"data": None, "errors": []}, True),
        # Not GraphQL's.
        ({"errors": [{"message": "x"}], "stored": 3}, True),
        ({"errors": ["x"]}, True),
        ({"errors": [{"code": "x"}]}, True),
        ({"errors": "x"}, True),
        ([{"errors": [{"message": "x"}]}], True),
    ],
)
async def test_what_failed_as_a_whole_in_graphql_did_not_succeed(
    operation: Operation, body: object, succeeds: bool
) -> None:
    async with serving(whole(200, json.dumps(body).encode())) as peer:
        seen = await asked(peer.url, operation)
    assert seen.succeeded is succeeds is not seen.failed_in_graphql
    assert seen.outcome is (Outcome.ACKNOWLEDGED if succeeds else Outcome.UNDETERMINED)
    assert ("status 200 with GraphQL's errors" in seen.describe()) is not succeeds


async def test_a_request_without_parameters_is_none_of_graphql() -> None:
    async with serving(whole(200, b'{"errors": [{"message": "the cache is cold"}]}')) as peer:
        async with Probe(service(), peer.url) as probe:
            assert (await probe.get("/ready")).succeeded
        assert (await asked(peer.url, READ)).succeeded


async def test_a_problem_is_never_one_of_graphql() -> None:
    async with serving(whole(503, b'{"errors": [{"message": "x"}]}')) as peer:
        seen = await asked(peer.url, QUERY)
    assert (seen.outcome, seen.failed_in_graphql) == (Outcome.REFUSED, False)


@pytest.mark.parametrize(("status", "succeeds"), [(200, True), (204, True), (302, False)])
async def test_a_route_that_is_no_operation_succeeds_with_every_2xx(
    status: int, succeeds: bool
) -> None:
    async with serving(whole(status, b"")) as peer, Probe(service(), peer.url) as probe:
        seen = await probe.get("/ready")
    assert seen.succeeded is succeeds
    assert peer.requests[0].path == seen.operation == "/ready"


# -- many at once --------------------------------------------------------------------------------


async def test_samples_are_asked_for_one_after_the_other() -> None:
    asked_at_once = 0

    async def answer(_: Request) -> Reply:
        nonlocal asked_at_once
        asked_at_once += 1
        await asyncio.sleep(0)
        assert asked_at_once == 1
        asked_at_once -= 1
        return OK

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        answers = await probe.samples(READ, ceiling=seconds(PATIENCE))
    assert len(answers) == len(peer.requests) == SAMPLES


async def test_samples_are_spread_over_the_time_that_they_are_to_last() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        answers = await probe.samples(READ, ceiling=seconds(PATIENCE), lasting=ms(800))
    first, last = answers[0].started, answers[-1].started
    assert len(answers) == SAMPLES
    assert last - first >= 0.7
    middle = answers[SAMPLES // 2].started
    assert middle - first >= 0.3


async def test_samples_end_when_the_p99_can_only_be_above_the_ceiling() -> None:
    async def answer(_: Request) -> Reply:
        return OK

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        answers = await probe.samples(READ, ceiling=ms(0))
    assert len(answers) == SAMPLES // 100 + 1


async def test_samples_end_with_the_first_failure() -> None:
    async def answer(_: Request) -> Reply:
        return whole(503) if len(peer.requests) == 5 else OK

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        answers = await probe.samples(READ, ceiling=seconds(PATIENCE))
    assert [each.succeeded for each in answers] == [True] * 4 + [False]


async def test_samples_end_when_the_machine_is_too_busy_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(clock, "forgiven", lambda *_: seconds(1))
    async with serving() as peer, Probe(service(), peer.url, clock=clock) as probe:
        answers = await probe.samples(READ, ceiling=seconds(PATIENCE))
    assert len(answers) == 20


async def test_a_burst_is_asked_at_the_same_time() -> None:
    together = asyncio.Barrier(50)

    async def answer(_: Request) -> Reply:
        await together.wait()
        return OK

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        answers = await probe.burst(READ, 50)
    assert all(one.succeeded for one in answers)
    assert peer.most_under_way == 50


async def test_each_operation_is_asked_as_often_all_at_the_same_time() -> None:
    together = asyncio.Barrier(6)

    async def answer(_: Request) -> Reply:
        await together.wait()
        return OK

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        answers = await probe.each([READ, WRITE], 3)
    assert [one.operation for one in answers] == ["list", "place"] * 3


async def test_a_burst_of_none_and_each_of_none_ask_nothing() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        assert await probe.burst(READ, 0) == []
        assert await probe.each([]) == []
    assert peer.requests == []


# -- meet ----------------------------------------------------------------------------------------


class FeltAfter:
    """An injection that is felt once it was asked about so often."""

    def __init__(self, questions: int) -> None:
        self._left = questions

    @property
    def felt(self) -> int:
        self._left -= 1
        return int(self._left < 0)


@pytest.mark.parametrize(("questions", "rounds"), [(0, 1), (1, 2), (4, 5), (100, 10)])
async def test_a_fault_is_met_in_as_many_rounds_as_it_takes_and_no_more_than_ten(
    questions: int, rounds: int
) -> None:
    injection = cast("Injection", FeltAfter(questions))
    async with serving() as peer, Probe(service(), peer.url) as probe:
        answers = await probe.meet(injection, iter([READ, WRITE]), 2)
    assert [one.operation for one in answers] == ["list", "place"] * 2 * rounds
    assert len(peer.requests) == 4 * rounds


# -- until ---------------------------------------------------------------------------------------


async def test_until_asks_again_until_an_answer_is_accepted() -> None:
    statuses = iter([503, 503, 200, 200])

    async def answer(_: Request) -> Reply:
        return whole(next(statuses))

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        history = await probe.until(
            lambda: probe.get("/ready"), lambda one: one.succeeded, within=seconds(PATIENCE)
        )
    assert [one.status for one in history.answers] == [503, 503, 200]
    assert history.accepted
    assert history.last.status == 200
    first, _, third = (request.at for request in peer.requests)
    assert third - first >= 0.04, "two pauses of 20 ms"
    assert history.elapsed >= ms(40)


async def test_until_gives_up_when_the_time_is_over_and_keeps_what_it_saw() -> None:
    async with serving(whole(503)) as peer, Probe(service(), peer.url) as probe:
        history = await probe.until(
            lambda: probe.get("/ready"),
            lambda one: one.succeeded,
            within=ms(100),
            every=ms(10),
        )
    assert not history.accepted
    assert ms(100) <= history.elapsed
    assert 1 <= len(history.answers) == len(peer.requests) <= 11


async def test_until_the_answer_under_way_at_the_end_still_counts() -> None:
    async def answer(_: Request) -> Reply:
        await asyncio.sleep(0.05)
        return OK

    async with serving(answer) as peer, Probe(service(), peer.url) as probe:
        history = await probe.until(
            lambda: probe.get("/ready"), lambda one: one.succeeded, within=ms(1)
        )
    assert history.accepted
    assert history.elapsed > ms(1)


# -- the caller's trace --------------------------------------------------------------------------


async def test_every_second_request_belongs_to_a_trace_that_its_answer_names() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        answers = [await probe.ask(READ, token=f"{0xABC0 + one:016x}") for one in range(4)]
    sent = [request.headers.get("traceparent") for request in peer.requests]
    assert sent[0] == "00-000000000000abc0000000000000abc0-000000000000abc0-00"
    assert [one is None for one in sent] == [False, True, False, True]
    assert [one.trace_id for one in answers] == [one and one.split("-")[1] for one in sent]


async def test_a_declared_traceparent_is_kept() -> None:
    own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    operation = Operation.read("list", "GET", "/things", headers={"traceparent": own})
    async with serving() as peer, Probe(service([operation]), peer.url) as probe:
        answer = await probe.ask(operation)
    assert peer.requests[0].headers["traceparent"] == own
    assert answer.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"

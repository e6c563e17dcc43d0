"""A declaration is refused where it could only fail obscurely later, and says what it lacks."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import (
    RFC9457_SCHEMA,
    Breaker,
    Budget,
    Degraded,
    Errors,
    Feed,
    Health,
    Kind,
    NotAssessable,
    Operation,
    Outcome,
    Service,
    SettingsError,
    Streaming,
    ms,
    seconds,
)
from tests.core.made import READ, WRITE, service

BUDGET = {"request": seconds(1), "recovery": seconds(5), "pool": 2}
HEALTH = {"live": "/live", "ready": "/ready"}


def budget(**changed: Any) -> Budget:
    return Budget(**{**BUDGET, **changed})


def health(**changed: Any) -> Health:
    return Health(**{**HEALTH, **changed})


def write(**changed: Any) -> Operation:
    return Operation.write("place", "POST", "/things", **changed)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "invariant with a parameter": (lambda: write(invariant="select $1"), "has a parameter"),
    "deadline without a name": (lambda: write(deadline_header=": {ms}"), "deadline_header is"),
    "deadline without a time": (lambda: write(deadline_header="A: 9 {s}"), "deadline_header is"),
    "path without slash": (lambda: Operation.read("a", "GET", "things"), "begins with '/'"),
    "path that is an address": (lambda: Operation.read("a", "GET", "http://a/b"), "only the path"),
    "path that is no text": (lambda: Operation.read("a", "GET", 3), "begins with '/'"),  # type: ignore[arg-type]
    "empty name": (lambda: Operation.read("", "GET", "/"), "its name or its method"),
    "empty method": (lambda: Operation.read("a", "", "/"), "its name or its method"),
    "token misspelt in the path": (lambda: Operation.read("a", "GET", "/{tokn}"), "{token}"),
    "token misspelt in the body": (lambda: write(json={"a": [{"b": "{tokn}"}]}), "{token}"),
    "token misspelt in a body's name": (lambda: write(json={"{Token}": 1}), "{token}"),
    "token misspelt in a header": (lambda: write(headers={"X-Id": "{tocken}"}), "{token}"),
    "a body that is no JSON": (lambda: write(json={"at": timedelta(1)}), "JSON cannot express"),
    "a body with NaN": (lambda: write(json={"at": float("nan")}), "JSON cannot express"),
    "a header that is a number": (lambda: write(headers={"X-Version": 2}), "'X-Version': '2'"),
    "a header's value that is not ASCII": (lambda: write(headers={"X": "Müller"}), "not ASCII"),
    "a header's value with a line break": (lambda: write(headers={"X": "a\nb"}), "a control"),
    "a header's name with a space": (
        lambda: write(headers={"X Tenant": "a"}),
        "no name of a header",
    ),
    "a method with a path": (lambda: Operation.read("a", "GET /x", "/x"), "method is 'GET /X'"),
    "a path with a line break": (lambda: Operation.read("a", "GET", "/x\n"), "a control character"),
    "a NUL in the command": (lambda: service(command=["serve", "a\0"]), "a list of words"),
    "a NUL in the environment": (lambda: service(env={"A": "a\0"}), "has a NUL"),
    "a variable with an equals sign": (lambda: service(env={"A=b": "c"}), "no name of a variable"),
    "no success": (lambda: write(success=[]), "no answer could be a success"),
    "success that is a number": (lambda: write(success=201), "success=[201]"),
    "success that is no status": (lambda: write(success=[2000]), "from 100 to 599"),
    "success that is text": (lambda: write(success=["201"]), "from 100 to 599"),
    "refused that is one string": (lambda: write(refused="/problems/full"), "a list is needed"),
    "refused that is no status": (lambda: write(refused=[42]), "from 100 to 599"),
    "undetermined that is one string": (lambda: write(undetermined="/x"), "a list is needed"),
    "refused and undetermined": (lambda: write(refused=[500], undetermined=[500, 502]), "'500'"),
    "applied without the token": (lambda: write(applied="select count(*) from a"), "$1"),
    "applied with another paramstyle": (lambda: write(applied="select 1 where a = %s"), "$1"),
    "a breaker without a trial": (
        lambda: Breaker(failures=1, rest=seconds(1), trials=0),
        "trials",
    ),
    "degraded without a mark": (lambda: Degraded(marker="", max_age=seconds(1)), "marker"),
    "degraded without an age": (lambda: Degraded(marker="Age", max_age=seconds(0)), "max_age"),
    "a feed whose change has no token": (
        lambda: Feed(change="insert into notes values (1)", path="/notes"),
        "$1",
    ),
    "a feed without a path": (lambda: Feed(change="select $1", path="notes"), "path is 'notes'"),
    "a feed's misspelt token": (lambda: Feed(change="select $1", path="/{tokn}"), "{token}"),
    "a feed within no time": (
        lambda: Feed(change="select $1", path="/notes", within=seconds(0)),
        "within is",
    ),
    "a feed with negative connections": (
        lambda: Feed(change="select $1", path="/notes", connections=-1),
        "connections is -1",
    ),
    "a long answer without a path": (lambda: Streaming(path="events"), "path is 'events'"),
    "a long answer's header that is a number": (
        lambda: Streaming(path="/events", headers={"X-Version": 2}),  # type: ignore[dict-item]
        "'X-Version': '2'",
    ),
    "zero deadline": (lambda: budget(request=seconds(0)), "request is"),
    "negative deadline": (lambda: budget(request=ms(-1)), "request is"),
    "deadline without a unit": (lambda: budget(request=1), "brownout.seconds(1)"),
    "zero recovery": (lambda: budget(recovery=seconds(0)), "recovery is"),
    "zero grace": (lambda: budget(grace=seconds(0)), "grace is"),
    "no pool": (lambda: budget(pool=0), "pool"),
    "no concurrency": (lambda: budget(concurrency=0), "concurrency"),
    "liveness without slash": (lambda: health(live="live"), "live is 'live'"),
    "readiness without slash": (lambda: health(ready="ready"), "ready is 'ready'"),
    "start-up without slash": (lambda: health(startup="up"), "startup is 'up'"),
    "zero period": (lambda: health(period=seconds(0)), "period is"),
    "no threshold": (lambda: health(threshold=0), "threshold"),
    "zero time-out": (lambda: health(timeout=seconds(0)), "timeout is"),
    "a time-out longer than readiness has to fail": (
        lambda: health(timeout=seconds(7), period=seconds(2), threshold=3),
        "timeout is 7 s, but at most 6 s",
    ),
    "a time-out of more than a second, and short periods": (
        lambda: health(timeout=ms(1100), period=ms(100)),
        "timeout is 1.1 s, but at most 1 s",
    ),
    "negative probe connections": (lambda: health(connections=-1), "connections"),
    "a check that cannot be called": (
        lambda: Errors(check="coded"),  # type: ignore[arg-type]
        "check",
    ),
    "media type without a subtype": (lambda: Errors(media_type="json"), "subtype"),
    "media type with a charset": (
        lambda: Errors(media_type="application/problem+json; charset=utf-8"),
        "without parameters",
    ),
    "a schema that is none": (
        lambda: Errors(schema={"properties": {"title": {"type": "text"}}}),
        "/properties/title/type",
    ),
    "command as one string": (lambda: service(command="uvicorn app"), "list of words"),
    "a number in the command": (lambda: service(command=["serve", 8000]), "list of words"),  # type: ignore[list-item]
    "a path in the command": (lambda: service(command=[Path("serve")]), "list of words"),  # type: ignore[list-item]
    "prepare as one string": (lambda: service(prepare="alembic upgrade"), "list of commands"),
    "prepare as one command": (lambda: service(prepare=["alembic", "head"]), "list of words"),
    "an empty preparation": (lambda: service(prepare=[[]]), "list of words"),
    "port misspelt in the command": (lambda: service(command=["serve", "{prot}"]), "{port}"),
    "dsn misspelt in the environment": (lambda: service(env={"URL": "{DSN}"}), "{dsn}"),
    "name misspelt in a preparation": (
        lambda: service(prepare=[["psql", "{databse_name}"]]),
        "{database_name}",
    ),
    "a number in the environment": (lambda: service(env={"POOL": 5}), "'POOL': '5'"),
    "dsn misspelt with the same letters": (lambda: service(env={"URL": "{dns}"}), "{dsn}"),
    "a command after the start as text": (lambda: service(after_start="x"), "list of commands"),
    "a folder that is a number": (lambda: service(cwd=3), "cwd is 3"),
    "an authority that is yes": (lambda: service(tls_ca=True), "tls_ca is True"),
    "a stop signal that is misspelt": (lambda: service(stop_signal="SIGQIUT"), '"SIGQUIT"'),
    "a stop signal without its beginning": (lambda: service(stop_signal="WINCH"), '"SIGWINCH"'),
    "a stop signal that is a number": (lambda: service(stop_signal=3), "stop_signal is 3"),
    "a stop signal that ends at once": (lambda: service(stop_signal="SIGKILL"), "can handle"),
    "no time to start": (lambda: service(start_timeout=seconds(0)), "start_timeout is"),
    "a port that is none": (lambda: service(port=70000), "port is 70000"),
    "a base path without slash": (lambda: service(base_path="shop"), "base_path is 'shop'"),
    "a base path that ends in a slash": (lambda: service(base_path="/shop/"), "do not end it"),
    "secrets as text": (lambda: service(secrets="API_KEY"), 'secrets=["API_KEY"]'),
    "a seed as text": (lambda: service(seed="insert into a"), "a list of texts is needed"),
    "a waiver without a reason": (lambda: service(waivers={"H0": ""}), "a reason is needed"),
    "an image that is none": (lambda: service(image="shop latest"), "image is 'shop latest'"),
    "an image that is an option": (lambda: service(image="--privileged"), "image is"),
    "a log file in a container": (
        lambda: service(image="shop", log=Path("a.log")),
        "log is a file",
    ),
    "a health that is a table": (lambda: service(health={"live": "/live"}), "Health(…) is needed"),
    "no budget": (lambda: service(budget=None), "Budget(…) is needed"),
    "errors as text": (lambda: service(errors="application/json"), "errors=Errors(…)"),
    "a login as text": (lambda: service(login="hidden"), "login is of the type str"),
    "a log that is yes": (lambda: service(log=True), "log is True"),
    "words for an image as text": (lambda: service(image="shop", command="serve"), "list of words"),
    "no workers": (lambda: service(workers=0), "workers is 0"),
    "no replicas": (lambda: service(replicas=0), "replicas is 0"),
    "two operations of one name": (lambda: service([READ, READ, WRITE]), "list"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_in_a_declaration_is_refused_with_the_place_and_what_is_wrong(
    mistake: str,
) -> None:
    declare, said = REFUSED[mistake]
    with pytest.raises(SettingsError) as refusal:
        declare()
    assert said in str(refusal.value)


def test_an_image_needs_no_command_and_is_named_before_it() -> None:
    assert service(image="shop:1", command=[]).launched == ("shop:1",)
    assert service(image="shop:1", command=["serve"]).launched == ("shop:1", "serve")
    assert service(command=["serve"]).launched == ("serve",)


def test_a_log_file_may_be_named_by_a_text() -> None:
    assert service(log="app.log").log == Path("app.log")
    assert service(log="output").log == "output"


def test_what_can_be_read_once_is_kept() -> None:
    declared = service(iter([READ, WRITE]), command=iter(["serve"]), prepare=iter([["migrate"]]))  # type: ignore[arg-type]
    assert declared.operations == (READ, WRITE)
    assert (declared.command, declared.prepare) == (("serve",), (["migrate"],))


def test_a_declaration_has_defaults_for_all_that_it_may_leave_out() -> None:
    declared = Service(command=["serve"], health=health(), budget=budget())
    assert declared.operations == ()
    assert dict(declared.env) == {}
    assert declared.prepare == ()
    assert declared.workers == 1
    assert declared.most_replicas is None
    assert declared.log == "output"
    assert declared.errors == Errors()
    assert declared.errors.media_type == "application/problem+json"
    assert declared.errors.schema is RFC9457_SCHEMA
    assert (declared.errors.trace, declared.errors.origin) == ("trace_id", None)
    assert declared.health.startup is None
    assert (declared.health.period, declared.health.threshold) == (seconds(1), 3)
    assert declared.health.timeout == seconds(1)
    assert declared.health.connections == 1
    assert declared.budget.concurrency is None
    assert declared.budget.grace is None


def test_each_kind_of_operation_has_its_own_defaults() -> None:
    read = Operation.read("a", "get", "/")
    written = Operation.write("b", "post", "/")
    computed = Operation.compute("c", "post", "/")
    assert [one.kind for one in (read, written, computed)] == [Kind.READ, Kind.WRITE, Kind.COMPUTE]
    assert [one.method for one in (read, written, computed)] == ["GET", "POST", "POST"]
    assert [one.needs_database for one in (read, written, computed)] == [True, True, False]
    assert read.success == computed.success == {200}
    assert written.success == {200, 201, 202, 204}


def test_braces_that_are_nobody_s_name_are_let_through() -> None:
    declared = service(
        [Operation.read("a", "GET", "/{tenant}/things/{token}")],
        command=["serve", "--format", "{message}", "--port", "{port}"],
        env={"PATTERN": "{}", "JSON": '{"a": {"b": 1}}', "ROUTE": "{id}"},
    )
    assert declared.command[2] == "{message}"


def test_an_answer_is_late_a_tenth_after_the_deadline_and_at_least_50_ms() -> None:
    assert budget(request=seconds(1)).latest == ms(1100)
    assert budget(request=ms(100)).latest == ms(150)


def test_what_is_known_at_once_is_due_by_half_of_the_deadline_but_for_measuring() -> None:
    assert budget(request=seconds(1)).soon == ms(600)
    assert budget(request=ms(200)).soon == ms(150)
    assert budget(request=ms(50)).soon == ms(50), "never later than D"


def test_connections_and_sessions_are_counted_over_all_workers() -> None:
    declared = service(workers=2, health=health(connections=2))
    assert declared.connections == 2 * 3
    assert declared.sessions == 2 * (3 + 2)
    feed = Feed(change="select $1", path="/notes", connections=4)
    assert service(workers=2, feed=feed).sessions == 2 * (3 + 1 + 4)


# -- which operations a promise is asked of ------------------------------------------------------

FREE = Operation.read("free", "GET", "/free", needs_database=False)
CACHED = Operation.read(
    "cached", "GET", "/cached", degraded=Degraded(marker="Age", max_age=seconds(60))
)
SILENT = Operation.write("silent", "POST", "/silent")
COMPUTED = Operation.compute("sum", "POST", "/sum")


def names(operations: tuple[Operation, ...]) -> list[str]:
    return [operation.name for operation in operations]


def test_operations_are_chosen_by_kind_and_by_their_need_of_the_database() -> None:
    declared = service([FREE, READ, CACHED, WRITE, SILENT, COMPUTED])
    assert names(declared.reads()) == ["list"]
    assert names(declared.writes()) == ["place", "silent"]
    assert names(declared.recorded_writes()) == ["place"]
    assert names(declared.needing_database()) == ["list", "place", "silent"]
    assert names(declared.without_database()) == ["free"]


@pytest.mark.parametrize(
    ("choose", "there", "reason"),
    [
        (Service.reads, [FREE, CACHED, WRITE], "No read that needs the database"),
        (Service.writes, [READ], "No write"),
        (Service.recorded_writes, [READ], "No write is declared"),
        (Service.recorded_writes, [SILENT], "declares `applied`"),
        (Service.needing_database, [FREE, CACHED, COMPUTED], "No operation that needs"),
        (Service.without_database, [READ, WRITE, COMPUTED], "needs_database=False"),
        (Service.required_feed, [READ], "a background consumer feeds"),
        (Service.required_streaming, [READ], "No long answer"),
    ],
)
def test_a_promise_that_no_declared_operation_can_show_is_not_assessable(
    choose: Callable[[Service], object], there: list[Operation], reason: str
) -> None:
    with pytest.raises(NotAssessable, match=reason):
        choose(service(there))


def test_a_missing_health_route_is_not_assessable_where_it_is_needed() -> None:
    none = Health(live=None, ready=None)
    with pytest.raises(NotAssessable, match="liveness"):
        none.required_live()
    with pytest.raises(NotAssessable, match="readiness"):
        none.required_ready()
    assert (health().required_live(), health().required_ready()) == ("/live", "/ready")


# -- what a caller may conclude from an answer ---------------------------------------------------

ACKNOWLEDGED, REFUSED_, UNDETERMINED = Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, ACKNOWLEDGED),
        (201, ACKNOWLEDGED),
        (202, ACKNOWLEDGED),
        (204, ACKNOWLEDGED),
        (206, UNDETERMINED),
        (302, UNDETERMINED),
        (400, REFUSED_),
        (404, REFUSED_),
        (408, UNDETERMINED),
        (409, REFUSED_),
        (422, REFUSED_),
        (429, REFUSED_),
        (499, REFUSED_),
        (500, UNDETERMINED),
        (501, UNDETERMINED),
        (502, UNDETERMINED),
        (503, REFUSED_),
        (504, UNDETERMINED),
        (None, UNDETERMINED),
    ],
)
def test_a_write_has_three_outcomes(status: int | None, outcome: Outcome) -> None:
    assert write().outcome(status) is outcome


def test_declared_statuses_override_how_an_answer_is_read() -> None:
    careful = write(refused=[500], undetermined=[503, 409])
    assert careful.outcome(500) is REFUSED_
    assert careful.outcome(503) is UNDETERMINED
    assert careful.outcome(409) is UNDETERMINED
    assert careful.outcome(404) is REFUSED_


def test_a_problem_s_type_comes_before_its_status() -> None:
    careful = write(refused=["/problems/full"], undetermined=["/problems/perhaps", 503])
    assert careful.outcome(500, "/problems/full") is REFUSED_
    assert careful.outcome(503, "/problems/full") is REFUSED_
    assert careful.outcome(400, "/problems/perhaps") is UNDETERMINED
    assert careful.outcome(503, "about:blank") is UNDETERMINED


MARKS = st.sets(st.integers(100, 599) | st.sampled_from(["/a", "/b", "about:blank"]), max_size=5)


@given(
    status=st.none() | st.integers(100, 599),
    kind=st.none() | st.sampled_from(["/a", "/b", "about:blank", ""]),
    refused=MARKS,
    undetermined=MARKS,
)
def test_an_outcome_follows_the_declaration_whatever_it_is(
    status: int | None,
    kind: str | None,
    refused: set[int | str],
    undetermined: set[int | str],
) -> None:
    undetermined -= refused
    outcome = write(refused=refused, undetermined=undetermined, success=[201]).outcome(status, kind)
    if kind in undetermined:
        assert outcome is UNDETERMINED
    elif kind in refused:
        assert outcome is REFUSED_
    elif status is None:
        assert outcome is UNDETERMINED
    elif status == 201:
        assert outcome is ACKNOWLEDGED
    elif status in undetermined or status in refused:
        assert outcome is (UNDETERMINED if status in undetermined else REFUSED_)
    else:
        said_no = status == 503 or (400 <= status < 500 and status != 408)
        assert outcome is (REFUSED_ if said_no else UNDETERMINED)


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        (None, {}),
        ("X-Request-Timeout-Ms", {"X-Request-Timeout-Ms": "1500"}),
        ("grpc-timeout: {ms}m", {"grpc-timeout": "1500m"}),
        ("Timeout: {seconds}", {"Timeout": "1.5"}),
    ],
)
def test_a_deadline_is_sent_as_it_is_declared(declared: str | None, sent: dict[str, str]) -> None:
    assert write(deadline_header=declared).deadline_headers(ms(1500)) == sent


def test_a_stop_may_take_the_grace_or_what_follows_from_the_deadline() -> None:
    assert budget(grace=seconds(30)).stop == seconds(30)
    assert budget(request=seconds(1)).stop == seconds(5)
    assert budget(request=seconds(4)).stop == seconds(12)

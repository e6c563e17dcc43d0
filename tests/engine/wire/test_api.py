"""Rules and records in the engine's API: what cannot match is refused, with what is closest."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from brownout import ProxyError
from brownout.control import EngineClient, EngineProcess, ProxyRecord
from brownout.engine.wire.actions import Cut, Error, Severity
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import Status, When
from tests.engine.peers import Upstream, connect, ending, read
from tests.engine.wire.messages import query, startup

CUT = {"action": "cut"}
CUT_A = Rule(When(sql="a"), Cut())
ERROR = {"action": "error", "sqlstate": "40001"}


@pytest.fixture
def framed(make_proxy: Callable[..., ProxyRecord], upstream: Upstream) -> ProxyRecord:
    return make_proxy(upstream.address, protocol="postgresql")


@pytest.mark.parametrize(
    ("when", "do", "said"),
    [
        ({"mesage": "Query"}, CUT, "'mesage'. Did you mean 'message'?"),
        ({"message": "Quary"}, CUT, "no message 'Quary'. Did you mean 'Query'?"),
        ({"message": "query"}, CUT, "Did you mean 'Query'?"),
        ({"message": ["Query", "DataRow"]}, CUT, "do not go the same way"),
        ({"message": "CopyData"}, CUT, "go both ways"),
        ({"message": "Query", "direction": "downstream"}, CUT, "do not all go downstream"),
        ({"message": "Query", "direction": "upstrem"}, CUT, "Did you mean 'upstream'?"),
        ({"message": []}, CUT, "when.message must be"),
        ({"message": 5}, CUT, "when.message must be"),
        ({}, CUT, "when.message must be"),
        ({"sql": "("}, CUT, "not a regular expression"),
        ({"sql": "a", "nth": 0}, CUT, "nth must be 1 or more"),
        ({"sql": "a", "times": -1}, CUT, "times must be 1 or more"),
        ({"sql": "a", "times": True}, CUT, "times must be a whole number"),
        ({"sql": "a", "status": "idel"}, CUT, "Did you mean 'idle'?"),
        ({"sql": "a", "commits": "yes"}, CUT, "commits must be true or false"),
        ({"committed": "yes"}, CUT, "committed must be true or false"),
        ({"committed": True, "message": "Query"}, CUT, "CommandComplete and DataRow only"),
        ({"sql": "a", "scope": "some"}, CUT, "scope must be one of"),
        ({"message": "Query", "tag": "COMMIT"}, CUT, "tag belongs to CommandComplete"),
        ({"message": "StartupMessage", "sql": "a"}, CUT, "has no sql"),
        ({"sql": "a"}, {}, "no action null"),
        ({"sql": "a"}, {"action": "eror"}, "Did you mean 'error'?"),
        ({"sql": "a"}, {"action": "cut", "sied": "after"}, "Did you mean 'side'?"),
        ({"sql": "a"}, {"action": "cut", "side": "afer"}, "Did you mean 'after'?"),
        ({"sql": "a"}, {"action": "error"}, "missing required field: do.sqlstate"),
        ({"sql": "a"}, {"action": "error", "sqlstate": "4000"}, "not the SQLSTATE of an error"),
        ({"sql": "a"}, {"action": "error", "sqlstate": "00000"}, "not the SQLSTATE of an error"),
        ({"sql": "a"}, {**ERROR, "severity": "ERORR"}, "Did you mean 'ERROR'?"),
        ({"sql": "a"}, {**ERROR, "message": "a\0b"}, "zero byte"),
        ({"message": "DataRow"}, ERROR, "an ERROR replaces a request, never a reply"),
        ({"message": "Flush"}, ERROR, "an ERROR can only answer one of"),
        ({"sql": "a"}, {"action": "delay"}, "missing required field: do.milliseconds"),
        ({"sql": "a"}, {"action": "delay", "milliseconds": -1}, "0 or more"),
        ({"sql": "a"}, {"action": "delay", "milliseconds": 2**62}, "at most"),
        ({"sql": "a"}, {"action": "truncate"}, "missing required field: do.bytes"),
    ],
)
def test_a_rule_that_cannot_match_is_refused(
    when: dict[str, Any], do: dict[str, Any], said: str, framed: ProxyRecord,
    engine: EngineProcess, client: EngineClient,
) -> None:  # fmt: skip
    url = f"http://{engine.address}/proxies/{framed.name}/rules"
    answer = requests.post(url, json={"when": when, "do": do}, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["status"] == 400
    assert said in answer.json()["error"]
    assert client.wire.rules(framed.name) == ()


@pytest.mark.parametrize("body", [[], {}, {"when": {}}, {"when": 1, "do": 2}, {"wen": {}}, "x"])
def test_what_is_no_rule_gets_400(body: object, framed: ProxyRecord, engine: EngineProcess) -> None:
    url = f"http://{engine.address}/proxies/{framed.name}/rules"
    assert requests.post(url, json=body, timeout=5).status_code == 400


def test_a_rule_is_shown_as_it_could_be_sent(
    framed: ProxyRecord, engine: EngineProcess, client: EngineClient
) -> None:
    when = {
        "message": ["Execute", "Query"], "direction": "upstream", "sql": "a b", "commits": True,
        "status": "idle", "application_name": "shop", "pid": 3, "nth": 2, "times": 4,
        "scope": {"nth": 2},
    }  # fmt: skip
    do = {"action": "error", "sqlstate": "40001", "severity": "FATAL", "message": "x"}
    url = f"http://{engine.address}/proxies/{framed.name}/rules"
    sent = {"name": "r", "when": when, "do": do}
    shown = requests.post(url, json=sent, timeout=5).json()
    assert shown == {**sent, "active": True, "matched": 0, "hits": 0}
    rule = client.wire.rule(framed.name, "r").rule
    assert rule.do == Error("40001", Severity.FATAL, "x")
    assert rule.when.status is Status.IDLE
    again = client.wire.add_rule(framed.name, dataclasses.replace(rule, name="again"))
    assert (again.rule.when, again.rule.do) == (rule.when, rule.do)
    with pytest.raises(ProxyError, match="already exists"):
        client.wire.add_rule(framed.name, rule)


def test_a_rule_without_a_name_is_given_one(framed: ProxyRecord, client: EngineClient) -> None:
    first, second = (client.wire.add_rule(framed.name, CUT_A).rule for _ in range(2))
    assert first.name != second.name
    assert [one.rule for one in client.wire.rules(framed.name)] == [first, second]


def test_a_plain_proxy_has_no_rules(proxy: ProxyRecord, client: EngineClient) -> None:
    with pytest.raises(ProxyError, match="postgresql"):
        client.wire.add_rule(proxy.name, CUT_A)


def test_the_counts_of_a_removed_rule_stay(
    framed: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    client.wire.add_rule(framed.name, Rule(When(("Query",), sql="drop"), Cut(), "r"))
    with connect(framed) as caller:
        server = upstream.accept()
        caller.sendall(startup(user="u"))
        assert read(server, len(startup(user="u"))) == startup(user="u")
        caller.sendall(query("drop table t"))
        assert ending(caller) == "fin"
        assert ending(server) == "fin"
    removed = client.wire.remove_rule(framed.name, "r")
    assert (removed.active, removed.matched, removed.hits) == (False, 1, 1)
    with pytest.raises(ProxyError, match="not found"):
        client.wire.remove_rule(framed.name, "r")


def test_a_lease_and_a_reset_end_rules(framed: ProxyRecord, client: EngineClient) -> None:
    lease = client.grant_lease(timedelta(seconds=30))
    client.wire.add_rule(framed.name, CUT_A, lease=lease)
    client.end_lease(lease)
    assert client.wire.rules(framed.name) == ()
    client.wire.add_rule(framed.name, CUT_A)
    client.reset()
    assert client.wire.rules(framed.name) == ()


def test_what_is_not_postgresql_passes_and_is_reported_as_opaque(
    framed: ProxyRecord, upstream: Upstream, engine: EngineProcess, client: EngineClient
) -> None:
    client.wire.add_rule(framed.name, Rule(When(("Query",)), Cut()))
    with connect(framed) as caller:
        server = upstream.accept()
        caller.sendall(b"hello")
        assert read(server, 5) == b"hello"
        server.sendall(b"Q\0\0")
        assert read(caller, 3) == b"Q\0\0"
        url = f"http://{engine.address}/proxies/{framed.name}/connections"
        (seen,) = requests.get(url, timeout=5).json()
        assert seen["wire"]["opaque"] == "no PostgreSQL start-up"


@pytest.mark.parametrize("query_string", ["after=-1", "after=x", "limit=1e3", "after=" + "9" * 30])
def test_a_window_that_cannot_be_is_refused(
    query_string: str, framed: ProxyRecord, engine: EngineProcess, client: EngineClient
) -> None:
    client.wire.start_record(framed.name)
    url = f"http://{engine.address}/proxies/{framed.name}/events?{query_string}"
    assert requests.get(url, timeout=5).status_code == 400


def test_without_a_record_there_is_none_to_read(framed: ProxyRecord, client: EngineClient) -> None:
    with pytest.raises(ProxyError, match="no record is kept"):
        client.wire.events(framed.name)
    with pytest.raises(ProxyError, match="keep must be"):
        client.wire.start_record(framed.name, keep=0)

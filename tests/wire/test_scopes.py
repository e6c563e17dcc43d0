"""On which connections a rule acts: by when they came, and by whose they are."""

import contextlib
from typing import Any

import psycopg
import pytest

from brownout.control import EngineProcess
from brownout.engine.wire.actions import Error
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.postgres import Postgres


def _refused(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("select 'refused here'")
    except psycopg.errors.SerializationFailure:
        return True
    return False


@pytest.mark.parametrize(
    ("conditions", "refused"),
    [
        ({}, "abcd"),
        ({"scope": "all"}, "abcd"),
        ({"scope": "established"}, "ab"),
        ({"scope": "new"}, "cd"),
        ({"scope": {"nth": 2}}, "d"),
        ({"scope": {"first": 1}}, "c"),
        ({"application_name": "b"}, "b"),
        ({"application_name": "renamed"}, "d"),
        ({"pid": "a"}, "a"),
        ({"scope": "new", "times": 1}, "c"),
    ],
    ids=str,
)
def test_a_rule_acts_on_the_connections_that_it_names(
    conditions: dict[str, Any],
    refused: str,
    postgres: Postgres,
    engine: EngineProcess,
    proxy: str,
) -> None:
    with contextlib.ExitStack() as stack:

        def enter(name: str) -> psycopg.Connection[Any]:
            session = psycopg.connect(postgres.dsn, application_name=name, autocommit=True)
            return stack.enter_context(session)

        connections = {name: enter(name) for name in "ab"}
        pids = {name: one.info.backend_pid for name, one in connections.items()}
        if "pid" in conditions:
            conditions = {"pid": pids[conditions["pid"]]}
        rule = Rule(When.from_json({"sql": "refused here", **conditions}), Error("40001"), "r")
        engine.client.wire.add_rule(proxy, rule)
        stack.callback(engine.client.wire.remove_rule, proxy, "r")
        connections |= {name: enter(name) for name in "cd"}
        connections["d"].execute("set application_name to 'renamed'")
        assert "".join(name for name, one in connections.items() if _refused(one)) == refused
        assert engine.client.wire.rule(proxy, "r").hits == len(refused)

"""What is left of a declaration for a service that already runs."""

from dataclasses import replace

import pytest

from brownout import Budget, Health, NotAssessable, Operation, Service, SettingsError, seconds
from brownout.cli.room import replicas
from brownout.declaration.elsewhere import as_judged
from tests.plugin.test_settings import layered
from tests.remote.test_settings import remote

DECLARED = Service(
    health=Health(live="/live", ready="/ready"),
    budget=Budget(request=seconds(1), recovery=seconds(2), pool=2),
    operations=[
        Operation.read("list", "GET", "/orders"),
        Operation.write(
            "place", "POST", "/orders", json={"for": "{token}"}, captures={"order": "$.id"},
            applied="select count(*) from orders where customer = $1", invariant="select 1",
        ),
        Operation.read("show", "GET", "/orders/{order}", captures={"item": "$.item"}),
        Operation.read("item", "GET", "/items/{item}"),
    ],
)  # fmt: skip


def test_writes_and_what_needs_them_are_left_out_unless_they_are_allowed() -> None:
    judged = as_judged(DECLARED, remote())
    assert [one.name for one in judged.operations] == ["list"]
    for need in (judged.writes, judged.recorded_writes):
        with pytest.raises(NotAssessable, match="were not allowed") as reason:
            need()
        assert "--brownout-allow-writes" in reason.value.remedy
    assert judged.budget == DECLARED.budget


def test_allowed_writes_stay_without_the_sql_for_which_there_is_no_login() -> None:
    judged = as_judged(DECLARED, remote(allow_writes="yes"))
    assert [one.name for one in judged.operations] == ["list", "place", "show", "item"]
    assert [one.name for one in judged.writes()] == ["place"]
    assert not any(one.applied or one.invariant for one in judged.operations)


def test_a_read_of_what_a_write_has_written_is_a_read_like_any_other_without_it() -> None:
    read = Operation.read("of", "GET", "/orders?customer={token}", reads_back="place")
    declared = replace(DECLARED, operations=[*DECLARED.operations, read])
    (_, judged) = as_judged(declared, remote()).operations
    assert judged == replace(read, reads_back=None)
    allowed = as_judged(declared, remote(allow_writes="yes"))
    assert allowed.operations[-1].reads_back == "place"


def test_it_may_be_asked_for_twice() -> None:
    once = as_judged(DECLARED, remote())
    assert as_judged(once, remote()) == once


def test_another_backend_needs_a_command_or_an_image() -> None:
    with pytest.raises(SettingsError, match="declares no command"):
        as_judged(DECLARED, layered())


def test_there_is_one_service_that_runs_however_many_replicas_are_asked_for() -> None:
    assert replicas(3, remote(), DECLARED) == 1
    assert replicas(3, layered(), DECLARED) == 3

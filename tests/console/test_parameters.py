"""Each fault is a switch, and what is entered becomes the fault."""

from collections.abc import Mapping

import pytest

from brownout import faults, ms
from brownout.console.parameters import Form, fault_of, parameters_of
from brownout.console.switches import SWITCHES, Group
from brownout.errors import SettingsError
from brownout.faults import (
    ESTABLISHED,
    Bandwidth,
    BlackHole,
    Commit,
    CutAt,
    Direction,
    Fault,
    Latency,
    LockedTables,
    Loss,
    LostCommitReply,
    ServerError,
    Side,
    Statement,
)
from brownout.faults.written import written

EVERY = {
    name
    for name, one in vars(faults).items()
    if isinstance(one, type) and issubclass(one, Fault) and one is not Fault
}
SQL = r"\b(select|insert|update|delete)\b"


def test_every_fault_is_a_switch_and_says_what_happens() -> None:
    assert set(SWITCHES) == EVERY
    assert len(EVERY) >= 25
    for switch in SWITCHES.values():
        assert switch.summary.endswith(".")
        assert 20 < len(switch.summary) < 300, switch.summary
        assert switch.summary.count("`") % 2 == 0, "each name has both its marks"
    assert SWITCHES["BlackHole"].title == "Black hole"
    assert {one.group for one in SWITCHES.values()} == set(Group)
    momentary = {name for name, one in SWITCHES.items() if one.momentary}
    assert momentary == {"Crash", "Restart", "TerminatedBackends"}


@pytest.mark.parametrize("name", sorted(EVERY))
def test_what_a_fault_begins_with_makes_it_and_pastes_back(name: str) -> None:
    fault = fault_of(SWITCHES[name].kind, {})
    assert type(fault).__name__ == name
    values = {one.name: one.value for one in SWITCHES[name].parameters}
    assert fault_of(SWITCHES[name].kind, values) == fault
    names = {**vars(faults), "ms": ms}
    assert eval(written(fault), names) == fault  # noqa: S307 - our own text


@pytest.mark.parametrize(
    ("kind", "values", "fault", "code"),
    [
        (
            Latency,
            {"delay": "20", "jitter": "5", "direction": "both", "scope": "established"},
            Latency(ms(20), jitter=ms(5), direction=Direction.BOTH, scope=ESTABLISHED),
            "Latency(ms(20), ms(5), Direction.BOTH, scope=ESTABLISHED)",
        ),
        (BlackHole, {"share": "0.5"}, BlackHole(share=0.5), "BlackHole(share=0.5)"),
        (
            ServerError,
            {"sqlstate": "53100", "on": "commit", "fatal": "yes", "times": "2"},
            ServerError("53100", Commit(), fatal=True, times=2),
            'ServerError("53100", Commit(), fatal=True, times=2)',
        ),
        (
            LostCommitReply,
            {"of": " insert  ", "loss": "silence"},
            LostCommitReply(Statement("insert"), Loss.SILENCE),
            'LostCommitReply(Statement("insert"), Loss.SILENCE)',
        ),
        (
            CutAt,
            {"side": "after"},
            CutAt(Statement(SQL), Side.AFTER),
            f'CutAt(Statement(r"{SQL}"), Side.AFTER)',
        ),
        (
            LockedTables,
            {"tables": "public.orders, public.products,"},
            LockedTables(("public.orders", "public.products")),
            'LockedTables(("public.orders", "public.products"))',
        ),
    ],
)
def test_what_is_entered_becomes_the_fault(
    kind: type[Fault], values: Mapping[str, object], fault: Fault, code: str
) -> None:
    made = fault_of(kind, values)
    assert made == fault
    assert written(made) == code


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        (Latency, {"delay": "soon"}, "delay (ms) is 'soon': it is not a number"),
        (Latency, {"delay": "-1"}, "delay is"),
        (Latency, {"delay": "nan"}, "it must be a number up to 3,600,000"),
        (Latency, {"delay": "1e999"}, "it must be a number up to 3,600,000"),
        (Latency, {"delay": "0.5"}, "it must be a whole number"),
        (Latency, {"delay": 300}, "a text of up to 500 characters is needed"),
        (Latency, {"share": "2"}, "share is 2.0"),
        (Latency, {"scope": "some"}, "it must be one of all, established, new"),
        (Latency, {"speed": "1"}, "Latency has no field 'speed'"),
        (Bandwidth, {"rate": "10"}, "1000 is the least"),
        (ServerError, {"sqlstate": "4000"}, "is not the SQLSTATE of an error"),
        (ServerError, {"on": "("}, "is not a regular expression"),
        (ServerError, {"on": ""}, "a regular expression is needed"),
        (ServerError, {"on": "x" * 501}, "a text of up to 500 characters is needed"),
        (ServerError, {"fatal": "maybe"}, 'it must be "yes" or empty'),
        (ServerError, {"times": "0"}, "both count from 1"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    kind: type[Fault], values: Mapping[str, object], says: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        fault_of(kind, values)
    assert says in refused.value.cause


def test_what_a_fault_needs_is_shown_at_once() -> None:
    needed = {one.name: one for one in parameters_of(ServerError) if one.needed}
    assert set(needed) == {"sqlstate", "on"}
    assert needed["sqlstate"].form is Form.TEXT
    assert not any(one.needed for one in parameters_of(BlackHole))

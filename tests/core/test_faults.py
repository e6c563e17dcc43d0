"""Faults are data: what cannot be is refused, and equal faults are one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import brownout.faults
from brownout import SettingsError, ms
from brownout.faults import (
    ESTABLISHED,
    NEW,
    Bandwidth,
    BlackHole,
    ChangedSchema,
    Commit,
    CommitNeverArrives,
    Crash,
    CutAfter,
    CutAt,
    DelayedAt,
    Direction,
    Fault,
    Freeze,
    Latency,
    LockedTables,
    Loss,
    LostCommitReply,
    LostReply,
    NoFreeSlots,
    Outage,
    RefusedAuthentication,
    Reset,
    Restart,
    RevokedPermission,
    Scope,
    ScopeKind,
    ServerError,
    Side,
    SlowAuthentication,
    StalledAt,
    Statement,
    Step,
    SwallowedCancels,
    TerminatedBackends,
    TruncatedReply,
)

wrong: Any = lambda value: value  # noqa: E731 - hides from the type checker what it would refuse
EACH: list[Fault] = [
    Latency(ms(300), jitter=ms(50), direction=Direction.BOTH, share=0.5),
    Bandwidth(1000),
    BlackHole(Direction.TO_SERVICE),
    BlackHole(scope=ESTABLISHED),
    Latency(ms(300), scope=Scope(ScopeKind.NTH, 2)),
    Outage(),
    Reset(after=ms(5)),
    Reset(scope=NEW),
    ServerError("25006", on=Statement("insert"), scope=ESTABLISHED),
    CutAfter(0),
    TerminatedBackends(),
    Restart(),
    Crash(),
    Freeze(),
    NoFreeSlots(),
    LockedTables(("public.orders",)),
    RevokedPermission(),
    ChangedSchema(),
    ServerError("40001", on=Statement("insert into orders", at=Step.BIND), times=2),
    ServerError("57P01", on=Commit(), fatal=True, message="bye"),
    LostCommitReply(Statement("insert"), loss=Loss.RST, nth=2),
    LostReply(Commit(), loss=Loss.SILENCE),
    TruncatedReply(Statement("select"), 9, in_row=True),
    CommitNeverArrives(),
    RefusedAuthentication("53300"),
    SlowAuthentication(ms(5), times=2),
    StalledAt(Statement("select")),
    DelayedAt(Commit(), ms(5)),
    CutAt(Statement("select"), side=Side.AFTER, reset=True),
    SwallowedCancels(),
]


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: Latency(ms(-1)), "Latency: delay"),
        (lambda: Latency(wrong(300)), "brownout.ms(300)"),
        (lambda: Latency(ms(1), jitter=ms(-1)), "Latency: jitter"),
        (lambda: Latency(ms(1), jitter=wrong(0.5)), "Latency: jitter"),
        (lambda: Latency(ms(1), share=0), "share is 0"),
        (lambda: Latency(ms(1), share=1.01), "share is 1.01"),
        (lambda: Latency(ms(1), share=float("nan")), "share is nan"),
        (lambda: Bandwidth(999), "rate is 999"),
        (lambda: Bandwidth(2000, share=-1), "share is -1"),
        (lambda: BlackHole(share=2), "share is 2"),
        (lambda: Reset(after=ms(-1)), "Reset: after"),
        (lambda: CutAfter(-1), "size is -1"),
        (lambda: CutAfter(1, share=0), "share is 0"),
        (lambda: LockedTables(wrong("public.orders")), "a tuple is needed"),
        (lambda: LockedTables(wrong(["public.orders"])), "a tuple is needed"),
        (lambda: RevokedPermission(wrong("public.orders")), "a tuple is needed"),
        (lambda: Statement("("), "not a regular expression"),
        (lambda: Statement("insert *into"), "a blank already means"),
        (lambda: Statement("(?!x)insert"), "no look-ahead"),
        (lambda: ServerError("4000", on=Commit()), "'4000' is not the SQLSTATE of an error"),
        (lambda: ServerError("00000", on=Commit()), "not the SQLSTATE of an error"),
        (lambda: ServerError(wrong(40001), on=Commit()), "not the SQLSTATE of an error"),
        (lambda: ServerError("40001", on=Commit(), times=0), "both count from 1"),
        (lambda: RefusedAuthentication("abcde"), "not the SQLSTATE of an error"),
        (lambda: LostCommitReply(nth=0), "both count from 1"),
        (lambda: LostReply(Commit(), times=0), "both count from 1"),
        (lambda: TruncatedReply(Commit(), -1), "cannot be negative"),
        (lambda: DelayedAt(Commit(), ms(-1)), "DelayedAt: delay"),
        (lambda: DelayedAt(Commit(), dt.timedelta.max), "DelayedAt: delay"),
        (lambda: SlowAuthentication(ms(-1)), "SlowAuthentication: delay"),
        (lambda: SlowAuthentication(ms(1), nth=0), "both count from 1"),
        (lambda: StalledAt(Commit(), times=-1), "both count from 1"),
        (lambda: ServerError("40001", on=Commit(), message="a\0"), "a zero byte"),
        (lambda: RefusedAuthentication(message="a\0"), "a zero byte"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(declare: Callable[[], object], said: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        declare()
    assert said in str(refusal.value)


@pytest.mark.parametrize("fault", EACH, ids=lambda fault: type(fault).__name__)
def test_a_fault_can_be_a_key_and_its_repr_pasted_back(fault: Fault) -> None:
    names = {**vars(brownout.faults), "datetime": dt}
    again = eval(repr(fault), names)  # noqa: S307 - our own repr
    assert again == fault
    assert {fault: 1}[again] == 1

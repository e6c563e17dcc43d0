"""Which operations meet which errors, and how many times."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import cast
from unittest.mock import AsyncMock

import pytest

from brownout import NotAssessable, Operation
from brownout.faults import Commit, CutAt, Fault, ServerError, Statement
from brownout.trial import Exchange, Stage, WireStep, retries
from brownout.trial.exchanges import Target
from brownout.trial.retries import AlwaysCut, FailingOnce, UnansweredWrites
from tests.core.made import READ, WRITE, answer, service

CANCEL = Operation.write("cancel", "POST", "/cancel")
SQL = "update orders set cancelled = true"


class FakeTap:
    """Finds a statement of each operation but of `hidden`; where it fails, some try again. Those in
    `batches` send it twice."""

    def __init__(
        self,
        *,
        hidden: tuple[str, ...] = (),
        batches: tuple[str, ...] = (),
        trying_again: tuple[str, ...] = (),
    ) -> None:
        self.failed: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self._hidden = hidden
        self._batches = batches
        self._trying_again = trying_again

    async def target(self, operation: Operation) -> Target | None:
        if operation.name in self._hidden:
            return None
        return Target(SQL, SQL, times=2 if operation.name in self._batches else 1)

    async def earn(self, operation: Operation) -> None:
        """As `Tap.earn`."""

    async def fail(
        self,
        operation: Operation,
        fault: Fault,
        name: str,
        *,
        lingering: timedelta | None = None,  # noqa: ARG002 - as `Tap.fail`
    ) -> Exchange:
        self.failed.append((operation.name, name))
        self.faults.append(fault)
        hit = WireStep(1.0, 1, SQL, "I", hit=True)
        again = (WireStep(2.0, 1, SQL, "I"),) if operation.name in self._trying_again else ()
        return Exchange((answer(),), (hit, *again))


def _plain(commits: bool) -> Exchange:
    """A request without a fault, beside a COMMIT of another session."""
    steps = [WireStep(1.0, 1, SQL, "T"), WireStep(2.0, 2, "COMMIT", "T")]
    return Exchange((answer(),), (*steps, *([WireStep(3.0, 1, "COMMIT", "T")] * commits)))


async def failed_in(
    script: AlwaysCut | FailingOnce | UnansweredWrites,
    monkeypatch: pytest.MonkeyPatch,
    tap: FakeTap,
    *operations: Operation,
    commits: tuple[str, ...] = (),
) -> list[tuple[str, str]]:
    @asynccontextmanager
    async def tapped(_stage: Stage) -> AsyncIterator[FakeTap]:
        yield tap

    monkeypatch.setattr(retries, "tapped", tapped)
    stage = SimpleNamespace(
        declared=service(operations),
        exchanges={f"plain {one.name}": [_plain(one.name in commits)] for one in operations},
        service=SimpleNamespace(running=True),
        steady_again=AsyncMock(return_value=True),
    )
    await script.run(cast("Stage", stage))
    return tap.failed


@pytest.mark.asyncio(loop_scope="function")
async def test_each_write_meets_conflicts_and_errors_of_callers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tap = FakeTap(trying_again=("place",))
    failed = await failed_in(FailingOnce(), monkeypatch, tap, READ, WRITE, CANCEL)
    assert failed == [
        ("place", "conflict 40001 place"),
        ("place", "conflict 40P01 place"),
        ("place", "refused 22001 place"),
        ("place", "refused 42P01 place"),
        # What is not tried again is given another chance.
        ("cancel", "conflict 40001 cancel"),
        ("cancel", "conflict 40001 cancel"),
        ("cancel", "conflict 40P01 cancel"),
        ("cancel", "conflict 40P01 cancel"),
        ("cancel", "refused 22001 cancel"),
        ("cancel", "refused 42P01 cancel"),
        # A read is tried again in no case after an error of its caller's.
        ("list", "refused 22001 list"),
        ("list", "refused 42P01 list"),
    ]


@pytest.mark.asyncio(loop_scope="function")
async def test_the_commit_of_a_write_meets_a_conflict_where_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tap = FakeTap(trying_again=("place", "list"))
    failed = await failed_in(FailingOnce(), monkeypatch, tap, READ, WRITE, commits=("place",))
    assert ("place", "commit 40001 place") in failed
    (late,) = [fault for fault in tap.faults if getattr(fault, "on", None) == Commit()]
    assert late == ServerError("40001", on=Commit(), times=1)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_read_meets_them_where_there_is_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = await failed_in(FailingOnce(), monkeypatch, FakeTap(trying_again=("list",)), READ)
    assert [name for name, _ in failed] == ["list"] * 4


@pytest.mark.asyncio(loop_scope="function")
async def test_a_write_without_a_statement_of_its_own_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = await failed_in(FailingOnce(), monkeypatch, FakeTap(hidden=("place",)), WRITE, CANCEL)
    assert {name for name, _ in failed} == {"cancel"}
    with pytest.raises(NotAssessable, match="told apart"):
        await failed_in(FailingOnce(), monkeypatch, FakeTap(hidden=("place",)), WRITE)


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("script", [AlwaysCut(), FailingOnce(), UnansweredWrites()])
async def test_the_rows_of_a_batch_are_no_attempts(
    script: AlwaysCut | FailingOnce | UnansweredWrites, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap = FakeTap(batches=("place",))
    with pytest.raises(NotAssessable, match="a statement once"):
        await failed_in(script, monkeypatch, tap, WRITE)
    assert tap.failed == []


@pytest.mark.asyncio(loop_scope="function")
async def test_other_writes_fail_beside_one_that_sends_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = await failed_in(FailingOnce(), monkeypatch, FakeTap(batches=("place",)), WRITE, CANCEL)
    assert {name for name, _ in failed} == {"cancel"}


@pytest.mark.asyncio(loop_scope="function")
async def test_the_connection_of_each_operation_is_reset_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tap = FakeTap(hidden=("cancel",))
    failed = await failed_in(AlwaysCut(), monkeypatch, tap, READ, CANCEL, WRITE)
    assert failed == [("list", "failing list")] * 3 + [("place", "failing place")] * 3
    assert tap.faults == [CutAt(Statement(SQL), reset=True)] * 6
    with pytest.raises(NotAssessable, match="told apart"):
        await failed_in(AlwaysCut(), monkeypatch, FakeTap(hidden=("list",)), READ)

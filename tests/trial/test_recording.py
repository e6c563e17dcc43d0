"""A recording says which answers the fault met, and whether that proves anything; it is kept."""

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from brownout import Answer, BrownoutError, Completion, FaultNotFelt, Kind, NotAssessable
from brownout.faults import BlackHole, LostCommitReply, Outage, Restart, TerminatedBackends
from brownout.observations import Latencies, Recovery
from brownout.trial import (
    Connects,
    Exchange,
    Invariant,
    Phase,
    ProcessEnd,
    Recording,
    SessionLook,
    Started,
    Stopped,
    Trial,
    WireStep,
)
from brownout.trial.gaps import Gap
from brownout.trial.leftovers import LeftRunning
from brownout.trial.scripts import Steady
from brownout.trial.sweep.seen import Swept, SweptCase
from brownout.units import ms, seconds
from tests.core.chaos_controls import searched
from tests.core.made import READ, WRITE, answer, injected, no_answer, recording
from tests.core.sweep_controls import tried

ORDINARY = Trial("outage", Outage())
TOLERANT = Trial("lost_commit", LostCommitReply(), ask=Kind.WRITE, must_be_felt=False)


def asked(start: float, end: float, **fields: Any) -> Answer:
    """An answer to what was asked from `start` to `end`, in seconds of the clock."""
    return answer(started=start, elapsed=seconds(end - start), **fields)


# The fault comes from the 101st second, is in force from the 102nd to the 110th, and is healed in
# the 111th.
BEFORE = asked(100.0, 100.5)
AT_THE_ONSET = asked(100.5, 101.5)
INTO_IT = asked(101.5, 103)
WITHIN = asked(102, 110)
OUT_OF_IT = asked(109, 110.5)
WHILE_HEALING = asked(110.5, 110.75)
OVER_THE_HEAL = asked(110.5, 112)
AFTER = asked(111.5, 112)
ALL = (BEFORE, AT_THE_ONSET, INTO_IT, WITHIN, OUT_OF_IT, WHILE_HEALING, OVER_THE_HEAL, AFTER)


# -- which answers are judged --------------------------------------------------------------------


def test_an_ordinary_fault_judges_what_was_asked_and_answered_while_it_was_in_force() -> None:
    assert recording(answers=ALL).during() == (WITHIN,)


@pytest.mark.parametrize("fault", [Restart(), TerminatedBackends()])
def test_a_fault_of_a_moment_judges_what_was_under_way_too(
    fault: Restart | TerminatedBackends,
) -> None:
    seen = recording(Trial("moment", fault), answers=ALL)
    assert seen.during() == (AT_THE_ONSET, INTO_IT, WITHIN)


def test_met_are_all_that_the_fault_overlapped() -> None:
    assert recording(answers=ALL).met() == ALL[1:-1]
    assert recording(answers=ALL).under_fault(ALL) == ALL[1:-1]


def test_where_nothing_was_broken_all_answers_of_the_trial_count() -> None:
    seen = recording(Trial("steady", script=Steady()), answers=ALL, injected=())
    assert seen.during() == seen.met() == ALL
    assert seen.fault_window == (100.0, 120.0)
    assert seen.healed == 120.0


def test_of_several_faults_the_window_is_from_the_first_to_the_last() -> None:
    several = (injected(101, 102, 103, 104), injected(107, 108, 109, 110))
    seen = recording(answers=ALL, injected=several)
    assert seen.fault_window == (102, 109)
    assert seen.healed == 110


def test_of_faults_in_one_another_the_window_is_the_outer_one_s() -> None:
    # The inner one ends first, and is recorded first.
    nested = (injected(104, 105, 106, 107), injected(101, 102, 110, 111))
    seen = recording(answers=ALL, injected=nested)
    assert seen.fault_window == (102, 110)
    assert seen.met() == ALL[1:-1]
    assert seen.healed == 111


def test_an_answer_lost_on_a_stale_connection_is_counted_and_not_judged() -> None:
    stale = no_answer(Completion.STALE, started=105.0)
    dropped = no_answer(Completion.DROPPED, started=105.0)
    seen = recording(answers=(WITHIN, stale, dropped))
    assert seen.during() == seen.met() == (WITHIN, dropped)
    assert seen.stale == 1
    assert seen.facts()["lost_on_stale_connections"] == 1


def test_answers_are_told_apart_by_their_operation() -> None:
    write = asked(103, 104, operation=WRITE)
    seen = recording(answers=(BEFORE, AT_THE_ONSET, write, AFTER))
    assert list(seen.by_operation()) == [(READ, (AT_THE_ONSET,)), (WRITE, (write,))]
    assert seen.operations() == (READ, WRITE)


def test_only_the_operations_that_the_trial_asks_are_judged_by_operation() -> None:
    seen = recording(Trial("x", Outage(), ask=Kind.WRITE), answers=(WITHIN,))
    assert list(seen.by_operation()) == [(WRITE, ())]


def test_notes_are_what_the_script_set_apart() -> None:
    seen = recording(notes={"alone list": (WITHIN,), "together list": ALL, "asked": ()})
    assert seen.note("alone list") == (WITHIN,)
    assert seen.note("never noted") == ()
    assert seen.measured() == ("list",)


# -- whether the fault was felt ------------------------------------------------------------------


def test_a_fault_that_hit_something_is_proof() -> None:
    recording().require_felt()
    recording(injected=()).require_felt()


def test_a_fault_that_hit_nothing_proves_nothing() -> None:
    with pytest.raises(FaultNotFelt, match=r"Outage\(\) was in force, and it hit nothing") as why:
        recording(injected=(injected(), injected(felt=0))).require_felt()
    assert why.value.tried
    assert why.value.remedy


def test_a_fault_that_need_not_hit_anything_may_hit_nothing() -> None:
    recording(injected=(injected(felt=0, required=False), injected())).require_felt()


def test_where_a_trial_allows_for_it_a_fault_that_hit_nothing_is_not_assessed() -> None:
    with pytest.raises(NotAssessable, match="meets the fault Outage"):
        recording(TOLERANT, injected=(injected(felt=0),)).require_felt()


def test_where_a_trial_allows_for_it_one_of_several_faults_that_hit_something_is_proof() -> None:
    failed = asked(103, 104, operation=WRITE, status=503)
    several = (injected(felt=0), injected())
    recording(TOLERANT, answers=(failed,), injected=several).require_felt()
    with pytest.raises(FaultNotFelt):
        recording(ORDINARY, answers=(failed,), injected=several).require_felt()


# -- what the report says ------------------------------------------------------------------------


def test_the_facts_are_few_and_json() -> None:
    seen = recording(
        recovery=Recovery(True, ms(1234), ()),
        process=ProcessEnd(-9, seconds(2), ("the last line",)),
    )
    assert json.loads(json.dumps(seen.facts())) == {
        "trial": "outage",
        "seconds": 20.0,
        "injections": [{"fault": "Outage()", "felt": 1, "begun": 1.0, "healed": 11.0}],
        "recovered_after_seconds": 1.234,
        "process": "it was ended by signal 9 (SIGKILL), 2.00 s after the fault began",
    }
    assert recording(injected=()).facts() == {"trial": "outage", "seconds": 20.0, "injections": []}
    assert "exit code 70" in ProcessEnd(70, ms(20), ()).describe()


@pytest.mark.parametrize(
    ("gaps", "lost"),
    [
        ((), 0),
        ((Gap(90, 101), Gap(119, 130)), 0.1),
        ((Gap(101, 111, 0.5), Gap(130, 140)), 0.25),
        ((Gap(0, 200), Gap(100, 120)), 1),
    ],
)
def test_what_was_lost_is_a_share_of_the_trial(gaps: tuple[Gap, ...], lost: float) -> None:
    assert recording(gaps=gaps).lost == lost  # it took from 100 to 120


# -- JSON ----------------------------------------------------------------------------------------

WHOLE = recording(
    answers=ALL,
    liveness=(answer(status=200, started=103.0),),
    readiness=(answer(status=503, started=103.0), no_answer(Completion.NO_ANSWER)),
    whole={"list": (BEFORE,)},
    notes={"wave 1": (WITHIN,)},
    baselines={"list": Latencies((ms(5), ms(6)))},
    sessions=(SessionLook(103.0, {"idle": 2}, 0.5),),
    counted=(SessionLook(104.0, {"active": 1}),),
    opened={"list": 3},
    recovery=Recovery(True, seconds(1), ("after 0.50 s: /ready: status 503",)),
    ready_again=seconds(2),
    requests={"list": "curl -i"},
    repeated="The engine was ended by signal 9 (SIGKILL) in the first try.",
    settled=SessionLook(112.0, {"idle": 1}),
    applied={"t": 1},
    shown={"t": 1},
    invariants={"list": Invariant(("[(0,)]",), 2)},
    phases={"spike": Phase(40.0, 103.0, 104.0, (0.1,), 1, 0.002)},
    chaos=searched().chaos,
    swept=Swept(0, 1, (), (SweptCase("place/COMMIT/cut-before", "CutAt(Commit())", (tried(),)),)),
    exchanges={"failing list": (Exchange((WITHIN,), (WireStep(103.0, 1, "select ?", "T"),), 1),)},
    process=ProcessEnd(70, seconds(3), ("last words",)),
    same_process=False,
    meanwhile=Recovery(True, seconds(1), ()),
    connects=(Connects(103.0, 4),),
    left_running=(LeftRunning(("list",), 2, 1),),
    stopped=Stopped(101.0, 102.0, 0, seconds(5), 1),
    started=Started(7, 102.5, seconds(4), 103.0, 1, ("no database",)),
    gaps=(Gap(103.0, 103.5),),
    workers_ended={7: 103.2},
    log="a line\n",
)


def test_exchanges_are_found_by_operation_and_by_case() -> None:
    one, other = (Exchange((answer(status),), ()) for status in (200, 503))
    made = recording(
        exchanges={
            "plain place": (one,),
            "conflict 40001 place": (one, other),
            "conflict 40P01 place": (other,),
            "conflict 40001 cancel order": (one,),
        }
    )
    assert made.exchanged("plain") == {"place": (one,)}
    assert made.exchanged_each("conflict") == {
        "place": {"40001": (one, other), "40P01": (other,)},
        "cancel order": {"40001": (one,)},
    }


def test_the_whole_recording_is_json() -> None:
    document = json.loads(json.dumps(WHOLE.to_json(), allow_nan=False))
    assert document["format"] == 1
    assert document["trial"] == {"id": "outage", "is": repr(WHOLE.trial)}
    assert document["seconds"] == 20
    [made] = document["injected"]
    assert (made["begun"], made["made"], made["healing"], made["healed"]) == (1, 2, 10, 11)
    assert len(document["answers"]) == len(ALL)
    within = document["answers"][3]
    assert (within["operation"], within["token"], within["status"]) == ("list", "t", 200)
    assert (within["at"], within["seconds"]) == (2, 8)
    assert (within["ending"], within["outcome"]) == ("answered", "acknowledged")
    assert "status" not in document["readiness"][1]
    assert document["sessions"] == [
        {"at": 3, "by_state": {"idle": 2}, "longest_idle_in_transaction": 0.5, "waiting": 0}
    ]
    assert document["baselines"] == {"list": [0.005, 0.006]}
    assert document["recovery"]["rounds"] == ["after 0.50 s: /ready: status 503"]
    assert document["process"] == {"code": 70, "after": 3, "log": ["last words"]}
    assert document["gaps"] == [[3, 3.5, 1]]


NOT_SHOWN = {"declared", "began", "ended", "address"}
"""The declaration is in the report, the times are relative, and the address was a free port."""


@pytest.mark.parametrize("name", [one.name for one in fields(Recording) if one.name != "trial"])
def test_nothing_that_was_seen_is_left_out(name: str) -> None:
    if name in NOT_SHOWN:
        assert name not in WHOLE.to_json()
        return
    empty = {"injected": (), "same_process": True}
    other = recording(
        **{one.name: getattr(WHOLE, one.name) for one in fields(Recording) if one.name != name}
        | ({name: empty[name]} if name in empty else {})
    )
    assert name in WHOLE.to_json()
    assert other.to_json()[name] != WHOLE.to_json()[name]


def test_time_that_was_forgiven_is_shown() -> None:
    late = Answer(
        "list", "t", Completion.ANSWERED, READ.outcome(200), 103.0, seconds(1), 200,
        forgiven=ms(250),
    )  # fmt: skip
    [shown] = shown_answers(late)
    assert (shown["seconds"], shown["forgiven"]) == (1, 0.25)
    assert "forgiven" not in shown_answers(WITHIN)[0]


def test_headers_keep_their_order_and_their_repetitions() -> None:
    twice = Answer(
        "list", "t", Completion.ANSWERED, READ.outcome(200), 103.0, ms(1), 200,
        headers=(("X-A", "1"), ("X-B", "2"), ("X-A", "3")),
    )  # fmt: skip
    assert shown_answers(twice)[0]["headers"] == [["X-A", "1"], ["X-B", "2"], ["X-A", "3"]]


def shown_answers(*answers: Answer) -> list[dict[str, Any]]:
    shown = recording(answers=answers).to_json()["answers"]
    assert isinstance(shown, list)
    return shown


def bodies(*contents: bytes) -> dict[str, dict[str, Any]]:
    """The bodies that are kept, by what the answers refer to them with."""
    document: dict[str, Any] = recording(
        answers=tuple(answer(body=content) for content in contents)
    ).to_json()
    assert {one["body"] for one in document["answers"]} == set(document["bodies"])
    kept: dict[str, dict[str, Any]] = document["bodies"]
    return kept


def test_a_body_is_kept_once_however_often_it_came() -> None:
    kept = bodies(b"[1]", b"[2]", b"[1]", b"[1]")
    assert sorted(one["text"] for one in kept.values()) == ["[1]", "[2]"]
    assert all(one["bytes"] == 3 and "cut" not in one for one in kept.values())


def test_bytes_that_are_not_text_are_base64() -> None:
    [kept] = bodies(b"\xff\xfe").values()
    assert kept == {"bytes": 2, "base64": "//4="}


def test_a_long_body_is_cut_and_says_so() -> None:
    limit = 256 * 1024
    whole, [long] = bodies(b"a" * limit), bodies(b"a" * (limit + 1)).values()
    assert [one for one in whole.values() if "cut" in one] == []
    assert (long["bytes"], len(long["text"]), long["cut"]) == (limit + 1, limit, True)


def test_many_bodies_are_cut_where_they_are_too_much_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("brownout.trial.recording._BODIES_KEPT", 10)
    kept = sorted(bodies(b"aaaa", b"bbbb", b"cccc", b"dddd").values(), key=lambda one: one["text"])
    assert sorted(one["text"] for one in kept) == ["", "aaaa", "bbbb", "cc"]
    assert sum(one.get("cut", False) for one in kept) == 2
    assert {one["bytes"] for one in kept} == {4}


# -- on disk -------------------------------------------------------------------------------------


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Files get all the rights that they are asked to have."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_written_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "report" / "recordings"
    with umask(0):
        path = WHOLE.write(folder)
    assert path == folder / "outage.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    written = json.loads(path.read_text(encoding="utf-8"))
    again = json.loads(json.dumps(WHOLE.to_json()))
    # The clock on the wall, read twice beside the monotonic one, differs by microseconds.
    began = [datetime.fromisoformat(str(one["began_at"])) for one in (written, again)]
    assert abs(began[0] - began[1]) < timedelta(seconds=1)
    assert again | {"began_at": written["began_at"]} == written
    assert names(folder) == ["outage.json"]


def test_markers_are_written_whatever_the_machine_s_language_is(tmp_path: Path) -> None:
    write = (
        "import locale, pathlib, sys; from tests.core.made import recording; "
        "print(locale.getpreferredencoding(False)); "
        "recording(log='\\u27e8dsn.user\\u27e9').write(pathlib.Path(sys.argv[1]))"
    )
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    child = subprocess.run(
        [sys.executable, "-c", write, str(tmp_path)],
        env={**os.environ, **ascii_only},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )
    assert b"UTF-8" not in child.stdout.upper()
    assert json.loads((tmp_path / "outage.json").read_bytes())["log"] == "⟨dsn.user⟩"


def test_an_older_one_is_replaced_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = recording(log="old").write(tmp_path)
    seen = []

    def replace(self: Path, target: Path) -> Path:
        assert json.loads(target.read_text())["log"] == "old", "until the new one is whole"
        assert json.loads(self.read_text())["log"] == "new"
        seen.append(self.name)
        os.replace(self, target)  # noqa: PTH105 - its own method is the one that is watched
        return target

    monkeypatch.setattr(Path, "replace", replace)
    recording(log="new").write(tmp_path)
    assert json.loads(path.read_text())["log"] == "new"
    assert seen == [f"outage.{os.getpid()}.part"]


@contextmanager
def full(limit: int) -> Iterator[None]:
    """No file can be longer than so many bytes: the n-th byte fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_without_room_is_an_error_and_the_older_one_stays(tmp_path: Path) -> None:
    path = recording(log="old").write(tmp_path)
    with full(2000), pytest.raises(BrownoutError, match="recording of outage cannot be") as why:
        recording(log="new" * 10_000).write(tmp_path)
    assert why.value.tried == (str(path),)
    assert "--brownout-report" in why.value.remedy
    assert json.loads(path.read_text())["log"] == "old"
    assert names(tmp_path) == ["outage.json"]


def test_a_folder_that_cannot_be_written_to_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("brownout.trial.recording.os.open", refuse)
    with pytest.raises(BrownoutError, match="Read-only file system"):
        WHOLE.write(tmp_path)


@pytest.mark.parametrize("below", ["", "recordings"])
def test_a_file_in_the_folder_s_place_is_an_error(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrownoutError, match="cannot be written"):
        WHOLE.write(tmp_path / "file" / below)


def test_two_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    one = recording(Trial("black_hole", BlackHole())).write(tmp_path)
    another = recording().write(tmp_path)
    assert names(tmp_path) == [one.name, another.name] == [
        "black_hole.json", "outage.json",
    ]  # fmt: skip


def test_a_look_counts_its_sessions() -> None:
    assert SessionLook(1.0, {"idle": 2, "active": 3}).total == 5
    assert SessionLook(1.0, {}).total == 0


def test_waiting_for_locks_counts_only_while_the_answers_were_under_way() -> None:
    asked = [answer(started=104.0, elapsed=seconds(2)), answer(started=105.0, elapsed=seconds(2))]
    for time, waited in ((103.9, False), (104.0, True), (107.0, True), (107.1, False)):
        look = SessionLook(time, {"active": 2}, waiting=1)
        assert recording(sessions=(look,)).waited_for_locks(asked) is waited
        assert recording(sessions=(replace(look, waiting=0),)).waited_for_locks(asked) is False

"""An earlier run as a baseline: what is accepted, newly broken, mended, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brownout.behaviours import Level
from brownout.errors import SettingsError
from brownout.report.baseline import ACCEPTED, Baseline, Comparison, compared, read
from brownout.report.facts import Verdict
from brownout.report.html import page
from brownout.report.markdown import summary
from brownout.report.terminal import to_baseline
from brownout.report.verdicts import Case, verdicts_by_behaviour
from tests.report.runs import case, mixed_run, run_of

BROKEN, KEPT, LEFT_OUT = Verdict.BROKEN, Verdict.KEPT, Verdict.NOT_ASSESSED


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes the document of a run, or what a test makes of it."""

    def write(document: object) -> Path:
        path = tmp_path / "baseline.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def beside(baseline: list[Case], now: list[Case], written: Callable[..., Path]) -> Comparison:
    """The run of these cases beside a baseline of those."""
    return compared(read(written(run_of(baseline)[0])), verdicts_by_behaviour(now), now)


def test_what_is_broken_is_read_with_its_trials(written: Callable[..., Path]) -> None:
    path = written(
        run_of([case("T1", "outage", BROKEN), case("T1", "reset"), case("T2", "reset")])[0]
    )
    assert read(path) == Baseline(path, {"T1": frozenset({"outage"})}, frozenset({"list", "place"}))
    assert read(path).accepting(Level.MUST) == {"T1"}


def test_a_tolerated_promise_is_in_the_baseline_too(written: Callable[..., Path]) -> None:
    assert read(written(run_of([case("H3", "reset", BROKEN, tolerated=True)])[0])).broken == {
        "H3": frozenset({"reset"})
    }


def test_a_should_that_was_tolerated_accepts_no_must(written: Callable[..., Path]) -> None:
    before = [case("E6", "outage", BROKEN, tolerated=True), case("T1", "outage", BROKEN)]
    baseline = read(written(run_of(before)[0]))
    assert baseline.accepting(Level.SHOULD) == {"E6", "T1"}
    assert baseline.accepting(Level.MUST) == {"T1"}
    must = [case("E6", "reset", BROKEN), case("T1", "outage", BROKEN)]
    seen = beside(before, must, written)
    assert (seen.accepted, seen.new, seen.wider) == (["T1"], ["E6"], {})
    should = [case("E6", "reset", BROKEN, tolerated=True)]
    seen = beside(before, should, written)
    assert (seen.accepted, seen.new, seen.wider) == (["E6"], [], {"E6": ["reset"]})
    assert Baseline.of_comparison(seen.to_json()).accepting(Level.MUST) == {"T1"}


@pytest.mark.parametrize(
    ("acceptance", "earlier", "accepts"),
    [
        pytest.param("waived: old", [], True, id="waived"),
        pytest.param(ACCEPTED, [], True, id="accepted-by-a-baseline"),
        pytest.param(ACCEPTED, ["E6"], False, id="accepted-there-as-a-should"),
        pytest.param("waived: old", ["E6"], True, id="waived-since"),
    ],
)
def test_what_was_accepted_as_a_must_stays_accepted(
    written: Callable[..., Path], acceptance: str, earlier: list[str], accepts: bool
) -> None:
    document = run_of([case("E6", "outage", BROKEN, tolerated=True)])[0]
    (broken,) = document["behaviours"]
    broken["acceptance"] = acceptance
    document["baseline"] = {"tolerated": earlier}
    assert ("E6" in read(written(document)).accepting(Level.MUST)) == accepts


def test_a_part_of_the_document_is_enough(written: Callable[..., Path]) -> None:
    document = mixed_run()[0]
    part = {name: document[name] for name in ("format", "versions", "session", "behaviours")}
    whole = read(written(document))
    assert read(written(part)).broken == dict.fromkeys(whole.broken, frozenset())


def test_a_run_is_told_apart_from_its_baseline(written: Callable[..., Path]) -> None:
    before = [
        case("T1", "outage", BROKEN),
        case("T2", "outage", BROKEN),
        case("T3", "outage", BROKEN),
        case("T4", "outage"),
        case("T5", "outage", BROKEN),
    ]
    now = [
        case("T1", "outage", BROKEN),
        case("T1", "reset", BROKEN),
        case("T2", "outage"),
        case("T3", "outage", LEFT_OUT),
        case("T4", "outage", BROKEN),
        case("T5", "outage", BROKEN),
    ]
    seen = beside(before, now, written)
    assert (seen.accepted, seen.new, seen.mended) == (["T1", "T5"], ["T4"], ["T2"])
    assert seen.wider == {"T1": ["reset"]}


@pytest.mark.parametrize(
    "now",
    [
        pytest.param([case("T1", "reset")], id="not-judged-where-it-broke"),
        pytest.param([case("T1", "outage", LEFT_OUT), case("T1", "reset")], id="not-assessed"),
        pytest.param([case("T1", "outage", Verdict.UNKNOWN)], id="unknown"),
    ],
)
def test_what_was_not_seen_to_be_kept_is_not_mended(
    written: Callable[..., Path], now: list[Case]
) -> None:
    assert beside([case("T1", "outage", BROKEN)], now, written).mended == []


def without(member: str) -> dict[str, Any]:
    return {name: value for name, value in mixed_run()[0].items() if name != member}


def changed(**members: object) -> dict[str, Any]:
    return {**mixed_run()[0], **members}


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        pytest.param("{", "is not a run's brownout.json: it is not JSON", id="not-json"),
        pytest.param("[]", "`behaviours` are missing in it.", id="not-a-document"),
        pytest.param(without("behaviours"), "`behaviours` are missing in it.", id="no-behaviours"),
        pytest.param(changed(behaviours=[1]), "are missing in it.", id="another-shape"),
        pytest.param(changed(format=1), "which may judge otherwise.", id="another-format"),
        pytest.param(
            changed(versions={"brownout": "0.0.1"}), "made by Brownout 0.0.1, but", id="version"
        ),
        pytest.param(changed(behaviours=[]), "of a run that judged nothing.", id="empty"),
        pytest.param(changed(session={}), "of a run that judged nothing.", id="no-service"),
        pytest.param(
            changed(behaviours=[{"id": "T99", "verdict": "broken"}]),
            "names a promise that does not exist: ",
            id="unknown-promise",
        ),
    ],
)
def test_what_is_not_a_baseline_is_refused(
    written: Callable[..., Path], document: object, cause: str
) -> None:
    path = written(document)
    with pytest.raises(SettingsError) as caught:
        read(path)
    assert str(path) in caught.value.cause
    assert cause in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize("operations", [["list"], ["place", "another"]])
def test_a_service_that_has_changed_is_still_the_same(operations: list[str]) -> None:
    Baseline(Path("b.json"), {}, frozenset({"list", "place"})).require_service(operations)


@pytest.mark.parametrize("operations", [["another"], []])
def test_another_service_is_refused(operations: list[str]) -> None:
    with pytest.raises(SettingsError, match=r"^The baseline b\.json is of another service"):
        Baseline(Path("b.json"), {}, frozenset({"list"})).require_service(operations)


SEEN = Comparison(
    Path("kept/base.json"),
    accepted=["T1"],
    new=["T4"],
    mended=["T2"],
    wider={"T1": ["reset", "<b>"]},
)


def test_the_terminal_says_what_differs_and_what_to_do() -> None:
    text = "\n".join(
        "".join(span.text for span in line).strip() for line in to_baseline(SEEN, width=200)
    )
    assert text.startswith("T1 is broken in more trials than in the baseline: reset, <b>\n")
    assert "baseline base.json: 1 broken there and now; newly broken: T4; mended: T2\n" in text
    assert "Renew the baseline with a copy of this run's brownout.json" in text


def test_the_terminal_says_no_more_than_there_is() -> None:
    (line,) = to_baseline(Comparison(Path("base.json"), accepted=["T1"]), width=200)
    assert "".join(span.text for span in line) == "baseline base.json: 1 broken there and now"


def test_summary_and_page_say_the_same() -> None:
    document = {**mixed_run()[0], "baseline": SEEN.to_json()}
    text, html = summary(document), page(document, {})
    assert "- newly broken: T4\n- mended: T2\n" in text
    assert "- T1 is broken in more trials than there: reset, &lt;b&gt;" in text
    assert "newly broken: T4, mended: T2." in html
    assert "<b>" not in html.partition("Beside the baseline")[2].partition("</p>")[0]
    assert all("Renew the baseline" in each for each in (text, html))
    assert "Renew the baseline" not in summary(mixed_run()[0]) + page(*mixed_run())

"""The report's page: what it says, and that nothing in it does anything but its own script."""

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from brownout.report.document import failed_document
from brownout.report.facts import Verdict
from brownout.report.html import page
from brownout.report.html.chart import Kind, chart_of
from brownout.report.html.evidence import alike, log_lines
from tests.report.runs import (
    HOSTILE,
    Run,
    case,
    hostile_run,
    large_run,
    mixed_run,
    recorded,
    run_of,
)


class Elements(HTMLParser):
    """Every element of a page with its attributes, and all its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element with this tag."""
        return [attributes for name, attributes in self.found if name == tag]


def elements(run: Run) -> Elements:
    return Elements(page(*run))


@pytest.mark.parametrize("run", [mixed_run(), hostile_run()], ids=["mixed", "hostile"])
def test_nothing_is_asked_for_and_only_its_own_script_and_style_may_act(run: Run) -> None:
    text = page(*run)
    seen = Elements(text)
    (policy,) = [one["content"] for one in seen.named("meta") if "http-equiv" in one]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    for tag, attributes in seen.found:
        assert tag not in {"img", "iframe", "object", "embed", "link", "base", "foreignobject"}
        assert not {name for name in attributes if name.startswith("on")} | (
            attributes.keys() & {"style", "src", "srcset", "action"}
        )
    links = {str(one["href"]) for one in seen.named("a")}
    assert not [link for link in links if not re.match(r"#|recordings/|brownout\.json$", link)]


def test_what_the_service_said_is_text() -> None:
    seen = elements(hostile_run())
    shown = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    assert seen.text.count(shown) > 10, "in findings, facts, bodies, headers, logs, names"
    assert "{{ 7 * 7 }}" in seen.text
    assert "\\x1b[31m\\u202e\\x00" in seen.text
    assert not {"\x1b", "\x00", "\u202e"} & set(seen.text)


def test_what_looks_like_a_secret_is_not_in_it() -> None:
    said = "Authorization: Bearer Zm9vYmFyYmF6 to postgresql://me:hunter2@db/x"
    cases = [case("T1", "outage", Verdict.BROKEN, said=said)]
    text = page(*run_of(cases, {"outage": recorded(said)}))
    assert "Authorization: Bearer …" in text
    assert "Zm9vYmFyYmF6" not in text
    assert "hunter2" not in text


def test_every_verdict_is_counted_and_every_figure_is_that_of_the_document() -> None:
    document, recordings = mixed_run()
    text = page(document, recordings)
    assert "<h1>12 of 29 promises are broken</h1>" in text
    words = Counter(
        "tolerated" if entry["tolerated"] else entry["verdict"] for entry in document["behaviours"]
    )
    assert words["broken"] == 12
    for word, number in words.items():
        assert f"<b>{number}</b> {word}</li>" in text
    rows = re.findall(r'<details class="promise-row" id="(\w+)".*?figure">(.*?)</span>', text, re.S)
    assert rows == [
        (one["id"], "{value:g} of {limit:g} {unit}".format(**one["figure"]))
        for one in document["behaviours"]
    ]


def test_the_map_has_a_mark_for_each_promise_in_each_trial() -> None:
    document, recordings = mixed_run()
    text = page(document, recordings)
    judged = [
        (behaviour, test["facts"]["trial"])
        for test in document["tests"]
        for behaviour in test["verdicts"]
    ]
    marks = re.findall(r'aria-label="(\w+) (?:[a-z ]+) in (\w+)" title', text)
    assert sorted(marks) == sorted(judged)


@pytest.mark.parametrize(
    ("code", "cases", "says"),
    [
        (0, [case("T1", "outage")], "All 1 promises that were assessed were kept"),
        (
            0,
            [case("T1", "outage"), case("E3", "outage", Verdict.BROKEN, tolerated=True)],
            "1 of 2 promises are broken, but tolerated",
        ),
        (2, [case("T1", "outage", Verdict.UNKNOWN)], "Of 1 promises 1 remain unknown; none is"),
        (2, [case("T1", "outage", Verdict.NOT_ASSESSED)], "No promise was assessed"),
        (1, [case("T1", "outage", Verdict.BROKEN)], "1 of 1 promises are broken"),
    ],
)
def test_the_headline_says_how_it_went(code: int, cases: list[Any], says: str) -> None:
    document, recordings = run_of(cases)
    assert document["exit_code"] == code
    assert f"<h1>{says}" in page(document, recordings)


def test_a_run_that_judged_nothing_has_a_page_with_the_reason() -> None:
    text = page(failed_document(2, "No service is declared.\n  Tried: here"), {})
    assert "<h1>No service is declared.</h1>" in text
    assert "Tried: here" in text
    assert "No promise was judged." in text


def test_recovery_is_shown_by_trial_the_slowest_first() -> None:
    seen = recorded()
    ways_back = {
        "outage": {"steady": True, "after": 0.25, "rounds": []},
        "reset": {"steady": False, "after": 3.0, "rounds": []},
        "restart": {"steady": True, "after": 2.5, "rounds": []},
        "latency": {"steady": True, "after": -0.001, "rounds": []},
    }
    recordings = {trial: {**seen, "recovery": back} for trial, back in ways_back.items()}
    text = page(*run_of([case("V1", trial) for trial in ways_back], recordings))
    section = text.partition('<section id="recovery"')[2].partition("</section>")[0]
    rows = re.findall(
        r'">(\w+)</a></th>\s*<td>(.*?)</td>.*?<rect class="(late|fine)" width="(.*?)"',
        section,
        re.S,
    )
    assert rows == [
        ("reset", "not in time", "late", "400.0"),
        ("restart", "after 2.50 s", "late", "400.0"),
        ("outage", "after 250 ms", "fine", "40.0"),
    ]
    assert "Steady at once" in section
    assert section.index("Steady at once") < section.index(">latency</a>")


def test_a_trial_without_a_recording_says_so() -> None:
    text = page(*run_of([case("T1", "outage")]))
    assert "There is no recording of it beside this page." in text
    assert 'href="recordings/' not in text


def test_a_page_of_2000_cases_is_small() -> None:
    document, recordings = large_run()
    assert len(document["tests"]) == 2000
    assert len(page(document, recordings).encode()) < 10_000_000


def test_a_chart_draws_failures_before_successes() -> None:
    drawn = chart_of(recorded(asked=50), deadline=1.0, pool=3, most=60)
    assert (drawn.shown, drawn.total) == (60, 103)
    dots = {kind: path.count("M") for kind, path in drawn.points.items()}
    assert dots == {Kind.OK: 7, Kind.REFUSED: 50, Kind.ERROR: 1, Kind.NONE: 1, Kind.STALE: 1}
    assert chart_of(recorded(asked=50), deadline=1.0, pool=3, most=20).shown == 20


def test_a_chart_keeps_to_its_plot() -> None:
    drawn = chart_of(recorded(), deadline=1.0, pool=3, most=400)
    left, top, right, bottom = drawn.plot
    ((window, width),) = drawn.windows
    assert (window, width) == (96 + 652 / 20, 326.0), "from 1 s to 11 s of 20 s"
    assert left < window
    assert window + width < right
    places = re.findall(r"M([\d.]+) ([\d.]+)h0", drawn.points[Kind.OK])
    assert len(places) == 12
    assert all(left <= float(x) <= right and top <= float(y) <= bottom for x, y in places)
    assert drawn.steady is not None
    assert window + width < drawn.steady < right


def test_a_recording_in_which_nothing_was_seen_has_a_chart() -> None:
    seen = recorded()
    bare = {**seen, "answers": [], "liveness": [], "readiness": [], "sessions": [], "gaps": []}
    drawn = chart_of({**bare, "injected": [], "seconds": 0}, deadline=None, pool=None, most=9)
    assert (drawn.shown, drawn.windows, drawn.lanes, drawn.sessions) == (0, (), (), "")


def test_answers_that_are_alike_are_one_row_and_those_under_the_fault_come_first() -> None:
    groups = alike(recorded(), 30)
    refused = next(one for one in groups if one.came == "503 application/problem+json")
    assert (refused.phase, refused.operation, refused.count) == ("under the fault", "list", 12)
    assert refused.log == ("token0 late",)
    assert groups[0].phase == "under the fault"
    assert sum(one.count for one in groups) == 27 + 28
    assert len(alike(recorded(), 2)) == 2


def test_a_long_log_is_shown_from_both_ends() -> None:
    log = log_lines("\n".join(f"line {number}" for number in range(100)), 10)
    assert log.first[0] == "line 0"
    assert log.last[-1] == "line 99"
    assert (log.left_out, log.total) == (90, 100)
    assert log_lines("x" * 1000, 10).first == ("x" * 400 + " … (1000 characters)",)
    assert HOSTILE.splitlines()[0] in log_lines(HOSTILE, 10).first[0]

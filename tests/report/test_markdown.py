"""The summary of a run in Markdown."""

import re

from brownout.report.document import failed_document
from brownout.report.facts import Verdict
from brownout.report.markdown import MOST_BYTES, summary
from tests.report.runs import case, hostile_run, mixed_run, run_of


def outside_code(text: str) -> str:
    """The Markdown without its blocks of code."""
    return re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)


def test_it_begins_with_the_verdict_and_ends_with_every_promise() -> None:
    document, _ = mixed_run()
    text = summary(document)
    assert text.startswith("## ❌ Brownout: 12 of 29 promises are broken\n")
    assert "12 broken, 1 tolerated, 1 unknown, 1 not assessed, 15 kept. Exit code 1." in text
    rows = re.findall(r"^\| (\w+) \| .* \| (\d+) of (\d+) failed \|$", text, re.MULTILINE)
    figures = [
        (one["id"], f"{one['figure']['value']:g}", f"{one['figure']['limit']:g}")
        for one in document["behaviours"]
    ]
    assert rows == figures


def test_the_first_three_findings_are_open() -> None:
    text = summary(mixed_run()[0])
    assert len(re.findall(r"^### ", text, re.MULTILINE)) == 3
    assert len(re.findall(r"^<details><summary>(?!Every)", text, re.MULTILINE)) == 11
    assert text.count("<details>") == text.count("</details>")
    assert "**What to do about E1:**" in text
    assert "brownout gate --only E1/outage" in text


def test_a_kept_run_has_no_findings() -> None:
    text = summary(run_of([case("T1", "outage")])[0])
    assert text.startswith("## ✅ Brownout: All 1 promises that were assessed were kept\n")
    assert "###" not in text


def test_a_run_that_judged_nothing_says_why() -> None:
    text = summary(failed_document(2, "No service is declared.\n  Tried: here"))
    assert text.startswith("## ❓ Brownout: No service is declared.\n")
    assert "  Tried: here" in text


def test_what_the_service_said_is_code_or_escaped() -> None:
    text = outside_code(summary(hostile_run()[0]))
    assert "T1" in text
    tags = set(re.findall(r"<\s*/?(\w+)", text))
    assert tags == {"details", "summary"}, "the table's own"
    assert "window.ran = 1" in text, "the trial is named so"


def test_a_fence_is_longer_than_what_it_holds() -> None:
    said = "```\n# a heading\n````"
    text = summary(run_of([case("T1", "outage", Verdict.BROKEN, said=said)])[0])
    assert "`````text\n" in text
    assert "# a heading" not in outside_code(text)


def test_it_is_never_longer_than_a_job_may_have() -> None:
    cases = [
        case("T1", f"trial_{number}", Verdict.UNKNOWN, said=f"{number} {'é' * 6000}")
        for number in range(300)
    ]
    text = summary(run_of(cases)[0])
    assert MOST_BYTES * 0.9 < len(text.encode()) <= MOST_BYTES
    left_out = re.search(r"… and (\d+) more findings", text)
    assert left_out is not None
    assert text.count("❓ unknown: ") == 300 - int(left_out[1])
    assert text.endswith("</details>\n")

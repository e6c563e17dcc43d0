"""The simulation of scale, and the page that has its tables."""

from dataclasses import replace
from pathlib import Path

from benchmarks.scale import Gate, last_of, recorded, shares, side_by_side, tables
from brownout.trial import plan
from tests.report.runs import case, run_of

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"
BESIDE = {plan.BLACK_HOLE.id: 2.0, plan.LATENCY.id: 6.0, plan.OUTAGE.id: 3.0}


def test_each_begins_where_it_is_free_first() -> None:
    assert last_of([], 3) == 0
    assert last_of([3, 2, 2, 4], 2) == 3 + 4, "the third begins after 2 s, the fourth after 3"
    assert last_of([3, 2, 2, 4], 9) == 4


def test_trials_that_run_alone_come_first_and_have_none_beside_them() -> None:
    assert side_by_side(BESIDE, 1) == 11
    assert side_by_side(BESIDE, 2) == 6
    assert side_by_side({**BESIDE, plan.QUEUED.id: 10.0}, 2) == 16


def test_the_longest_first_ends_no_later_where_it_matters() -> None:
    late = {plan.BLACK_HOLE.id: 2.0, plan.LATENCY.id: 2.0, plan.OUTAGE.id: 4.0}
    assert side_by_side(late, 2) == 6
    assert side_by_side(late, 2, longest_first=True) == 4


def test_every_trial_is_in_one_shard() -> None:
    for gate in recorded().values():
        found = list(shares(gate.trials, 5))
        assert len(found) == 5
        assert sorted(name for own in found for name in own) == sorted(gate.trials)


def test_a_report_s_trials_and_further_checks_are_told_apart() -> None:
    document, _ = run_of([case(one, "outage") for one in ("T1", "T2", "H1")])
    assert Gate.of_document(document) == Gate({"outage": 20.0}, checks=2, judging=2.0)


def test_the_page_has_the_tables_of_the_times_that_are_kept() -> None:
    text = PAGE.read_text(encoding="utf-8")
    made = list(tables(recorded()))
    assert len(made) == 4
    assert [table for table in made if table not in text] == []
    slower = {
        name: replace(gate, trials={trial: took * 2 for trial, took in gate.trials.items()})
        for name, gate in recorded().items()
    }
    assert not any(table in text for table in tables(slower)), "other times make other tables"

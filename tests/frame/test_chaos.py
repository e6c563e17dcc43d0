"""Chaos through the gate, as a team calls it: with a report, whose folder keeps what was found."""

import signal
from pathlib import Path

import pytest

from tests.backends.waiting import until
from tests.frame.gates import Gate


@pytest.mark.timeout(180)
def test_a_search_judges_where_nothing_was_found_before(tmp_path: Path) -> None:
    words = ("--replicas=2", "--service=tests.trial.declared:sound", "--only=chaos", "--chaos=2")
    with Gate(tmp_path, *words) as gate:
        code, said = gate.end()
        assert code == 0, said
        kept = {one["id"] for one in gate.document()["behaviours"] if one["verdict"] == "kept"}
        assert {"C1", "T1", "S6"} <= kept, said
        assert gate.left() == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("replicas", ["--replicas=1", "--replicas=2"])
def test_a_search_that_is_stopped_leaves_what_it_has_found(tmp_path: Path, replicas: str) -> None:
    chaos = ("--only=chaos", "--chaos=900")
    service = "--service=tests.chaos.declared:compensation_that_may_fail"
    found = tmp_path / "report" / "chaos-found"
    with Gate(tmp_path, replicas, service, *chaos) as gate:
        assert until(lambda: any(found.glob("*.py")), within=120, every=0.1)
        gate.process.send_signal(signal.SIGTERM)
        code, said = gate.end()
        assert code == 2, said
        promise, _, rest = next(found.glob("*.py")).name.partition("_")
        assert rest in ("by_1.py", "by_2.py")
        assert f"chaos had broken {promise.upper()}" in " ".join(said.split())
        assert str(found) in gate.document()["error"]
        test = (found / f"{promise}_{rest}").read_text("utf-8")
        assert f"expect_schedule_survived(brownout_record(FOUND_{promise.upper()})" in test
        compile(test, rest, "exec")
        assert gate.left() == []

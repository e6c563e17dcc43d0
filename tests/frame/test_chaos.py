"""Chaos through the gate, as a team calls it: with a report, whose folder keeps what was found."""

from pathlib import Path

import pytest

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

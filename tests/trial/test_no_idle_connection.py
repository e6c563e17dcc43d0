"""A service that keeps no connection between requests (Django's default) can be judged."""

from pathlib import Path

import pytest

from tests.frame.gates import Gate

MOMENTARY = ("restart", "terminated_backends")


@pytest.mark.timeout(180)
def test_faults_that_end_connections_meet_it_or_are_not_assessed(tmp_path: Path) -> None:
    only = ["V1/outage"]  # which every request meets
    only += [f"{behaviour}/{trial}" for behaviour in ("V2", "E5") for trial in MOMENTARY]
    service = "--service=tests.frame.unfit:connects_each_time"
    with Gate(tmp_path, "--replicas=1", service, f"--only={','.join(only)}") as gate:
        code, said = gate.end()
        verdicts = {one["id"]: one["verdict"] for one in gate.document()["behaviours"]}
    assert code == 0, said
    assert verdicts["V1"] == "kept", said
    assert {verdicts["V2"], verdicts["E5"]} <= {"kept", "not assessed"}, said

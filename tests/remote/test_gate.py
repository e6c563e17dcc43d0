"""`brownout gate` judges a service that already runs, through its proxy, and leaves both whole."""

import re
from pathlib import Path

import pytest

from brownout.backends.model import Backend
from brownout.reaper import Reaper
from tests.frame.gates import Gate
from tests.remote.staging import Staging, staging

pytestmark = pytest.mark.timeout(240)

UNLEASED = "--allow-unleased"
"""Only a Toxiproxy needs it; an engine does not mind."""


def with_verdict(gate: Gate, verdict: str) -> set[str]:
    """The promises that have it."""
    return {one["id"] for one in gate.document()["behaviours"] if one["verdict"] == verdict}


def operations(gate: Gate) -> list[str]:
    """The operations that it judged."""
    names: list[str] = gate.document()["session"]["service"]["operations"]
    return names


def judged(folder: Path, place: Staging, *words: str) -> tuple[Gate, int, str]:
    """A gate that has ended, its exit code and what it printed."""
    with Gate(folder, *place.words(UNLEASED, *words)) as gate:
        code, said = gate.end()
        assert gate.left() == []
    assert place.process.is_running(), "the service is not Brownout's to stop"
    assert place.is_whole()
    return gate, code, said


def test_a_sound_service_is_kept_and_nothing_is_accused(
    server: Backend, reaper: Reaper, tmp_path: Path, api: str
) -> None:
    only = (
        "--only=steady,outage,black_hole,latency,reset,cut,slow_statements,flapping,P5,S6,C1,C5,O2"
    )
    with staging(server, reaper, tmp_path, api) as place:
        gate, code, said = judged(tmp_path, place, "--allow-writes", only)
    assert code == 0, said
    kept = with_verdict(gate, "kept")
    assert kept >= {"E1", "E5", "E9", "H1", "H3", "H4", "T1", "T2", "T3", "T6", "V1", "V2", "V5"}
    assert with_verdict(gate, "not assessed") >= {"C1", "C5", "O2", "P5", "S6"}
    assert "C5 cannot be judged here: it counts rows in the database" in " ".join(said.split())
    assert not with_verdict(gate, "unknown")
    assert "place-order" in operations(gate)


def test_a_defect_that_only_network_faults_show_is_found(
    server: Backend, reaper: Reaper, tmp_path: Path, api: str
) -> None:
    """It answers 200 with an empty list when its database does not."""
    app = "tests.controls.broken.answers:empty_instead"
    with staging(server, reaper, tmp_path, api, app=app) as place:
        gate, code, said = judged(tmp_path, place, "--only=steady,outage")
    assert code == 1, said
    assert with_verdict(gate, "broken") == {"E9"}


def test_a_service_that_no_fault_reaches_is_not_blamed(
    server: Backend, reaper: Reaper, tmp_path: Path, api: str
) -> None:
    """It reaches its database around the proxy, and so answers throughout the outage."""
    with staging(server, reaper, tmp_path, api, around=True) as place:
        gate, code, said = judged(tmp_path, place, "--only=outage")
    assert code == 2, said
    assert not with_verdict(gate, "broken")
    assert "E9" in with_verdict(gate, "unknown")
    assert "Outage() was in force, and it hit nothing." in said


def test_it_says_what_it_will_do_before_it_does_anything(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere) as place:
        _, code, said = judged(tmp_path, place, "--only=steady")
    assert code == 0, said
    before, _, _ = said.partition("checks in")
    assert f"judging {place.url}" in before
    rows = " ".join(before.split())
    assert "which runs already and is neither stopped nor started" in rows
    assert f"http://{place.api}/orders, Brownout's engine, which leads from" in rows
    assert re.search(
        r"faults Bandwidth, BlackHole, CutAfter, Latency, Outage, .* in \d+ trials", rows
    )
    assert (
        "requests no writes, which --brownout-allow-writes would add; up to about 12 at once"
        in rows
    )
    assert re.search(r"promises \d+ assessed, \d+ not", rows)
    assert re.search(r"time up to about \d+ (min|s)", rows)
    assert "the engine, within 10 s (a lease)" in rows


def test_no_write_is_sent_that_was_not_allowed(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere) as place:
        gate, code, said = judged(tmp_path, place, "--only=steady,mistakes,conflict,lost_commit")
    assert code == 0, said
    assert operations(gate) == ["list-orders", "quote"]
    recordings = sorted(path.stem for path in (gate.report / "recordings").iterdir())
    assert recordings == ["steady"]
    assert "Writes to a service that already runs were not allowed." in said


def test_a_toxiproxy_needs_consent_since_nothing_heals_it_if_this_machine_dies(
    server: Backend, reaper: Reaper, tmp_path: Path, toxiproxy_elsewhere: str
) -> None:
    with staging(server, reaper, tmp_path, toxiproxy_elsewhere) as place:
        with Gate(tmp_path, *place.words("--only=outage")) as refused:
            code, said = refused.end()
        assert code == 2
        assert "is a Toxiproxy, which has no leases" in said
        assert "accept it with --brownout-allow-unleased" in said
        with Gate(tmp_path, *place.words("--only=steady", UNLEASED)) as allowed:
            code, said = allowed.end()
    assert code == 0, said
    before, _, _ = said.partition("checks in")
    assert "IF THIS MACHINE DIES, A FAULT STAYS" in " ".join(before.split())


def test_a_host_that_was_not_allowed_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    words = ["--remote-service=http://shop.invalid", "--remote-proxy=http://127.0.0.1:1/orders"]
    with Gate(
        tmp_path, "--backend=remote", *words, "--service=tests.remote.declared:kiosk"
    ) as gate:
        code, said = gate.end()
    assert code == 2
    assert said.count("leads to the host shop.invalid, which is not allowed.") == 1
    assert "add --brownout-remote-allow=shop.invalid" in said

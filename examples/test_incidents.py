"""The gate finds each incident where it is, and nowhere else: `make incidents`."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from brownout.behaviours import CATALOGUE
from examples.gallery import FOLDER, INCIDENTS, TWINS, Incident
from examples.judging import GATE

LEFT_OUT = {"H9", "O2"}
"""Two promises that any service so small breaks: it names no component that fails, and no trace."""

MADE = shutil.ignore_patterns("node_modules", "brownout-report", ".broken", ".mended", "go.sum")
REQUIRED = {".mjs": "BROWNOUT_REQUIRE_NODE", ".go": "BROWNOUT_REQUIRE_PGX"}


@contextmanager
def locked(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the file's lock, with others or alone."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that xdist's workers share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def gallery(shared: Path) -> Path:
    """A copy of the incidents, with what npm and Go fetch for them. The first worker makes it; the
    file missing.json says why those of a language cannot run."""
    folder = shared / "incidents"
    with locked(shared / "making", alone=True):
        if not (folder / "missing.json").exists():
            shutil.copytree(FOLDER, folder, ignore=MADE, dirs_exist_ok=True)
            missing = {".mjs": install(folder), ".go": fetch(folder)}
            (folder / "missing.json").write_text(json.dumps(missing), "utf-8")
    return folder


def install(folder: Path) -> str:
    """Install the packages for Node.js. Returns why that is not possible, or nothing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js and npm are needed"
    quick = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    return failure(["npm", "install", *quick], folder)


def fetch(folder: Path) -> str:
    """Compile a service for each Go module, so the gates only link. Returns why that is not
    possible, or nothing."""
    if shutil.which("go") is None:
        return "Go is needed"
    sources = sorted(folder.glob("*/broken.go"))
    modules = {("lib/pq" in path.read_text("utf-8")): path for path in sources}
    build = ["go", "build", "-mod=mod", "-o", os.devnull]
    return "".join(failure([*build, str(path)], folder) for path in modules.values())


def failure(words: list[str], folder: Path) -> str:
    """Run a command. Returns what it says if it fails."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return f"{' '.join(words)}: {done.stderr}" if done.returncode else ""


def need(suffix: str, gallery: Path) -> None:
    """Skip the test if the language of a service cannot be run here."""
    missing = json.loads((gallery / "missing.json").read_text("utf-8")).get(suffix)
    if missing and os.environ.get(REQUIRED[suffix]) == "1":
        pytest.fail(f"{REQUIRED[suffix]}=1, but {missing}")
    if missing:
        pytest.skip(missing)


def judged(incident: Incident, twin: str, gallery: Path, report: Path) -> tuple[str, Any]:
    """What the gate prints about one of the two services, and its report."""
    selection = ["--only", incident.judged or incident.trial]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    gate = subprocess.run(
        [*GATE, *selection, "--replicas", "1", "--report", str(report)],
        cwd=gallery / incident.name,
        env={**os.environ, "PATH": path, "VERSION": twin},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
        check=False,
    )
    return gate.stdout, json.loads((report / "brownout.json").read_text("utf-8"))


def having(verdict: str, report: Any) -> set[str]:
    """The promises that a report gives this verdict."""
    return {one["id"] for one in report["behaviours"] if one["verdict"] == verdict}


def accused(report: Any) -> set[str]:
    """The promises that a service is said to break, without those that follow from another."""
    following = {one for finding in report["findings"] for one in finding["following"]}
    return having("broken", report) - following - LEFT_OUT


def test_an_accusation_too_many_is_seen() -> None:
    given = {"S6": "broken", "V1": "broken", "O2": "broken", "H1": "broken", "E1": "kept"}
    report = {
        "behaviours": [{"id": name, "verdict": verdict} for name, verdict in given.items()],
        "findings": [{"following": ["V1"]}, {"following": []}],
    }
    assert accused(report) == {"S6", "H1"}


def like(said: str) -> str:
    """A pattern for what says the same with other numbers; a status and an exit code count, and
    what was seen last does not."""
    told = said.partition(" (after ")[0]
    parts = re.split(r"(?<![\d.])(?<!status )(?<!code )\d+(?:\.\d+)?", told)
    pattern = r"[\d.]+".join(map(re.escape, parts))
    return pattern.replace(r"\ ms", r"\ ms(?:\ \(\d+\ ms\ of\ it\ forgiven\))?")


def test_what_was_said_may_differ_in_its_numbers_only() -> None:
    pattern = like("2 of 5 failed: status 503 after 1.5 ms")
    assert re.search(pattern, "3 of 10 failed: status 503 after 12 ms")
    assert re.search(pattern, "3 of 10 failed: status 503 after 12 ms (4 ms of it forgiven)")
    assert not re.search(pattern, "3 of 10 failed: status 500 after 12 ms")
    assert re.search(like("not even after 3 s (after 2 s: 503)"), "not even after 1 s (after 0 s)")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("incident", INCIDENTS, ids=[one.name for one in INCIDENTS])
def test_the_defect_is_found_where_it_is(
    incident: Incident, twin: str, gallery: Path, shared: Path, tmp_path: Path
) -> None:
    """Every promise that its trial can show is judged, so an accusation too many is found, too."""
    need(incident.source(twin).suffix, gallery)
    with locked(shared / "judging", alone=incident.alone):
        printed, report = judged(incident, twin, gallery, tmp_path)
    if twin == "mended":
        assert (accused(report), having("unknown", report)) == (set(), set()), printed
        assert incident.promise in having("kept", report), printed
        assert report["exit_code"] == 0, printed
        return
    assert incident.promise in accused(report), printed
    assert accused(report) <= {incident.promise, *incident.also}, printed
    # A process that ended leaves no answers to judge; an empty pool, nothing that meets a fault.
    assert incident.promise == "S6" or having("unknown", report) <= set(incident.also), printed
    title = re.escape(CATALOGUE[incident.promise].title)
    assert re.search(rf"^  {incident.promise} +{incident.verdict} +{title}", printed, re.M), printed
    (found,) = [
        finding["text"]
        for finding in report["findings"]
        if incident.promise in {promise["id"] for promise in finding["promises"]}
    ]
    said = filter(None, (incident.says, incident.or_says))
    assert any(re.search(like(one), found) for one in said), printed

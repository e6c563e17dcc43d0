"""How many replicas a gate runs, and that one of them makes each trial."""

import sys
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from brownout.cli import gate
from brownout.errors import BrownoutError
from brownout.plugin.grouping import runs_suites
from tests.frame.whole_runs import suites
from tests.plugin.test_handover import DECLARATION

ROOT = Path(__file__).parents[2]


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Pytest's arguments of a gate that is not run; on a machine with eight cores."""
    given: list[str] = []

    def instead(command: list[str]) -> int:
        given.extend(command)
        return 0

    monkeypatch.setattr(gate, "run", instead)
    (tmp_path / "brownout_service.py").write_text(DECLARATION)
    monkeypatch.delitem(sys.modules, "brownout_service", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.chdir(tmp_path)
    return given


@pytest.mark.parametrize(
    ("words", "replicas"),
    [
        ([], "4"),
        (["--replicas=2"], "2"),
        (["--replicas=6"], "6"),
        (["--replicas=1"], None),
        (["--backend=docker"], None),
        (["--backend=docker", "--replicas=3"], "3"),
        (["--brownout-postgres=postgresql://me@host/db"], None),
        (["-n", "7"], "7"),
        (["-n7"], None),
        (["-p", "no:xdist"], None),
        (["-pno:xdist"], None),
        (["--collect-only"], None),
        (["--co"], None),
        (["--pdbcls=a:B"], None),
        (["--dist=load"], None),
        (["--color=yes"], "4"),
        (["--code-highlight=no", "--cov"], "4"),
    ],
)
def test_replicas_that_fit_unless_the_caller_decides(
    arguments: list[str], words: list[str], replicas: str | None
) -> None:
    gate.main(words)
    assert ("-n" in arguments) is (replicas is not None)
    if replicas is not None:
        assert arguments[arguments.index("-n") + 1] == replicas
        assert arguments.count("-n") == 1


@pytest.mark.parametrize(
    ("field", "words", "replicas"),
    [
        ("replicas=1", [], None),
        ("replicas=1", ["--replicas=4"], None),
        ("replicas=2", [], "2"),
        ("replicas=6", [], "4"),
        ("log=Path('service.log')", [], None),
    ],
)
def test_a_service_admits_so_many(
    arguments: list[str], tmp_path: Path, field: str, words: list[str], replicas: str | None
) -> None:
    declared = tmp_path / "brownout_service.py"
    text = declared.read_text().replace("Service(", f"Service({field}, ", 1)
    declared.write_text(f"from pathlib import Path\n{text}")
    gate.main(words)
    given = arguments[arguments.index("-n") + 1] if "-n" in arguments else None
    assert given == replicas


@pytest.mark.parametrize(("words", "replicas"), [([], None), (["--replicas=3"], "3")])
def test_a_fixture_that_only_pytest_can_call_is_judged_on_one_replica(
    arguments: list[str], tmp_path: Path, words: list[str], replicas: str | None
) -> None:
    """How many its service admits is not known before the run."""
    (tmp_path / "brownout_service.py").unlink()
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef service_under_test(tmp_path): ...\n"
    )
    gate.main(words)
    assert arguments, "pytest would have been run"
    given = arguments[arguments.index("-n") + 1] if "-n" in arguments else None
    assert given == replicas


def test_where_memory_is_short_there_are_fewer(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short:
        available = 1_200_000_000

    monkeypatch.setattr(psutil, "virtual_memory", Short)
    gate.main([])
    assert arguments[arguments.index("-n") + 1] == "2"


@pytest.mark.parametrize("number", ["0", "x", "33", "-1"])
def test_a_number_of_replicas_that_makes_no_sense_is_refused(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((SystemExit, BrownoutError)):
        gate.main([f"--replicas={number}"])
    assert "a number from 1 to 32 is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "only_suites"),
    [
        (["suites"], True),
        (["suites/test_outage.py::test_x[outage]"], True),
        (["./suites/../suites"], True),
        (["brownout.suites"], True),
        (["brownout.suites.test_outage"], True),
        (["suites", "tests"], False),
        (["tests"], False),
        (["brownout.suitesmore"], False),
        ([], False),
    ],
)
def test_only_a_run_of_the_suites_hands_out_whole_trials(
    words: list[str], only_suites: bool
) -> None:
    assert runs_suites(words, ROOT) is only_suites


def test_one_worker_makes_each_trial() -> None:
    """The items of one trial are one worker's, also where several files judge it."""
    code, said, left = suites("-n", "2", "-vv", "-k", "outage or reset or black_hole", suite="")
    assert code == 0, said
    assert left == []
    workers: dict[str, set[str]] = defaultdict(set)
    for line in said.splitlines():
        if line.startswith("[gw") and line.rstrip().endswith("]"):
            workers[line.rstrip()[:-1].rpartition("[")[2]].add(line[:5])
    assert len(workers) > 3
    assert all(len(names) == 1 for names in workers.values()), workers
    assert len(set().union(*workers.values())) == 2, "both had work"

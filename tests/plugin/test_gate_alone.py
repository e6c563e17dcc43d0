"""The gate stands on its own: where it finds the declaration, and what of a project it leaves out.

Each gate here runs as a command in a folder of its own; its service needs no database.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.test_handover import DECLARATION

COMMAND = [sys.executable, "-P", "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())"]

KEPT = """
import pytest
from brownout.settings.inherited import inherited

@pytest.mark.behaviour("T1")
def test_it(service_under_test):
    print("pool", service_under_test.budget.pool, "of", __name__)
    with open("inherited.txt", "w") as file:  # a worker's output is not shown
        file.write(str(inherited().get("PYTHONSAFEPATH")))
"""

FIXTURE = """
import pytest
from declaration import declare

@pytest.fixture(scope="session")
def service_under_test():
    return declare(5)
"""

Gate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a module that can declare a service, and nothing that does."""
    (tmp_path / "declaration.py").write_text(DECLARATION)
    return tmp_path


@pytest.fixture
def gate(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Gate:
    """Call the gate in the folder; it judges by one test of our own, which needs no service."""
    stand_in = tmp_path_factory.mktemp("stand_in") / "brownout_stand_in"
    stand_in.mkdir()
    (stand_in / "__init__.py").write_text(
        "from brownout.cli import own_run\n"
        f"own_run._suites = lambda: [{str(stand_in / 'test_kept.py')!r}]\n"
    )
    (stand_in / "test_kept.py").write_text(KEPT)
    monkeypatch.setenv("PYTHONPATH", str(stand_in.parent))
    command = [*COMMAND[:3], "import brownout_stand_in; " + COMMAND[3]]

    def run(*words: str, replicas: int | None = 1) -> subprocess.CompletedProcess[str]:
        number = [] if replicas is None else [f"--replicas={replicas}"]
        return subprocess.run(
            [*command, "gate", *number, "-s", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=160,  # as in tests/frame/gates.py
            check=False,
        )

    return run


def test_conftest_of_the_folder_declares(folder: Path, gate: Gate) -> None:
    (folder / "conftest.py").write_text(FIXTURE)
    result = gate()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "pool 5" in result.stdout
    assert result.stdout.splitlines()[0] == (
        f"brownout gate: judging `serve {{port}}` in {folder}, declared by the fixture "
        "service_under_test in conftest.py; backend embedded"
    )


@pytest.mark.parametrize("body", ["yield declare(5)", "return request.config and declare(5)"])
def test_fixture_that_only_pytest_can_call(folder: Path, gate: Gate, body: str) -> None:
    parameter = "request" if "request" in body else ""
    source = FIXTURE.replace("test()", f"test({parameter})").replace("return declare(5)", body)
    (folder / "conftest.py").write_text(source)
    result = gate()
    assert "pool 5" in result.stdout, result.stdout + result.stderr
    assert result.stdout.startswith(f"brownout gate: judging a service in {folder}, declared by ")


def test_imported_fixture_declares(folder: Path, gate: Gate) -> None:
    (folder / "fixtures.py").write_text(FIXTURE)
    (folder / "conftest.py").write_text("from fixtures import service_under_test\n")
    assert "pool 5" in gate().stdout


def test_module_of_the_folder_declares(folder: Path, gate: Gate) -> None:
    (folder / "brownout_service.py").write_text("from declaration import service\n")
    result = gate()
    assert "pool 3" in result.stdout, result.stdout + result.stderr
    assert "declared by brownout_service.py; backend" in result.stdout.splitlines()[0]
    result = gate(replicas=2)
    assert result.returncode == 0, result.stdout + result.stderr


TOML = """
command = ["serve", "{port}"]
[health]
live = "/l"
ready = "/r"
[budget]
request = "1 s"
recovery = 3
pool = 7
"""


def test_toml_declares(folder: Path, gate: Gate) -> None:
    (folder / "brownout.toml").write_text(TOML)
    result = gate(replicas=2)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "declared by brownout.toml; backend" in result.stdout.splitlines()[0]
    assert "pool 7" in gate().stdout


def test_toml_of_another_folder_is_named_by_the_option(folder: Path, gate: Gate) -> None:
    (folder / "orders").mkdir()
    (folder / "orders" / "brownout.toml").write_text(TOML)
    result = gate("--service=orders/brownout.toml")
    assert "pool 7" in result.stdout, result.stdout + result.stderr


def test_table_in_pyproject_declares(folder: Path, gate: Gate) -> None:
    table = "[tool.brownout]" + TOML.replace("\n[", "\n[tool.brownout.")
    (folder / "pyproject.toml").write_text(table)
    result = gate()
    assert "pool 7" in result.stdout, result.stdout + result.stderr
    assert "declared by [tool.brownout] in pyproject.toml; " in result.stdout.splitlines()[0]


def test_wrong_toml_is_refused_once(folder: Path, gate: Gate) -> None:
    (folder / "brownout.toml").write_text(TOML.replace("live", "liveness"))
    result = gate()
    assert result.returncode == 2
    assert result.stderr == (
        f"brownout gate: {folder}/brownout.toml: [health] has no field 'liveness'.\n"
        "What to do: Did you mean 'live'?\n"
    )


def test_a_declared_port_leaves_room_for_one_replica(folder: Path, gate: Gate) -> None:
    (folder / "brownout.toml").write_text("port = 8000\n" + TOML)
    assert "replicas" not in gate(replicas=None).stdout.splitlines()[0]
    assert "replicas" not in gate(replicas=2).stdout.splitlines()[0]


def test_option_declares(gate: Gate) -> None:
    result = gate("--service=declaration:service")
    assert "pool 3" in result.stdout, result.stdout + result.stderr
    assert "by --brownout-service = declaration:service; " in result.stdout.splitlines()[0]
    result = gate("--service=declaration:service", replicas=2)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("replicas", [1, 2])
def test_nothing_of_the_projects_tests_is_loaded(
    folder: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, replicas: int
) -> None:
    (folder / "conftest.py").write_text(FIXTURE)
    for name in ("tests", "test_more"):
        (folder / name).mkdir()
        (folder / name / "conftest.py").write_text("raise RuntimeError('loaded')\n")
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --cov=. --no-such-option\nfilterwarnings = error\n"
        "brownout_backend = docker\nasyncio_mode = nonsense\n"
    )
    (folder / "annoying.py").write_text("raise RuntimeError('loaded')\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "annoying")
    result = gate(replicas=replicas)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "backend embedded" in result.stdout
    assert {path.name for path in folder.iterdir()} >= {"brownout-report"}
    assert ".pytest_cache" not in {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    "name",
    ["secrets.py", "psutil.py", "_pytest.py", "brownout.py", "queue.py", "types.py", "token.py"],
)
def test_modules_of_the_project_stand_in_for_no_other(folder: Path, gate: Gate, name: str) -> None:
    (folder / "brownout.toml").write_text(TOML)
    (folder / name).write_text("raise RuntimeError('loaded')\n")
    result = gate(replicas=2)  # the workers and pytest itself
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("own", [None, "", "1"])
def test_a_service_finds_its_modules_as_it_does_without_the_gate(
    folder: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch, own: str | None, replicas: int
) -> None:
    """The gate's own PYTHONSAFEPATH is not the service's; an empty one is none to Python."""
    if own is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", own)
    (folder / "brownout.toml").write_text(TOML)
    result = gate(replicas=replicas)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (folder / "inherited.txt").read_text() == (own or "None")


def test_conftest_that_declares_nothing_is_not_loaded(folder: Path, gate: Gate) -> None:
    (folder / "conftest.py").write_text("raise RuntimeError('loaded')\n")
    result = gate("--service=declaration:service")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("plugin", ["anyio", "hypothesispytest", "timeout", "schemathesis"])
def test_plugins_of_others_are_not_loaded(folder: Path, gate: Gate, plugin: str) -> None:
    (folder / "conftest.py").write_text(
        FIXTURE
        + "\ndef pytest_configure(config):\n"
        + f"    assert not config.pluginmanager.hasplugin({plugin!r})\n"
        + "def pytest_collection_finish(session):\n"
        + f"    assert not session.config.pluginmanager.hasplugin({plugin!r})\n"
        + "    print('asked')\n"
    )
    result = gate()
    assert "asked" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0


def test_the_file_that_is_found_may_also_be_named(folder: Path, gate: Gate) -> None:
    (folder / "brownout.toml").write_text(TOML)
    assert gate("--service=brownout.toml").returncode == 0


def test_the_command_that_reproduces_does_not_name_the_file_that_is_found(
    folder: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "brownout.toml").write_text(TOML)
    monkeypatch.setenv("BROWNOUT_SERVICE", "")
    assert gate().returncode == 0
    document = json.loads((folder / "brownout-report" / "brownout.json").read_text())
    named = document["settings"]["service"]
    assert named["value"] == str(folder / "brownout.toml")
    assert named["origin"].startswith("brownout_service in ")


def test_two_declarations_are_named(folder: Path, gate: Gate) -> None:
    (folder / "conftest.py").write_text(FIXTURE)
    (folder / "brownout_service.py").write_text("from declaration import service\n")
    result = gate()
    assert result.returncode == 2
    assert result.stderr.startswith(
        "brownout gate: The service is declared more than once: by brownout_service.py and by the "
        "fixture service_under_test in conftest.py.\n"
    )
    assert "test session starts" not in result.stdout
    document = json.loads((folder / "brownout-report" / "brownout.json").read_text())
    assert "declared more than once" in document["error"]


def test_no_declaration_names_every_way_and_where_one_is(folder: Path, gate: Gate) -> None:
    below = folder / "checks"
    below.mkdir()
    (below / "conftest.py").write_text(FIXTURE)
    result = gate()
    assert result.returncode == 2
    for way in (
        "brownout.toml",
        "[tool.brownout]",
        "brownout_service.py",
        "--service",
        "service_under_test in conftest.py",
    ):
        assert way in result.stderr
    assert f"call the gate in {below}" in result.stderr
    assert "test session starts" not in result.stdout


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (
            FIXTURE.replace("declare(5)", "__import__('brownout').Budget(recover=3)"),
            ["raised TypeError", "conftest.py, line 7", "Did you mean 'recovery'?"],
        ),
        (
            FIXTURE.replace("declare(5)", "declare(0)"),
            ["Budget: pool is 0", "declaration.py, line 7"],
        ),
        (FIXTURE.replace("declare(5)", "None"), ["gives nothing (None)"]),
        ("import nowhere\n" + FIXTURE, ["No module named 'nowhere'", "conftest.py, line 1"]),
        ("service_under_test = (\n", ["SyntaxError", "conftest.py, line 1"]),
    ],
)
def test_wrong_conftest_is_refused_once(
    folder: Path, gate: Gate, source: str, lines: list[str]
) -> None:
    (folder / "conftest.py").write_text(source)
    result = gate()
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) < 10, result.stderr
    for line in lines:
        assert line in result.stderr
    assert "test session starts" not in result.stdout
    assert "Traceback" not in result.stderr + result.stdout


def test_editable_install_judges_the_folder_where_it_is_called(folder: Path, gate: Gate) -> None:
    """The sample service of this checkout has its conftest.py beside the suites."""
    (folder / "conftest.py").write_text(FIXTURE)
    assert "sample_service" not in gate().stdout
    (folder / "conftest.py").unlink()
    assert gate().returncode == 2


def test_secrets_in_the_command_are_not_shown(folder: Path, gate: Gate) -> None:
    (folder / "brownout_service.py").write_text(
        DECLARATION.replace('"serve"', '"serve", "--api-key=k1", "--password", "p2", "u://a:p3@h"')
    )
    first = gate().stdout.splitlines()[0]
    assert "`serve --api-key=… --password … u://a:…@h {port}`" in first


OWN = """
import pytest
from brownout.trial import Trial

@pytest.fixture
def brownout_recording(): pass

@pytest.mark.behaviour("T1")
@pytest.mark.trials(Trial("our_own"))
def test_own(brownout_recording): pass
"""


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("Q9", "There is no promise or trial 'Q9'"),
        ("T1/side_by_side", "No test judges what --only names as 'T1/side_by_side'"),
    ],
)
def test_a_wrong_word_in_only_is_refused_before_a_report_is_replaced(
    folder: Path, gate: Gate, word: str, cause: str
) -> None:
    report = folder / "brownout-report" / "brownout.json"
    report.parent.mkdir()
    report.write_text("earlier")
    result = gate(f"--only={word}")
    assert result.returncode == 2
    assert cause in result.stderr
    assert "What to do: " in result.stderr
    assert result.stdout == ""
    assert report.read_text() == "earlier"


def test_a_trial_of_a_test_that_is_named_as_well_is_no_wrong_word(folder: Path, gate: Gate) -> None:
    (folder / "conftest.py").write_text(FIXTURE)
    (folder / "test_own.py").write_text(OWN)
    result = gate("--only=our_own", "test_own.py")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 kept" in result.stdout

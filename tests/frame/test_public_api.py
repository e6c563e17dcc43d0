"""The names that others rely on: a change here is a change for every adopter."""

import ast
from importlib.metadata import entry_points, version
from pathlib import Path

import brownout
from brownout import faults
from brownout.plugin import fixtures
from brownout.settings.options import OPTIONS

PACKAGE = Path(brownout.__file__).parent

NAMES = """
    Answer BackendUnavailable BrownoutError Budget Completion ContractViolation Degraded Errors
    FaultNotFelt Health Kind NotAssessable Operation Outcome Problem ProxyError RFC9457_SCHEMA
    Service ServiceNotReady SettingsError __version__ kib ms seconds
"""

FAULTS = """
    Bandwidth BlackHole Commit CommitNeverArrives CutAfter CutAt DelayedAt Direction Fault
    Latency LockedTables Loss LostCommitReply NoFreeSlots Outage RefusedAuthentication Reset
    Restart RevokedPermission ServerError Side StalledAt Statement Step SwallowedCancels
    TerminatedBackends
"""

FIXTURES = """
    brownout_backend brownout_baseline brownout_engine brownout_load brownout_postgres
    brownout_probe brownout_reaper brownout_refusals brownout_service brownout_settings
    brownout_steady brownout_writes service_under_test
"""

OPTION_NAMES = """
    backend postgres pg_bin postgres_image toxiproxy_image service start_timeout strict report
"""


def test_names_of_the_package() -> None:
    assert sorted(brownout.__all__) == sorted(NAMES.split())
    assert all(hasattr(brownout, name) for name in brownout.__all__)


def test_names_of_the_faults() -> None:
    assert sorted(faults.__all__) == sorted(FAULTS.split())


def test_names_of_the_fixtures() -> None:
    public = [name for name in fixtures.__all__ if not name.startswith("_")]
    assert sorted(public) == sorted(FIXTURES.split())


def test_names_of_the_options() -> None:
    assert [option.name for option in OPTIONS] == OPTION_NAMES.split()


def test_every_module_says_what_is_public() -> None:
    silent = []
    for path in sorted(PACKAGE.rglob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        public = [
            node for node in body if isinstance(node, definitions) and not node.name.startswith("_")
        ]
        targets = [name for node in body for name in _assigned(node)]
        if public and "__all__" not in targets and path.name != "__main__.py":
            silent.append(str(path.relative_to(PACKAGE)))
    assert not silent


def _assigned(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def test_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_distribution_registers_the_plugin_and_the_command() -> None:
    (plugin,) = entry_points(group="pytest11", name="brownout")
    (command,) = entry_points(group="console_scripts", name="brownout")
    assert plugin.value == "brownout.plugin"
    assert command.value == "brownout.cli:main"
    assert version("pytest-brownout") == brownout.__version__

"""The names that others rely on: a change here is a change for every adopter."""

import ast
import importlib
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import brownout
from brownout.chaos import CHAOS
from brownout.plugin import fixtures
from brownout.settings.options import OPTIONS
from brownout.trial import Trial, plan
from tests.frame.surface import SURFACE

PACKAGE = Path(brownout.__file__).parent

FIXTURES = """
    brownout_backend brownout_engine brownout_load brownout_postgres brownout_probe
    brownout_reaper brownout_record brownout_recording brownout_recordings brownout_service
    brownout_settings brownout_steady service_under_test
"""

TRIALS = """
    abandoned_queries always_conflicting always_cut always_ended back_at_baseline bad_value
    bandwidth black_hole black_hole_to_service breaking cached_plans chaos_1 chaos_2 chaos_3 chaos_4
    commit_refused conflict crash crowd crowd_in_a_black_hole cut cut_after_200_bytes
    cut_after_40_bytes cut_after_8_bytes disk_full ended_in_use event_loop_liveness
    event_loop_without_database failed_requests failing_once fallback feed_black_hole feed_ended
    feed_outage flapping found_mistakes freeze full_pool hang_ups heavy_route held_open hurried
    latency
    latency_d_over_5 latency_d_over_8 liveness_in_a_black_hole locked_tables long_outage lost_commit
    mistakes no_free_slots one_by_one one_table_locked origins outage overload probe_crowd queued
    reconnecting redeployed_in_a_black_hole redeployed_in_an_outage redeployed_while_starting_up
    refused_statements reset restart
    revoked_permission same_key side_by_side silent_commit silent_connections slow_statements
    stampede starting_up steady sweep_1 sweep_2 sweep_3 sweep_4 switchover terminated_backends
    unanswered_connects unanswered_writes under_slow_probes without_database_gone
    without_database_silent without_database_slow write_histories
"""

OPTION_NAMES = """
    backend postgres pg_bin cache postgres_image toxiproxy_image remote_service remote_proxy
    remote_ca remote_allow allow_writes allow_unleased service start_timeout strict only
    sweep sweep_cases sweep_seed chaos chaos_seed load load_key shard shard_durations baseline
    report
"""


@pytest.mark.parametrize("module", SURFACE)
def test_names_of_a_public_module(module: str) -> None:
    names = importlib.import_module(module).__all__
    assert sorted(names) == sorted(SURFACE[module])
    assert all(hasattr(importlib.import_module(module), name) for name in names)


def test_the_documents_name_each_public_module_and_name() -> None:
    page = (PACKAGE.parents[1] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    missing = [
        f"{module}.{name}"
        for module, names in SURFACE.items()
        for name in names
        if f"`{name}`" not in page.partition(f"## `{module}`")[2].partition("\n## ")[0]
    ]
    assert missing == []


def test_the_documents_count_the_trials_with_a_fault() -> None:
    page = (PACKAGE.parents[1] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert f"| `WITH_A_FAULT` | {len(plan.WITH_A_FAULT)} trials: " in page


def test_names_of_the_fixtures() -> None:
    public = [name for name in fixtures.__all__ if not name.startswith("_")]
    assert sorted(public) == sorted(FIXTURES.split())


def test_ids_of_the_trials_and_each_is_one_trial_s() -> None:
    planned = {trial for name in plan.__all__ for trial in _trials(getattr(plan, name))}
    assert sorted(trial.id for trial in {*planned, *CHAOS}) == sorted(TRIALS.split())


def test_every_trial_of_the_plan_is_public() -> None:
    named = {name for name, value in vars(plan).items() if list(_trials(value))}
    assert named == set(plan.__all__)


def _trials(value: object) -> Iterator[Trial]:
    """A trial, or each of several; of anything else none."""
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, Trial):
            yield one


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

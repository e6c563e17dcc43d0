"""Ten jobs, each a shard of one run, give the verdicts of that run: by the commands of
docs/how-to/ci.md."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from brownout.settings.options import OPTIONS
from tests.frame.documented import BLOCKS

TINY = Path(__file__).with_name("tiny_service.py")
DECLARATION = f"""
command = ["{sys.executable}", "{TINY}", "{{port}}", "{{dsn}}"]
health = {{ live = "/live", ready = "/ready" }}
budget = {{ request = "3 s", recovery = "5 s", pool = 2 }}
replicas = 1

[[operations]]
kind = "read"
name = "ask"
method = "GET"
path = "/"
"""
TRIALS = (
    *("outage", "reset", "cut", "bandwidth", "latency"),
    *("starting_up", "ended_in_use", "no_free_slots"),
)
ONLY = ",".join(["E1/outage", "E1/reset", *(f"S6/{trial}" for trial in TRIALS)])
"""What neither a clock nor chance decides: under faults that each request meets, the service is
alive, and its errors have another format."""

BESIDE = 2
"""How many of the ten run at once: a machine of CI has one, and an engine has 15 s to start."""

WITHIN = 150.0  # seconds
_NOT_INHERITED = {option.variable for option in OPTIONS} | {"PYTEST_ADDOPTS"}


def workflow() -> dict[str, Any]:
    """The jobs of the page's matrix."""
    found = [
        yaml.safe_load(block.text)
        for block in BLOCKS
        if block.document == "docs/how-to/ci.md" and "matrix:" in block.text
    ]
    assert len(found) == 1
    jobs: dict[str, Any] = found[0]["jobs"]
    return jobs


def command(job: Mapping[str, Any], word: str) -> str:
    """The command of the job's step that has this word."""
    (one,) = [step["run"] for step in job["steps"] if word in step.get("run", "")]
    return str(one)


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "BROWNOUT_ONLY": ONLY, **more}


def run(text: str, folder: Path, **more: str) -> tuple[int, str]:
    """The exit code of a shell's command, and what it printed."""
    done = subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment(**more), capture_output=True, text=True,
        check=False, timeout=WITHIN,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "brownout.json").read_text("utf-8"))
    return found


def verdicts(of: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    return {one["id"]: (one["verdict"], one["tolerated"]) for one in of["behaviours"]}


def judged_in(of: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {test["test"]: test["verdicts"] for test in of["tests"]}


@pytest.mark.timeout(WITHIN * 7)
def test_ten_shards_in_ten_processes_give_the_verdicts_of_one_run(tmp_path: Path) -> None:
    (tmp_path / "brownout.toml").write_text(DECLARATION, encoding="utf-8")
    recipe = workflow()
    numbers = recipe["shard"]["strategy"]["matrix"]["shard"]
    assert numbers == list(range(1, 11))
    assert recipe["shard"]["env"] == {"SHARD": "${{ matrix.shard }}"}
    one_shard = command(recipe["shard"], "brownout gate")
    with ThreadPoolExecutor(BESIDE) as beside:
        ended = list(
            beside.map(lambda number: run(one_shard, tmp_path, SHARD=str(number)), numbers)
        )
    said = "\n".join(text for _, text in ended)
    assert {code for code, _ in ended} <= {0, 1, 2}, said

    merge = command(recipe["resilience"], "report merge")
    code, merged_said = run(merge, tmp_path)
    merged = document(tmp_path / "brownout-report")
    whole_code, whole_said = run("brownout gate --report whole", tmp_path)
    whole = document(tmp_path / "whole")
    assert merged["error"] is None, said
    assert verdicts(merged) == verdicts(whole), (merged_said, whole_said)
    assert verdicts(whole) == {"E1": ("broken", False), "S6": ("kept", False)}
    assert (code, merged["exit_code"]) == (whole_code, whole["exit_code"])
    assert judged_in(merged) == judged_in(whole)
    assert len(merged["tests"]) == len(whole["tests"])

    # Without one of them, what it has is unknown.
    shutil.rmtree(tmp_path / "shards" / "4")
    code, said = run(merge, tmp_path)
    assert code == document(tmp_path / "brownout-report")["exit_code"] == 1, "E1 is broken still"
    assert "Shard 4 of 10 is missing." in said
    assert verdicts(document(tmp_path / "brownout-report"))["S6"] == ("unknown", False)

"""The commands in docs/how-to/ci.md and in action.yml are ones that the gate understands."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from brownout import __version__
from brownout.cli.arguments import parser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GATES = re.findall(r"^[ -]*(?:run: )?(?:/tmp/brownout/bin/)?brownout gate(.*)$", PAGE, re.MULTILINE)


def steps() -> list[str]:
    """The scripts of the action's steps."""
    return [step["run"] for step in ACTION["runs"]["steps"]]


@pytest.mark.parametrize("words", sorted(set(GATES)))
def test_a_command_of_the_page_is_one_of_the_gate_s(words: str) -> None:
    _, rest = parser().parse_known_args(shlex.split(words))
    assert rest == []


def test_the_page_has_commands_and_an_unknown_option_would_be_seen() -> None:
    assert len(set(GATES)) >= 4
    assert parser().parse_known_args(["--basline", "x"])[1] == ["--basline", "x"]


def test_the_action_takes_its_inputs_through_the_environment_alone() -> None:
    assert not any("${{" in script for script in steps())
    used = {name for name in ACTION["inputs"] if f"inputs.{name} " in yaml.dump(ACTION)}
    assert used == set(ACTION["inputs"])


def test_what_the_page_says_of_the_action_is_one_of_its_inputs() -> None:
    example = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])
    (given,) = [
        step["with"]
        for step in example["jobs"]["resilience"]["steps"]
        if "OWNER" in step.get("uses", "")
    ]
    assert set(given) <= set(ACTION["inputs"])
    table = PAGE.partition("| input |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == set(ACTION["inputs"])


def test_each_recipe_pins_this_version_of_which_a_baseline_is() -> None:
    installed = re.findall(r"pytest-brownout(?:\[[\w,]+\])?(==[\d.]+)?(?=[\s\"])", PAGE)
    assert len(installed) == 7
    assert set(installed) == {f"=={__version__}"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"BASELINE": "", "ONLY": "", "STRICT": "false"}, ["gate"]),
        (
            {"BASELINE": "a b.json", "ONLY": "E1;touch x", "STRICT": "true"},
            ["gate", "--baseline", "a b.json", "--only", "E1;touch x", "--strict"],
        ),
    ],
)
def test_the_action_hands_its_inputs_to_the_gate_as_they_are(
    tmp_path: Path, environment: dict[str, str], expected: list[str]
) -> None:
    stand_in = tmp_path / "brownout" / "bin" / "brownout"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\n', encoding="utf-8")
    stand_in.chmod(0o700)
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run(
        [bash, "-eu", "-o", "pipefail", "-c", steps()[1]],
        cwd=tmp_path,
        env={**environment, "RUNNER_TEMP": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert (tmp_path / "words").read_text(encoding="utf-8").splitlines() == expected


def test_the_verdict_is_shown_where_there_is_one(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    summary = tmp_path / "summary"

    def show() -> None:
        subprocess.run(
            [bash, "-eu", "-o", "pipefail", "-c", steps()[2]],
            cwd=tmp_path,
            env={"GITHUB_STEP_SUMMARY": str(summary), "PATH": "/usr/bin:/bin"},
            check=True,
        )

    show()
    assert not summary.exists()
    (tmp_path / "brownout-report").mkdir()
    (tmp_path / "brownout-report" / "summary.md").write_text("# kept\n", encoding="utf-8")
    show()
    assert summary.read_text(encoding="utf-8") == "# kept\n"

"""A shell completes commands and their options."""

import shutil
import subprocess
from pathlib import Path

import pytest

from brownout.cli import main
from brownout.cli.commands import COMMANDS

ASK = """
source "$1"
shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
$(complete -p brownout | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "brownout.bash"
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("sys.stdout.write", written.append)
        assert main(["completion", "bash"]) == 0
    path.write_text("".join(written))
    return path


def completed(script: Path, *words: str) -> set[str]:
    """What bash offers for the last word."""
    ran = subprocess.run(
        ["bash", "-c", ASK, "bash", str(script), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(ran.stdout.split())


def test_commands_are_completed(script: Path) -> None:
    assert set(COMMANDS) <= completed(script, "brownout", "")
    assert completed(script, "brownout", "do") == {"doctor"}


def test_options_of_a_command_are_completed(script: Path) -> None:
    assert {"--backend", "--baseline"} <= completed(script, "brownout", "gate", "--ba")
    assert completed(script, "brownout", "proxy", "--con") == {"--config"}
    assert "--baseline" not in completed(script, "brownout", "proxy", "--")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_with_every_command(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    made = capsys.readouterr().out
    assert all(name in made for name in COMMANDS)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=made, text=True, timeout=60, check=True)


def test_without_shtab_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("brownout.cli.completion.find_spec", lambda _: None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'pytest-brownout[completion]'" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_where_the_table_says(name: str) -> None:
    assert COMMANDS[name].options().prog == f"brownout {name}"

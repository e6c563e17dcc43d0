"""Every code block of the documents is run, or checked as far as it can be without running it.

| language | |
|---|---|
| python | tests run against the sample service, all else is run as it is; but see `PARTS` |
| toml | declares a service, or a part of one |
| sh, bash, console | each command exists and takes its options; but see `FOREIGN` |
| yaml, json, http | is well-formed |
| ini | read by the test that reads the document; see `ELSEWHERE` |
| diff | made of two files by examples/gallery.py |
| text | what commands print, and diagrams: nothing to run |
"""

import ast
import contextlib
import importlib.util
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from brownout import cli
from brownout.cli.arguments import parser
from brownout.control import EngineProcess
from brownout.declaration.tables import service_from
from tests.frame.documented import BLOCKS, ROOT, Block, written

FOREIGN: Final = {
    ".": "the shell's own",
    "cd": "the shell's own",
    "cp": "copies a file",
    "export": "the shell's own",
    "kill": "sends a signal",
    "kubectl": "a client of Kubernetes",
    "mkdir": "makes a folder",
    "psql": "a client of PostgreSQL",
}
"""Programs that are not looked into."""

PARTS: Final = {
    "docs/reference/wire.md:1": "a fault that is felt needs requests in the place of `...`: its "
    "faults are made",
    "docs/reference/declaration.md:10": "the suites are a package only in the wheel: "
    "test_documents.py compares the names",
    "sample_service/README.md:2": "a part that another service replaces: it is compiled",
}
"""Python that is not run as it is, and what is done in its place."""

ELSEWHERE: Final = {"docs/how-to/recipes.md": "test_recipes.py runs it as it stands"}
"""Documents whose Python is run by another test."""

LANGUAGES: Final = {
    *("python", "toml", "yaml", "json", "http", "sh", "bash", "console", "text", "ini", "diff"),
    "dockerfile",
}
NEEDED: Final = (
    'command = ["x"]\nhealth = { live = "/l", ready = "/r" }\n'
    "budget = { request = 1, recovery = 1, pool = 1 }\n"
)


def of(*languages: str) -> list[Block]:
    """The blocks in these languages."""
    return [block for block in BLOCKS if block.language in languages]


SHELLS: Final = ("sh", "bash", "console")
COMMANDS: Final = sorted({one for block in of(*SHELLS) for one in block.commands()})
"""Every command of every block."""


def with_id(block: Block) -> str:
    return block.name


def is_test(block: Block) -> bool:
    return block.language == "python" and re.search(r"def test_", block.text) is not None


def test_every_block_has_a_language_that_is_looked_at() -> None:
    assert {block.name for block in BLOCKS if block.language not in LANGUAGES} == set()
    fences = sum(len(re.findall(r"^ *```", text, re.MULTILINE)) for text in written().values())
    assert fences == 2 * len(BLOCKS)
    assert len(BLOCKS) > 150


# -- commands -----------------------------------------------------------------------------------


def helped(*command: str) -> str:
    """The help of one of Brownout's commands, or that which names them all."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        cli.main([*command, "--help"])
    return said.getvalue()


def require_brownout(words: list[str]) -> None:
    """Refuse a call of Brownout that it would not understand."""
    command, *rest = words
    assert re.search(rf"^  {command} ", helped(), re.MULTILINE), command
    if command == "gate":
        assert parser().parse_known_args(rest)[1] == []
    known = helped(command)
    for word in rest:
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word.partition('=')[0])}\b", known), word


@pytest.mark.parametrize("block", of("dockerfile"), ids=with_id)
def test_an_image_has_files_that_there_are_or_runs_a_command_that_there_is(block: Block) -> None:
    entries = re.findall(r"^ENTRYPOINT (.+)$", block.text, re.MULTILINE)
    copied = [line.split() for line in re.findall(r"^COPY (.+) \./$", block.text, re.MULTILINE)]
    assert entries or copied
    for entry in entries:
        first, *words = json.loads(entry)
        assert first == "brownout"
        require_brownout(words)
    for names in copied:
        assert any(
            all((folder / name).is_file() for name in names)
            for folder in (ROOT / "examples").iterdir()
        )


def program(words: list[str]) -> str:
    """The program of a command: the first word that sets no variable."""
    return next(word for word in words if not re.match(r"[A-Z_]+=", word))


def require_command(text: str) -> None:
    """Refuse a command that does not exist, or whose options or names do not."""
    words = shlex.split(text)
    first = program(words)
    rest = words[words.index(first) + 1 :]
    called = Path(first).name or first
    if called == "brownout":
        require_brownout(rest)
    elif called == "make":
        made = (ROOT / "Makefile").read_text(encoding="utf-8")
        for target in (word for word in rest if "=" not in word):
            assert re.search(rf"^{re.escape(target)}:", made, re.MULTILINE), target
    elif called in {"pip", "pipx"}:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        for wanted in re.findall(r"pytest-brownout\[([\w,]+)\]", text):
            assert set(wanted.split(",")) <= set(extras["optional-dependencies"]), text
    elif called in {"python3", "python"} and rest[:1] == ["-m"]:
        assert importlib.util.find_spec(rest[1]) is not None, text
    else:
        assert called in FOREIGN, text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_a_block_is_one(command: str) -> None:
    require_command(command)


def test_each_block_of_a_shell_has_commands() -> None:
    assert [block.name for block in of(*SHELLS) if not list(block.commands())] == []


@pytest.mark.parametrize(
    "wrong",
    ["brownout gat", "brownout gate --basline x", "brownout report --compair a b", "make tset",
     "pip install 'pytest-brownout[embeded]'", "python -m no_such_module", "unheard-of"],
)  # fmt: skip
def test_a_wrong_command_would_be_seen(wrong: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        require_command(wrong)


def test_what_is_foreign_is_used() -> None:
    used = {program(shlex.split(command)) for command in COMMANDS}
    assert set(FOREIGN) <= used


# -- data ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of("toml"), ids=with_id)
def test_toml_declares_a_service_or_a_part_of_one(block: Block, tmp_path: Path) -> None:
    for check in of("python"):
        if check.document == block.document and check.text.startswith("def has_a_code"):
            (tmp_path / "shop_checks.py").write_text(check.text, encoding="utf-8")
    # A service that runs already needs no command.
    whole = {"command", "budget"} & tomllib.loads(block.text).keys()
    path = tmp_path / "brownout.toml"
    path.write_text(block.text if whole else NEEDED + block.text, encoding="utf-8")
    service_from(path)


@pytest.mark.parametrize("block", of("yaml", "json"), ids=with_id)
def test_data_is_well_formed(block: Block) -> None:
    read = json.loads if block.language == "json" else yaml.safe_load
    assert isinstance(read(block.text), dict | list)


@pytest.mark.parametrize("block", of("http"), ids=with_id)
def test_a_call_of_the_engine_is_one(block: Block) -> None:
    line, _, body = block.text.partition("\n")
    method, path = line.split()
    assert method == "POST"
    assert path.startswith("/proxies")
    assert isinstance(json.loads(body), dict)


# -- Python -------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of("python"), ids=with_id)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(
    "block",
    [
        one
        for one in of("python")
        if not is_test(one)
        and one.name not in PARTS
        and not one.title
        and one.document not in ELSEWHERE
    ],
    ids=with_id,
)
def test_python_runs(block: Block) -> None:
    names: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        if "brownout_engine" in block.text:
            engine = names["brownout_engine"] = stack.enter_context(EngineProcess.start())
            engine.client.create_proxy("orders", "127.0.0.1:9", protocol="postgresql")
        exec(compile(block.text, block.name, "exec"), names)  # noqa: S102 - our own document


def test_the_faults_of_a_part_can_be_made() -> None:
    (block,) = [one for one in of("python") if one.name == "docs/reference/wire.md:1"]
    tree = ast.parse(block.text)
    names: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            module = ast.Module([node], type_ignores=[])
            exec(compile(module, block.name, "exec"), names)  # noqa: S102
    made = [
        eval(compile(ast.Expression(call.args[0]), block.name, "eval"), names)  # noqa: S307
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".inject")
    ]
    assert [type(fault).__name__ for fault in made] == ["ServerError", "LostCommitReply"]


def test_each_part_is_a_block() -> None:
    assert set(PARTS) <= {block.name for block in of("python")}


@pytest.mark.timeout(180)
def test_the_tests_of_the_documents_pass_against_the_sample_service(tmp_path: Path) -> None:
    blocks = [one for one in BLOCKS if is_test(one) and one.document not in ELSEWHERE]
    assert len(blocks) >= 5
    for at, block in enumerate(blocks):
        (tmp_path / f"test_block_{at}.py").write_text(block.text, encoding="utf-8")
    conftest = (ROOT / "conftest.py").read_text(encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        conftest.replace("Path(__file__).parent", repr(str(ROOT))), encoding="utf-8"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BROWNOUT_", "PYTEST"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider"],
        cwd=tmp_path, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=170,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(blocks)} passed" in done.stdout

"""Prose names who acts, and documents keep to a readable width."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [path for name in ("fixtures", "suites") for path in sorted((ROOT / name).rglob("*.py"))]

AGENTLESS = re.compile(r"\b(nobody|somebody|anybody|whoever|whomever)\b", re.IGNORECASE)
CODE = re.compile(r"(`+)[^`]+\1")
NAME = re.compile(r"""[bfru]*("|')[\w.-]+\1""", re.IGNORECASE)
URL = re.compile(r"https?://\S+")

PROSE_TOKENS = {
    tokenize.COMMENT,
    tokenize.STRING,
    getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING),  # Python 3.12 or newer
}

WIDTH = 120


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield each comment, docstring and string of a module with its line, but no quoted name."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in PROSE_TOKENS and not NAME.fullmatch(token.string):
            yield token.start[0], token.string


def agentless(text: str, first_line: int = 1) -> list[str]:
    """Name each such word in a text, outside code quotes, with its line."""
    text = CODE.sub(lambda code: re.sub(r"[^\n]", "x", code[0]), text)
    return [
        f"{first_line + text.count(chr(10), 0, found.start())}: {found[0]}"
        for found in AGENTLESS.finditer(text)
    ]


def agentless_in_module(source: str) -> list[str]:
    """Name each such word in the prose of a Python module, with its line."""
    return [word for line, text in prose(source) for word in agentless(text, line)]


def wide_lines(document: str) -> list[int]:
    """List the lines of a document that are too wide; tables, code blocks and URLs are exempt."""
    wide, in_code = [], False
    for number, line in enumerate(document.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith("|") and len(URL.sub("", line)) > WIDTH:
            wide.append(number)
    return wide


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_prose_of_a_module_names_who_acts(path: Path) -> None:
    assert agentless_in_module(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_document_names_who_acts(path: Path) -> None:
    assert agentless(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_document_keeps_to_the_width(path: Path) -> None:
    assert wide_lines(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1  # Nobody waits.", ["1: Nobody"]),
        ('"""First.\n\nFor whoever asks.\n"""', ["3: whoever"]),
        ('raise Error("somebody else\'s", x)', ["1: somebody"]),
        ('f"{name} waits for anybody"', ["1: anybody"]),
    ],
)
def test_agentless_word_in_a_module_is_found(source: str, found: list[str]) -> None:
    assert agentless_in_module(source) == found


@pytest.mark.parametrize(
    "source", ['user = "nobody"', "# as the user `nobody`", "nobody = somebody()"]
)
def test_name_in_a_module_is_not_prose(source: str) -> None:
    assert agentless_in_module(source) == []


def test_agentless_word_in_a_document_is_found() -> None:
    assert agentless("The user `nobody`\nexists.\n\nNobody's `x`.") == ["4: Nobody"]


def test_wide_line_is_found_and_what_may_be_wide_is_not() -> None:
    wide = "x" * (WIDTH + 1)
    assert wide_lines(f"short\n{wide}\n") == [2]
    assert wide_lines(f"| {wide} |\n\n```\n{wide}\n```\n\n[a page](https://{wide})\n") == []

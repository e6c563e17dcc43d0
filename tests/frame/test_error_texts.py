"""Every error says what to do, in whole sentences."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import brownout
from brownout import errors

PACKAGE = Path(brownout.__file__).parent

# FaultNotFelt names the fault and NotAssessable the missing declaration: that says what to do.
ERRORS = {
    name for name in errors.__all__ if issubclass(getattr(errors, name), errors.BrownoutError)
}
NEED_A_REMEDY = ERRORS - {"FaultNotFelt", "NotAssessable"}

SOURCES = {
    str(path.relative_to(PACKAGE)): path.read_text("utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}


def raised(source: str, names: set[str]) -> list[ast.Call]:
    """The calls in a module that make one of these errors."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def without_remedy(source: str) -> list[int]:
    """The lines of those that do not say what to do."""
    return [
        call.lineno
        for call in raised(source, NEED_A_REMEDY)
        if "remedy" not in {keyword.arg for keyword in call.keywords}
    ]


def texts(source: str) -> Iterator[ast.expr]:
    """The cause and the remedy of each error, every branch of a conditional one."""
    for call in raised(source, ERRORS):
        waiting = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "remedy")]
        while waiting:
            text = waiting.pop()
            if isinstance(text, ast.IfExp):
                waiting += [text.body, text.orelse]
            else:
                yield text


def ends(text: ast.expr) -> tuple[str, str]:
    """A text's first and last characters; empty where they are known only at run time."""
    match text:
        case ast.Constant(value=str(words)):
            return words[:1], words[-1:]
        case ast.JoinedStr(values=[first, *_] as parts):
            return ends(first)[0], ends(parts[-1])[1]
        case ast.BinOp(left=left, right=right):
            return ends(left)[0], ends(right)[1]
    return "", ""


def not_sentences(source: str) -> list[int]:
    """The lines of texts that do not begin with a capital letter or end with a full stop."""
    found = []
    for text in texts(source):
        first, last = ends(text)
        if (first and not first.isupper()) or (last and last not in ".?"):
            found.append(text.lineno)
    return found


def test_every_error_says_what_to_do() -> None:
    assert sum(len(raised(source, NEED_A_REMEDY)) for source in SOURCES.values()) > 50
    silent = [
        f"{path}:{line}" for path, source in SOURCES.items() for line in without_remedy(source)
    ]
    assert silent == []


def test_one_that_does_not_is_found() -> None:
    assert without_remedy("raise ProxyError('gone')\nraise ProxyError('x', remedy='y')") == [1]


def test_every_error_is_in_whole_sentences() -> None:
    wrong = [f"{path}:{line}" for path, source in SOURCES.items() for line in not_sentences(source)]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("'It is gone.'", True),
        ("f'{place}: it is {gone}'", True),
        ("f'It is {gone}.'", True),
        ("'it is gone.'", False),
        ("'It is gone'", False),
        ("f'it is {gone}.'", False),
        ("'It is gone.' if gone else 'It is here'", False),
    ],
)
def test_what_is_not_a_sentence_is_found(text: str, whole: bool) -> None:
    assert not_sentences(f"raise NotAssessable({text})") == ([] if whole else [1])
    assert not_sentences(f"raise ProxyError('Gone.', remedy={text})") == ([] if whole else [1])

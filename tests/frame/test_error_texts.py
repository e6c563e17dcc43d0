"""Every error of ours says what to do: whoever raises one has to think of the reader."""

import ast
from pathlib import Path

import brownout
from brownout import errors

PACKAGE = Path(brownout.__file__).parent

# FaultNotFelt names the fault and NotAssessable the missing declaration: that says what to do.
NEED_A_REMEDY = {
    name
    for name in errors.__all__
    if issubclass(getattr(errors, name), errors.BrownoutError)
    and name not in {"FaultNotFelt", "NotAssessable"}
}


def raised(source: str) -> list[ast.Call]:
    """The calls in a module that make one of these errors."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in NEED_A_REMEDY
    ]


def without_remedy(source: str) -> list[int]:
    """The lines of those that do not say what to do."""
    return [
        call.lineno
        for call in raised(source)
        if "remedy" not in {keyword.arg for keyword in call.keywords}
    ]


def test_every_error_says_what_to_do() -> None:
    sources = {path: path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    assert sum(len(raised(source)) for source in sources.values()) > 50
    silent = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path, source in sources.items()
        for line in without_remedy(source)
    ]
    assert silent == []


def test_one_that_does_not_is_found() -> None:
    assert without_remedy("raise ProxyError('gone')\nraise ProxyError('x', remedy='y')") == [1]

"""The tests of the suites judge every operation, also where one of them cannot be assessed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import brownout.expectations

SUITES = Path(__file__).parents[2] / "suites"
MAY_GIVE_UP = {
    name
    for name in brownout.expectations.__all__
    if "`NotAssessable`" in (getattr(brownout.expectations, name).__doc__ or "")
}


def given_up(source: str) -> Iterator[str]:
    """The expectations that end a loop where they cannot judge what comes first."""
    for loop in ast.walk(ast.parse(source)):
        if isinstance(loop, ast.For):
            inside = (one for part in loop.body for one in ast.walk(part))
            names = (one.id for one in inside if isinstance(one, ast.Name))
            yield from (name for name in names if name in MAY_GIVE_UP - {"expect_each"})


def test_what_cannot_be_assessed_of_one_hides_nothing_of_another() -> None:
    found = {path.name: list(given_up(path.read_text("utf-8"))) for path in SUITES.glob("*.py")}
    assert found
    assert not {name: names for name, names in found.items() if names}, "use expect_each"


def test_a_loop_that_gives_up_is_found() -> None:
    loop = "for one in two:\n    {}(one)\n"
    assert list(given_up(loop.format("expect_refused_absent"))) == ["expect_refused_absent"]
    assert not list(given_up(loop.format("expect_all_succeed")))

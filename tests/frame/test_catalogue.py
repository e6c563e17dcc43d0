"""The catalogue is whole, and what the suites assess is what it says they assess."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout.behaviours import CATALOGUE, SOURCES, Area, Level, find
from brownout.errors import SettingsError

SUITES = Path(__file__).parents[2] / "suites"

IDS = {
    Area.ERROR_FORMAT: "E1 E2 E3 E4 E5 E6 E7 E8 E9 E10",
    Area.HEALTH: "H0 H1 H2 H3 H4 H5 H6 H7 H8 H9 H10",
    Area.DEADLINES: "T1 T2 T3 T4 T5 T6 T7",
    Area.POOL: "P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12",
    Area.RETRIES: "R1 R2 R3 R4 R5 R6 R7 R8",
    Area.BREAKER: "B1 B2 B3 B4 B5 B6",
    Area.OVERLOAD: "L1 L2 L3 L4 L5",
    Area.CONSISTENCY: "C1 C2 C3 C4 C5 C6 C7",
    Area.RECOVERY: "V1 V2 V3 V4 V5 V6 V7 V8",
    Area.LIFECYCLE: "S1 S2 S3 S4 S5 S6",
    Area.INSIGHT: "O1 O2 O3 O4 X1 X2 X3 Z1 Z2",
}
SHOULD = "E3 E6 H6 H8 H9 T4 T7 P8 P11 P12 R2 R3 R8 B4 L5 V4 S5 O2 O3"
DECLARED = "E10 T4 B1 B2 B3 B4 B5 B6 C6 C7 X2 V8 P12"


def marked(folder: Path) -> Iterator[tuple[str, str]]:
    """Each behaviour's id that a test below `folder` is marked with, and where."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "behaviour"
            ):
                for argument in node.args:
                    assert isinstance(argument, ast.Constant)
                    yield str(argument.value), f"{path.name}:{node.lineno}"


def test_every_behaviour_is_there_in_order() -> None:
    expected = [behaviour for ids in IDS.values() for behaviour in ids.split()]
    assert list(CATALOGUE) == expected
    for area, ids in IDS.items():
        assert [entry.id for entry in CATALOGUE.values() if entry.area is area] == ids.split()


def test_levels_and_what_must_be_declared() -> None:
    shoulds = {entry.id for entry in CATALOGUE.values() if entry.level is Level.SHOULD}
    assert shoulds == set(SHOULD.split())
    declared = {entry.id for entry in CATALOGUE.values() if entry.declared}
    assert declared == set(DECLARED.split())


def test_every_title_fits_beside_a_figure_and_names_one_promise() -> None:
    titles = [entry.title for entry in CATALOGUE.values()]
    assert len(set(titles)) == len(titles)
    for title in titles:
        assert 10 <= len(title) <= 41, title
        assert not title.endswith("."), title


def test_every_promise_reads_as_one_and_has_its_source() -> None:
    known = (*SOURCES, "#", "RFC", "measured", "Polly", "resilience4j", "asyncio")
    for entry in CATALOGUE.values():
        assert entry.promise, entry.id
        assert not entry.promise.endswith("."), entry.id
        assert any(source in entry.source for source in known), entry.id


def test_every_mark_in_the_suites_names_a_behaviour() -> None:
    unknown = [
        f"{behaviour} ({where})"
        for behaviour, where in marked(SUITES)
        if behaviour not in CATALOGUE
    ]
    assert not unknown


def test_every_behaviour_of_the_catalogue_is_judged() -> None:
    assert {behaviour for behaviour, _ in marked(SUITES)} == set(CATALOGUE)


def test_guidance_is_a_few_whole_sentences() -> None:
    for entry in CATALOGUE.values():
        for text in (entry.guidance.why, entry.guidance.mend):
            assert 60 <= len(text) <= 400, entry.id
            assert text.endswith("."), entry.id


@pytest.mark.parametrize(
    ("wrong", "close"), [("t1", "T1"), ("T9", "T"), ("E11", "E1"), (" H3", "H3")]
)
def test_unknown_id_is_answered_with_the_closest(wrong: str, close: str) -> None:
    with pytest.raises(SettingsError) as caught:
        find(wrong)
    assert f"Did you mean '{close}" in caught.value.remedy


def test_id_that_resembles_none_is_answered_with_where_they_are() -> None:
    with pytest.raises(SettingsError, match=r"brownout\.behaviours\.CATALOGUE"):
        find("???")

"""The measure of what is caught: `make detection` runs every control and writes the matrix.

`python -m tests.controls.detection FOLDER` reads what the controls' tests left in FOLDER, writes
`detection.json` there and the tables of docs/explanation/detection.md.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.controls.catalogue import CONTROLS
from tests.controls.chain import ROOT, Judgement
from tests.controls.control import Control
from tests.controls.known import KNOWN

__all__ = ["FOLDER", "PAGE", "Row", "false_accusations", "main", "rows", "write_judgement"]

FOLDER: Final = "BROWNOUT_DETECTION"
"""The environment variable that names the folder for the matrix."""

PAGE: Final = ROOT / "docs" / "explanation" / "detection.md"
_FIRST: Final = "<!-- From here on: written by make detection. -->\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One defect of one control: the numbers of known defects that it shows, the control's name,
    what is wrong, the promises that must report it and those that did."""

    shows: tuple[int, ...]
    control: str
    what: str
    breaks: tuple[str, ...]
    caught_by: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Whether a promise that fits each of its numbers reported it."""
        fitting = [KNOWN[number].fits for number in self.shows] or [frozenset(self.breaks)]
        return all(fits & set(self.caught_by) for fits in fitting)


def write_judgement(control: Control, seen: Judgement, folder: Path) -> None:
    """Leave the verdicts on one control in `folder`, for the matrix."""
    folder.mkdir(parents=True, exist_ok=True)
    verdicts = {
        **dict.fromkeys(control.judged_by, "kept"),
        **dict.fromkeys(seen.broken, "broken"),
        **dict.fromkeys(seen.unknown, "unknown"),
        **dict.fromkeys(seen.not_assessed, "not assessed"),
    }
    path = folder / f"{control.name}.control.json"
    path.write_text(json.dumps(dict(sorted(verdicts.items()))), encoding="utf-8")


def rows(verdicts: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    """One row for each defect that breaks a promise, from the verdicts by control; a control that
    did not run caught nothing."""
    for control in CONTROLS.values():
        given = verdicts.get(control.name, {})
        for defect in control.defects:
            breaks = tuple(sorted(defect.breaks))
            caught = [one for one in breaks if given.get(one) == "broken"]
            if breaks:
                yield Row(defect.shows, control.name, defect.what, breaks, tuple(caught))


def false_accusations(verdicts: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """By control, the promises that were reported and that none of its defects breaks."""
    found = {
        name: sorted(
            one
            for one, verdict in given.items()
            if verdict == "broken" and one not in CONTROLS[name].breaks
        )
        for name, given in verdicts.items()
    }
    return {name: wrong for name, wrong in found.items() if wrong}


def main(arguments: Sequence[str]) -> int:
    """Write the matrix and, if every control ran, the page; 1 if one did not run, a defect was
    missed or a promise falsely accused."""
    folder = Path(arguments[0])
    suffix = ".control.json"
    verdicts = {
        path.name.removesuffix(suffix): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob(f"*{suffix}"))
        if path.name.removesuffix(suffix) in CONTROLS
    }
    made, accused = list(rows(verdicts)), false_accusations(verdicts)
    missed = [row for row in made if not row.caught]
    matrix = {
        "known": {number: known.what for number, known in KNOWN.items()},
        "defects": [{**asdict(row), "caught": row.caught} for row in made],
        "controls": verdicts,
        "false_accusations": accused,
    }
    target = folder / "detection.json"
    target.write_text(json.dumps(matrix, indent=1), encoding="utf-8")
    absent = sorted(set(CONTROLS) - set(verdicts))
    if absent:
        print(f"matrix: {target}\nThe page is left as it was: {len(absent)} controls did not run,")
        print(f"such as {absent[0]}. Run `make detection` without a selection.")
        return 1
    prose = PAGE.read_text(encoding="utf-8").partition(_FIRST)[0]
    PAGE.write_text(f"{prose}{_FIRST}\n{_tables(made, accused)}", encoding="utf-8")
    counts = _counts(made, accused)
    print(f"{counts}\nmatrix: {target}\npage: {PAGE.relative_to(ROOT)}")
    for row in missed:
        print(f"missed: {row.what} ({row.control}); expected {', '.join(row.breaks)}")
    for name, wrong in accused.items():
        print(f"falsely accused: {name} of {', '.join(wrong)}")
    return 1 if missed or accused else 0


def _counts(made: Sequence[Row], accused: Mapping[str, Sequence[str]]) -> str:
    numbers = {number for row in made for number in row.shows}
    missed = {number for row in made if not row.caught for number in row.shows}
    caught = sum(row.caught for row in made)
    wrong = sum(map(len, accused.values()))
    return (
        f"{len(numbers - missed)} of {len(KNOWN)} known defects are caught in each of their forms; "
        f"{caught} of {len(made)} forms in all; {wrong} false accusations in {len(CONTROLS)} "
        "services."
    )


def _tables(made: Sequence[Row], accused: Mapping[str, Sequence[str]]) -> str:
    lines = [_counts(made, accused), ""]
    for number, known in KNOWN.items():
        shown = [row for row in made if number in row.shows]
        lines += [f"### {number}. {known.what}", "", *_table(shown), ""]
    others = [row for row in made if not row.shows]
    return "\n".join([*lines, "### Further defects", "", *_table(others), ""])


def _table(shown: Sequence[Row]) -> list[str]:
    return [
        "| in this form | service | caught by |",
        "|---|---|---|",
        *(f"| {row.what} | `{row.control}` | {_caught(row)} |" for row in shown),
    ]


def _caught(row: Row) -> str:
    return " ".join(row.caught_by) if row.caught else f"**missed** ({' '.join(row.breaks)})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

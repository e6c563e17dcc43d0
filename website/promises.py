"""A page for each promise of the catalogue: how it is judged, what breaks it, what mends it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from brownout.behaviours import CATALOGUE, SOURCES, Area, Behaviour
from brownout.behaviours.frameworks import by_framework
from brownout.trial import Trial
from tests.controls.catalogue import CONTROLS
from website.sources import DOCS, ROOT

__all__ = ["Judged", "judged", "place_of", "promise_pages"]

_FOLDER: Final = "reference/promises"
_INCIDENTS: Final = "incidents.md"


@dataclass(frozen=True, slots=True)
class Judged:
    """A test of the suites: the promises that it judges, its name in words, what its docstring
    says, where it is, and the trials on whose recordings it judges."""

    behaviours: tuple[str, ...]
    words: str
    says: str
    place: str
    trials: tuple[Trial, ...]


@cache
def judged() -> Sequence[Judged]:
    """Every test of the suites that judges a promise."""
    return tuple(_judged())


def _judged() -> Iterator[Judged]:
    for path in sorted((ROOT / "suites").glob("test_*.py")):
        module = import_module(f"suites.{path.stem}")
        for name, test in vars(module).items():
            marks: Sequence[Any] = getattr(test, "pytestmark", ())
            ids = tuple(id_ for mark in marks if mark.name == "behaviour" for id_ in mark.args)
            if name.startswith("test_") and ids:
                trials = tuple(one for mark in marks if mark.name == "trials" for one in mark.args)
                words = name.removeprefix("test_").replace("_", " ")
                says = " ".join((test.__doc__ or "").split())
                yield Judged(ids, words[0].upper() + words[1:], says, f"{path.stem}.py", trials)


def place_of(behaviour: Behaviour) -> str:
    """Where the promise's page is in the site."""
    return f"{_FOLDER}/{behaviour.id}.md"


def promise_pages() -> dict[str, str]:
    """The pages by their place, and one that lists them."""
    pages = {place_of(one): _page(one) for one in CATALOGUE.values()}
    return {f"{_FOLDER}/index.md": _index(), **pages}


def _index() -> str:
    lines = [
        f"# The {len(CATALOGUE)} promises",
        "",
        "A broken *must* fails the run; a broken *should* is reported, and fails a strict run "
        "only. *Declared* promises are assessed only for a service that declares the feature. D is "
        "the declared deadline of a request, RTO the declared recovery time.",
    ]
    for area in Area:
        lines += ["", f"## {area.value}", "", "| | level | promise |", "|---|---|---|"]
        for one in CATALOGUE.values():
            if one.area is area:
                declared = ", declared" if one.declared else ""
                lines.append(
                    f"| [{one.id}]({one.id}.md) | {one.level.value}{declared} "
                    f"| **{one.title}**: {one.promise} |"
                )
    return "\n".join([*lines, ""])


def _page(behaviour: Behaviour) -> str:
    declared = " It is assessed only for services that declare the feature." * behaviour.declared
    lines = [
        f"# {behaviour.id}: {behaviour.title}",
        "",
        f"> {behaviour.promise[0].upper()}{behaviour.promise[1:]}.",
        "",
        f"Level: **{behaviour.level.value}**. Area: {behaviour.area.value}."
        f" Source: {_source(behaviour)}.{declared}",
        "",
        "## Why it matters",
        "",
        behaviour.guidance.why,
        "",
        "## How it is usually mended",
        "",
        behaviour.guidance.mend,
        *_by_framework(behaviour),
        "",
        "## How it is judged",
        "",
        *_judgements(behaviour),
        *_what_breaks_it(behaviour),
        *_incidents(behaviour),
        "",
        "## Judge it alone",
        "",
        "```console",
        f"$ brownout gate --only {behaviour.id}",
        f"$ brownout explain {behaviour.id}",
        "```",
    ]
    return "\n".join([*lines, ""])


def _source(behaviour: Behaviour) -> str:
    named = [full for short, full in SOURCES.items() if short in behaviour.source.split(", ")]
    return behaviour.source if not named else f"{behaviour.source} ({'; '.join(named)})"


def _by_framework(behaviour: Behaviour) -> Iterator[str]:
    advice = by_framework(behaviour.id)
    if advice:
        yield from ("", "| with | |", "|---|---|")
        yield from (f"| {framework} | {text} |" for framework, text in advice.items())


def _judgements(behaviour: Behaviour) -> Iterator[str]:
    for test in judged():
        if behaviour.id in test.behaviours:
            yield f"- **{test.words}** (`suites/{test.place}`). {test.says}".rstrip()
            yield f"  In {_listed(test.trials)}." if test.trials else "  Without a fault."


def _listed(trials: Sequence[Trial]) -> str:
    return ", ".join(_trial(one) for one in trials)


def _trial(trial: Trial) -> str:
    if trial.fault is None:
        return f"`{trial.id}`"
    name = type(trial.fault).__name__.removesuffix("OfDeadline")
    return f"[`{trial.id}`](../faults/{name}.md)"


def _what_breaks_it(behaviour: Behaviour) -> Iterator[str]:
    shown = [
        defect.what
        for control in CONTROLS.values()
        for defect in control.defects
        if behaviour.id in defect.breaks
    ]
    yield from ("", "## What breaks it", "")
    yield "Services with these defects are among Brownout's own tests; this promise catches them:"
    yield ""
    yield from (f"- {what}" for what in dict.fromkeys(shown))
    yield ""
    yield "[What is caught](../../explanation/detection.md) has all known defects."


def _incidents(behaviour: Behaviour) -> Iterator[str]:
    """The incidents of the gallery in which it was broken, where there is a gallery."""
    gallery = DOCS / _INCIDENTS
    if not gallery.exists():
        return
    found = [title for title, text in _sections(gallery) if re.search(rf"\b{behaviour.id}\b", text)]
    if found:
        yield from ("", "## Incidents in which it was broken", "")
        yield from (f"- [{title}](../../{_INCIDENTS}#{_slug(title)})" for title in found)


def _sections(page: Path) -> Iterator[tuple[str, str]]:
    """Its sections: title and text."""
    for section in re.split(r"^##+ ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        yield title.strip(), f"{title}\n{text}"


def _slug(title: str) -> str:
    """The anchor that Python-Markdown gives a title."""
    plain = re.sub(r"[^\w\s-]", "", title.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", plain)

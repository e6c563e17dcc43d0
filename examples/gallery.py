"""The incidents as data, and the page that is made from them: `make incidents-page`."""

import difflib
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from brownout.behaviours import CATALOGUE, Level

__all__ = ["FOLDER", "INCIDENTS", "PAGE", "TWINS", "Incident", "page"]

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "examples" / "incidents"
PAGE: Final = ROOT / "docs" / "incidents.md"
TWINS: Final = ("broken", "mended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One public report, rebuilt as a small service in two versions; see incidents.toml. What the
    gate `says` of it, or `or_says` where the machine decides which of two signs comes first."""

    name: str
    title: str
    reports: list[str]
    stack: str
    promise: str
    trial: str
    says: str
    happened: str
    mends: str
    also: Mapping[str, str] = field(default_factory=dict)
    judged: str = ""
    alone: bool = False
    or_says: str = ""

    @property
    def only(self) -> str:
        """What shows the defect, as `--only` takes it."""
        return f"{self.promise}/{self.trial}"

    @property
    def verdict(self) -> str:
        """What the gate calls the broken promise: a *should* does not fail the run."""
        return "broken" if CATALOGUE[self.promise].level is Level.MUST else "tolerated"

    def source(self, twin: str) -> Path:
        """The file of the broken or of the mended service."""
        (path,) = (FOLDER / self.name).glob(f"{twin}.*")
        return path

    def difference(self, context: int = 1) -> list[str]:
        """The lines in which the two differ, each after its sign, with some around them."""
        broken, mended = (self.source(twin).read_text("utf-8").splitlines() for twin in TWINS)
        _, _, *lines = difflib.unified_diff(broken, mended, n=context, lineterm="")
        text = "\n".join("" if line.startswith("@@") else line.rstrip() for line in lines)
        return text.strip("\n").splitlines()


def _load() -> tuple[Incident, ...]:
    with (FOLDER / "incidents.toml").open("rb") as file:
        return tuple(Incident(**one) for one in tomllib.load(file)["incidents"])


INCIDENTS: Final = _load()
_FIRST: Final = "<!-- From here on: written by make incidents-page. -->\n"


def page() -> str:
    """The whole page, in Markdown: its first part is written by hand."""
    prose = PAGE.read_text("utf-8").partition(_FIRST)[0]
    table = [
        f"| [{one.title}](#{_anchor(one.title)}) | {one.stack} | {one.promise} |"
        for one in INCIDENTS
    ]
    head = ["| incident | stack | promise |", "|---|---|---|", *table, ""]
    parts = [head, *map(list, map(_section, INCIDENTS))]
    return f"{prose}{_FIRST}\n" + "\n".join("\n".join(part) for part in parts)


def _section(incident: Incident) -> Iterator[str]:
    reports = ", ".join(f"[{_short(url)}]({url})" for url in incident.reports)
    promise = CATALOGUE[incident.promise]
    yield f"## {incident.title}\n"
    yield f"Reported in {reports}.\n"
    yield _wrapped(incident.happened)
    yield from ["```diff", *incident.difference(), "```\n"]
    yield _wrapped(f"**What mends it.** {incident.mends}")
    yield f"```sh\ncd examples/incidents/{incident.name}"
    yield f"brownout gate --only {incident.only}\n```\n"
    yield "The gate prints, for instance:\n"
    yield f"```text\n{incident.promise}  {incident.verdict}  {promise.title}"
    yield f"    {incident.says}\n```\n"
    if incident.also:
        also = "; ".join(f"{one}: {why}" for one, why in incident.also.items())
        yield _wrapped(f"Also broken by it: {also}.")


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _short(url: str) -> str:
    owner, name, _, number = url.removeprefix("https://github.com/").split("/")
    return f"{owner}/{name}#{number}"


def _wrapped(text: str, width: int = 120) -> str:
    """The paragraph in lines of that width; what stands in backquotes is not broken."""
    lines = [""]
    for word in re.findall(r"[^\s`]*`[^`]+`\S*|\S+", text):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{len(INCIDENTS)} incidents: {PAGE.relative_to(ROOT)}\n")

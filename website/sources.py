"""The pages that are written by hand, with links that hold in the site."""

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["PROJECT", "ROOT", "own_pages"]

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"

PROJECT: Final = {
    "README.md": "project/readme.md",
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "examples/README.md": "project/examples.md",
    "sample_service/README.md": "project/sample_service.md",
    "fixtures/brownout/report/brownout.schema.json": "reference/brownout.schema.json",
}
"""Where files from outside of docs/ are in the site."""

_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_BLOCKS: Final = re.compile(r"(^ *```.*?^ *```)", re.MULTILINE | re.DOTALL)


def own_pages(made: frozenset[str]) -> dict[str, str | bytes]:
    """The documents of docs/ and of the project, by their place in the site. `made` are the pages
    that are made; a link may lead there."""
    files = {path: path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*") if path.is_file()}
    files |= {ROOT / name: place for name, place in PROJECT.items()}
    places = dict(sorted(files.items()))
    return {
        place: _page(path, places, made) if path.suffix == ".md" else path.read_bytes()
        for path, place in places.items()
    }


def _page(path: Path, places: dict[Path, str], made: frozenset[str]) -> str:
    """The document with its links led to the places in the site. Where there is none, as for
    source code, only the link's text is left."""
    here = places[path]

    def led(found: re.Match[str]) -> str:
        image, text, link = found.groups()
        target, hash_mark, anchor = link.partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        to = (path.parent / target).resolve()
        place = places.get(to) or places.get(to / "README.md")
        if place is None and to.is_relative_to(DOCS):
            inside = to.relative_to(DOCS).as_posix()
            place = inside if inside in made else None
        if place is None:
            if not to.exists():
                return found[0]  # Zensical names the page and the line
            return text
        relative = os.path.relpath(place, Path(here).parent)
        return f"{image}[{text}]({Path(relative).as_posix()}{hash_mark}{anchor})"

    text = path.read_text(encoding="utf-8")
    if path == ROOT / "README.md":  # the pictures are not in Markdown
        text = text.replace('="docs/', '="../')
    parts = _BLOCKS.split(text)
    return "".join(part if at % 2 else _LINK.sub(led, part) for at, part in enumerate(parts))

"""The code blocks of the documents, those of made pages included."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from website.__main__ import pages
from website.sources import PROJECT, ROOT

__all__ = ["BLOCKS", "ROOT", "Block", "written"]

_BLOCK: Final = re.compile(r"^( *)```([\w-]*)([^\n]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_TITLE: Final = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: the document that it is in, which of its blocks it is, its language, its title,
    and its text without the indentation of a list."""

    document: str
    number: int
    language: str
    title: str
    text: str

    @property
    def name(self) -> str:
        """For the ids of tests."""
        return f"{self.document}:{self.number}"

    def commands(self) -> Iterator[str]:
        """The commands of a shell's block; of a console's, without what they print."""
        for line in self.text.splitlines():
            if self.language == "console" and not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ").partition(" #")[0].strip()
            if command:
                yield command


def written() -> Mapping[str, str]:
    """Every document by its path in the repository, and every made page by its place in the
    site."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    files += [ROOT / name for name in PROJECT if name.endswith(".md")]
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(files)
    }
    made = {
        name: text
        for name, text in pages().items()
        if isinstance(text, str) and not (ROOT / "docs" / name).exists()
    }
    return {**texts, **{n: t for n, t in made.items() if n not in PROJECT.values()}}


def _blocks() -> Iterator[Block]:
    for document, text in written().items():
        for number, found in enumerate(_BLOCK.finditer(text), start=1):
            indent, language, rest, body = found.groups()
            title = _TITLE.search(rest)
            plain = textwrap.dedent(body) if indent else body
            yield Block(document, number, language, title[1] if title else "", plain)


BLOCKS: Final = tuple(_blocks())
"""All of them."""

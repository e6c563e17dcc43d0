"""What the site's menu holds, and Zensical's configuration."""

from collections.abc import Collection, Iterable
from typing import Final

from brownout.behaviours import CATALOGUE, Area
from website.faults import FAULTS
from website.promises import place_of

__all__ = ["configuration"]

_MENU: Final = {
    "Tutorial": ["tutorial.md"],
    "How-to guides": ["how-to/"],
    "Promises": ["reference/promises/"],
    "Faults": ["reference/faults.md", "reference/wire.md", "reference/faults/"],
    "Reference": [
        *("reference/options.md", "reference/declaration.md", "reference/api.md"),
        *("reference/report.md", "reference/document.md", "reference/exit-codes.md"),
        "reference/",
    ],
    "Explanation": [
        "explanation/verdicts.md",
        "explanation/",
        "incidents.md",
        "sweep.md",
        "chaos.md",
    ],
    "Project": ["project/"],
}
"""Pages by section, in the menu's order; a folder stands for its pages that are not named yet."""

_UNLISTED: Final = ("problems/",)
"""Pages that only links lead to."""

_HEAD: Final = """\
[project]
site_name = "Brownout"
site_description = "A service should dim, not go dark."
docs_dir = "source"
site_dir = "site"
use_directory_urls = false
copyright = "MIT License"
nav = [
{menu}]

[project.theme]
font = false
features = ["content.code.copy", "navigation.indexes", "navigation.tabs", "navigation.top",
    "search.highlight", "toc.follow"]

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"

[project.extra]
generator = false

[project.markdown_extensions.tables]
[project.markdown_extensions.toc]
permalink = true
[project.markdown_extensions.admonition]
[project.markdown_extensions.pymdownx.highlight]
[project.markdown_extensions.pymdownx.superfences]
[project.markdown_extensions.pymdownx.inlinehilite]
"""


def configuration(pages: Collection[str]) -> str:
    """Zensical's configuration for these pages. A page that no section takes is an error."""
    left = [name for name in pages if name.endswith(".md") and not name.startswith(_UNLISTED)]
    left.remove("index.md")
    lines = ['    { "Home" = "index.md" },\n']
    for section, entries in _MENU.items():
        own: list[str] = []
        for entry in entries:
            matching = [name for name in left if name == entry or _below(name, entry)]
            own += sorted(matching)
            left = [name for name in left if name not in matching]
        lines.append(f'    {{ "{section}" = {_list(section, own)} }},\n')
    if left:
        raise LookupError(f"No section of the menu has {', '.join(left)}.")
    return _HEAD.format(menu="".join(lines))


def _below(name: str, folder: str) -> bool:
    return folder.endswith("/") and name.startswith(folder)


def _list(section: str, names: Iterable[str]) -> str:
    if section == "Promises":
        return _by_area()
    if section == "Faults":
        names = [name for name in names if not name.startswith("reference/faults/")]
        names += [f"reference/faults/{name}.md" for name in FAULTS]
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _by_area() -> str:
    areas = []
    for area in Area:
        inside = [one for one in CATALOGUE.values() if one.area is area]
        listed = ", ".join(f'{{ "{one.id} {one.title}" = "{place_of(one)}" }}' for one in inside)
        areas.append(f'{{ "{area.value}" = [{listed}] }}')
    return f'["reference/promises/index.md", {", ".join(areas)}]'

"""The reference of options and of the JSON document, made of the code that defines them."""

from collections.abc import Iterator, Mapping
from typing import Any

from brownout.report.document import schema
from brownout.settings.options import OPTIONS

__all__ = ["reference_pages"]


def reference_pages() -> dict[str, str]:
    """The pages by their place."""
    return {"reference/options.md": _options(), "reference/document.md": _document()}


def _options() -> str:
    lines = [
        "# Options",
        "",
        "The command line comes first, then the environment, the ini file and the default. "
        "`brownout gate` takes each option without its prefix, as `--backend`, and reads no ini "
        "file. An empty value unsets an option that has no default.",
    ]
    for one in OPTIONS:
        value = "" if one.flag else f" {one.metavar}"
        help_text = one.help[0].upper() + one.help[1:]
        lines += [
            "",
            f"## `{one.argument}`",
            "",
            f"{help_text}.",
            "",
            "| command line | gate | environment | ini file |",
            "|---|---|---|---|",
            f"| `{_cell(one.argument + value)}` "
            f"| `{_cell(one.argument.replace('--brownout-', '--') + value)}` "
            f"| `{one.variable}` | `{one.ini}` |",
        ]
        if one.flag:
            lines += ["", f"`{one.negated}` undoes it."]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _document() -> str:
    described = schema()
    lines = [
        "# brownout.json",
        "",
        "What a run has shown, for programs. [The JSON Schema](brownout.schema.json) has all of "
        "it; `brownout schema report` prints it. Members may be added within a format's version, "
        "so ignore those that you do not know.",
        "",
        *_table(described),
    ]
    definitions = described["$defs"]
    assert isinstance(definitions, Mapping)  # noqa: S101 - for the type checker
    for name, one in definitions.items():
        lines += ["", f"## {name}", "", _described(one), "", *_table(one)]
    return "\n".join([*lines, ""])


def _described(value: Mapping[str, Any]) -> str:
    text = str(value.get("description", ""))
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _table(value: Mapping[str, Any]) -> Iterator[str]:
    members = value.get("properties")
    if not members:
        return
    yield from ("| member | type | |", "|---|---|---|")
    for name, one in members.items():
        yield f"| `{name}` | {_type(one)} | {_cell(str(one.get('description', '')))} |"


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = str(value["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_type(one) for one in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    given = value.get("type", "any value")
    return " or ".join(given) if isinstance(given, list) else str(given)

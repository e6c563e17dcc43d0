"""A secret in each form in which programs write it. Made here once more, not by what masks them."""

import base64
import html
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["FORMS", "core_of", "forms_of", "text_in"]


def _escaped(secret: str) -> str:
    return json.dumps(secret)[1:-1]


def _go(escaped: str) -> str:
    for one in "<>&":
        escaped = escaped.replace(one, f"\\u{ord(one):04x}")
    return escaped


def _inside(before: int, encode: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """In something longer, in which so many bytes come before it."""
    return lambda secret: encode(b"x" * before + secret.encode() + b"yz").decode()


FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": str,
    "upper case": str.upper,
    "percent": lambda secret: quote(secret, safe=""),
    "percent in a form": quote_plus,
    "hexadecimal": lambda secret: secret.encode().hex(),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 without its end": lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    **{
        f"base64 after {before}{name}": _inside(before, encode)
        for before in (0, 1, 2)
        for name, encode in (
            ("", base64.b64encode),
            (" for URLs", base64.urlsafe_b64encode),
        )
    },
    "JSON": _escaped,
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda secret: _escaped(_escaped(secret)),
    "JSON of PHP": lambda secret: _escaped(secret).replace("/", "\\/"),
    "JSON of Go": lambda secret: _go(json.dumps(secret, ensure_ascii=False)[1:-1]),
    "HTML": html.escape,
    "Python": lambda secret: repr(secret)[1:-1],
}


def forms_of(secret: str) -> Iterator[tuple[str, str]]:
    """The forms' names, and the secret in each."""
    for name, form in FORMS.items():
        yield name, form(secret)


def core_of(name: str, text: str, secret: str) -> str:
    """What of a form gives the secret away: in the middle of base64 the characters that depend on
    nothing else, otherwise all of it."""
    if not name.startswith("base64 after "):
        return text
    before = int(name.split()[2])
    return text[-(-before * 8 // 6) : (before + len(secret.encode())) * 8 // 6]


def text_in(path_text: str, core: str) -> bool:
    """Whether the text of a file holds it, as it stands or with the escapes of the file's JSON, XML
    or HTML."""
    escaped = (core, _escaped(core), json.dumps(core, ensure_ascii=False)[1:-1], html.escape(core))
    return any(each in path_text for each in escaped)

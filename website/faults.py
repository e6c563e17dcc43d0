"""A page for each fault: what happens, which backend makes it, which promises are judged in it."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Final

import brownout.faults
from brownout.backends.docker.backend import DockerBackend
from brownout.backends.embedded.backend import EmbeddedBackend
from brownout.backends.external import ExternalBackend
from brownout.behaviours import CATALOGUE
from brownout.faults import Fault
from brownout.trial import Trial
from website.promises import judged

__all__ = ["FAULTS", "fault_pages"]

FAULTS: Final = tuple(
    name
    for name, one in sorted(vars(brownout.faults).items())
    if isinstance(one, type) and issubclass(one, Fault) and one is not Fault
)
"""The names of all faults."""

_BACKENDS: Final = {
    "embedded": EmbeddedBackend,
    "docker": DockerBackend,
    "a running server": ExternalBackend,
}


def fault_pages() -> dict[str, str]:
    """The pages by their place."""
    return {f"reference/faults/{name}.md": _page(name) for name in FAULTS}


def _page(name: str) -> str:
    fault: type[Fault] = getattr(brownout.faults, name)
    doc = _prose(inspect.getdoc(fault) or "")
    lines = [
        f"# {name}",
        "",
        doc,
        "",
        "## Fields",
        "",
        *_fields(fault),
        "",
        "## Which backend can make it",
        "",
        *(f"- {backend}: {_can(one, name)}" for backend, one in _BACKENDS.items()),
        "",
        "[Faults and backends](../faults.md) says how it proves that it was felt.",
        *_judged_in(name),
        "",
        "## In a test of your own",
        "",
        "```python",
        f"from brownout.faults import {name}",
        "```",
        "",
        "The [fixtures](../api.md) put it in force: `async with brownout_postgres.inject(…)`.",
    ]
    return "\n".join([*lines, ""])


def _prose(doc: str) -> str:
    return doc.replace("<", "&lt;")


def _fields(fault: type[Fault]) -> Iterator[str]:
    made = fields(fault)  # type: ignore[arg-type]  # each fault is a dataclass
    if not made:
        yield "None."
        return
    yield from ("| field | default |", "|---|---|")
    for one in made:
        default = "" if one.default is MISSING else f"`{one.default!r}`"
        yield f"| `{one.name}` | {default.replace('|', chr(92) + '|')} |"


def _can(backend: object, name: str) -> str:
    missing = getattr(backend, "missing_faults")  # noqa: B009 - of a class
    return f"no. {re.sub(r'[.]?$', '.', str(missing[name]))}" if name in missing else "yes"


def _judged_in(name: str) -> Iterator[str]:
    trials: dict[str, Trial] = {}
    promises: dict[str, list[str]] = {}
    for test in judged():
        for trial in test.trials:
            if type(trial.fault).__name__.removesuffix("OfDeadline") == name:
                trials[trial.id] = trial
                promises.setdefault(trial.id, []).extend(test.behaviours)
    yield from ("", "## Judged in the suites", "")
    if not trials:
        yield "No trial consists of this fault alone; scripted trials may make it among others."
        return
    for trial_id, trial in trials.items():
        ids = [one for one in CATALOGUE if one in promises[trial_id]]
        links = ", ".join(f"[{one}](../promises/{one}.md)" for one in ids)
        yield f"- `{trial_id}`, `{trial.fault!r}`: {links}"

"""The soak finds what leaks, each kind of it, and nothing where nothing does."""

import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import soak
from benchmarks.soak import ENGINE, Call, Outcome
from benchmarks.soak_held import Held, grown

_HELD = Held(descriptors=12, pipes=4, threads=1, tasks=2, blocks=190_000, megabytes=40.0)

linux = pytest.mark.skipif(platform.system() != "Linux", reason="it reads /proc")


def with_memory(*megabytes: float) -> list[Held]:
    return [replace(_HELD, megabytes=one) for one in megabytes]


@pytest.mark.parametrize(
    ("rounds", "kind"),
    [
        ([_HELD, replace(_HELD, descriptors=13)], "descriptors"),
        ([_HELD, replace(_HELD, pipes=21)], "pipes"),
        ([_HELD, replace(_HELD, threads=2)], "threads"),
        ([_HELD, replace(_HELD, tasks=3)], "tasks"),
        ([_HELD, replace(_HELD, blocks=200_000)], "blocks of memory"),
        (with_memory(40, 43, 46, 49), "memory"),  # a little more with every round
        (with_memory(40, 41, 40, 90), "memory"),  # all at once
    ],
)
def test_each_kind_of_growth_is_found(rounds: Sequence[Held], kind: str) -> None:
    [found] = grown(_HELD, rounds)
    assert found.startswith(f"{kind}: ")


@pytest.mark.parametrize(
    "rounds",
    [
        [_HELD, replace(_HELD, pipes=20, blocks=191_000)],  # spare ones, caches
        with_memory(47.5, 51.2, 51.4, 51.7),  # more with every round, but hardly
        with_memory(24.8, 26.2, 27.8, 29.0),  # an arena or so with each busier round
        with_memory(34.1, 38.1, 38.5, 44.8),  # busier moments, by chance one after the other
        with_memory(40, 60, 60, 59),  # a busy moment whose memory is kept
    ],
)
def test_what_is_no_growth_is_not_found(rounds: Sequence[Held]) -> None:
    assert not grown(replace(_HELD, megabytes=30), rounds)


def outcome(**changed: object) -> Outcome:
    usual = Outcome(100, 1000, 90, [Call(0.9, 0.01, 0.8)], _HELD, [_HELD, _HELD], 0)
    return replace(usual, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "changed"),
    [
        ("3 connections are still open", {"open": 3}),
        ("40 connections at once", {"at_once": 40}),
        ("0 calls", {"calls": []}),
        ("worked for 700 ms", {"calls": [Call(0.8, 0.7, 0.0)]}),
    ],
)
def test_what_else_must_not_be_is_found(found: str, changed: dict[str, object]) -> None:
    [finding] = outcome(**changed).findings
    assert found in finding


def test_a_busy_machine_is_no_finding() -> None:
    assert not outcome().findings


def leaking(statement: str) -> str:
    """An engine that does this whenever a connection has ended, and keeps what it makes."""
    return f"""
import asyncio, os, threading, time
from brownout.engine.relay.connection import Connection
kept, finish = [], Connection._finish
def finish_and_keep(self):
    finish(self)
    kept.append({statement})
Connection._finish = finish_and_keep
{ENGINE}"""


LEAKS = {
    "descriptors": "os.dup(0)",
    "threads": "kept or threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
    "tasks": "asyncio.get_running_loop().create_task(asyncio.sleep(99))",
    "blocks of memory": "self",
    "memory": "bytearray(os.urandom(1)) * 100_000",
}


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])


def findings(program: str, seconds: float = 1) -> list[str]:
    """What a short soak finds in the engine that `program` runs."""
    return soak.soak(connections=100, seconds=seconds, program=program).findings


@linux
@pytest.mark.parametrize("kind", LEAKS)
def test_an_engine_that_leaks_is_found_out(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(soak, "_SETTLE", 0.1)  # it need not wait for what will never go
    # Caches may take some blocks, so that a leak of them needs more connections than others do.
    found = findings(leaking(LEAKS[kind]), 1 if kind == "blocks of memory" else 0.3)
    assert any(finding.startswith(f"{kind}: ") for finding in found), found


@linux
def test_the_engine_itself_leaks_nothing() -> None:
    assert not findings(leaking("None"))

"""When signals of `brownout watch` are taken, and what they do."""

import os
import signal
from pathlib import Path

import pytest

from brownout.cli.signals import Signals
from brownout.watch.marks import Window
from tests.remote.staging import DECLARED
from tests.watch.commanded import Watch

ENDING = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name
)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_a_fault_may_be_marked_at_any_time() -> None:
    signals = Signals()
    with signals.taken():
        send(signal.SIGUSR1)
        signals.marks.plan([Window(1, 2)])
        send(signal.SIGUSR2)
        planned, marked = signals.marks.windows
    assert planned == Window(1, 2)
    assert marked.ended is not None
    assert marked.began <= marked.ended


@ENDING
def test_before_it_watches_a_signal_interrupts(number: signal.Signals) -> None:
    with Signals().taken(), pytest.raises(KeyboardInterrupt):
        send(number)


@ENDING
def test_the_first_signal_ends_it_and_the_second_interrupts(number: signal.Signals) -> None:
    signals = Signals()
    ended: list[str] = []
    with signals.taken(), signals.until(lambda: ended.append("ended")):
        send(number)
        with pytest.raises(KeyboardInterrupt):
            send(number)
    assert ended == ["ended"]


@ENDING
def test_while_the_report_is_written_the_first_signal_changes_nothing(
    number: signal.Signals,
) -> None:
    signals = Signals()
    ended: list[str] = []
    with signals.taken():
        with signals.until(lambda: ended.append("ended")):
            pass
        send(number)
        with pytest.raises(KeyboardInterrupt):
            send(number)
    assert not ended


def test_after_it_signals_do_what_they_did_before() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
    before = [signal.getsignal(number) for number in numbers]
    with Signals().taken():
        assert not set(before) & {signal.getsignal(number) for number in numbers}
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_mark_ends_no_watch_that_waits_for_the_service(tmp_path: Path) -> None:
    place = "--remote-service=http://127.0.0.1:9"
    words = [place, DECLARED, "--until-signal", "--start-timeout=2"]
    with Watch(tmp_path, *words) as watch:
        watch.until("-USR2")
        watch.send(signal.SIGUSR1)
        code, said = watch.end()
    assert code == 2, said
    assert "was not ready within 2 s" in said
    assert watch.document()["exit_code"] == 2

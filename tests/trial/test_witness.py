"""What callers see of a fault that its proxy does not count."""

from dataclasses import replace

import pytest

from brownout.faults import Latency, Outage
from brownout.observations import Answer, Completion, Outcome
from brownout.trial.witness import answers_that_show
from brownout.units import ms

SINCE = 100.0
SERVED = Answer(
    "list", "t", Completion.ANSWERED, Outcome.ACKNOWLEDGED, SINCE + 1, ms(30), 200, (), b"[]"
)
REFUSED = replace(SERVED, outcome=Outcome.REFUSED, status=503)


def shown(fault: object, *answers: Answer) -> int:
    return answers_that_show(
        fault,  # type: ignore[arg-type]
        SINCE,
        answers,
        operations={"list"},
        usual={"list": ms(25)},
    )


def test_a_failure_under_the_fault_shows_it() -> None:
    assert shown(Outage(), REFUSED, SERVED) == 1


@pytest.mark.parametrize(
    "answer",
    [
        SERVED,
        replace(REFUSED, started=SINCE - 0.1),
        replace(REFUSED, operation="quote"),
        replace(REFUSED, ending=Completion.STALE, status=None),
    ],
    ids=["a success", "sent before the fault", "needs no database", "a stale connection"],
)
def test_what_shows_nothing(answer: Answer) -> None:
    assert shown(Outage(), answer) == 0


def test_an_answer_that_is_late_by_half_of_the_latency_shows_it_and_a_sooner_one_does_not() -> None:
    fault = Latency(ms(200))
    assert shown(fault, replace(SERVED, elapsed=ms(130))) == 1
    assert shown(fault, replace(SERVED, elapsed=ms(120))) == 0
    assert shown(Outage(), replace(SERVED, elapsed=ms(2300))) == 0

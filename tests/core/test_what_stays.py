"""What stays after a fault is judged in each trial that shows it."""

import pytest

from brownout.observations import Recovery
from brownout.trial import ProcessEnd, SessionLook, Trial
from brownout.trial.plan import (
    BROKEN_ROWS,
    CROWD_IN_A_BLACK_HOLE,
    EVERY_FAULT,
    FAILING_ONCE,
    FULL_POOL,
    OUTAGE,
    REFUSED_STATEMENTS,
    WRITES_MEET,
)
from brownout.units import seconds
from tests.core.made import recording
from tests.core.suites_on_recordings import verdicts

HEALING = pytest.mark.parametrize(
    "trial",
    [
        *(one for one in EVERY_FAULT if one is not OUTAGE),
        *WRITES_MEET,
        *BROKEN_ROWS,
        CROWD_IN_A_BLACK_HOLE,
        FULL_POOL,
        REFUSED_STATEMENTS,
    ],
    ids=lambda one: one.id,
)
ONE_STATEMENT = pytest.mark.parametrize(
    "trial", [FAILING_ONCE, REFUSED_STATEMENTS], ids=lambda one: one.id
)
LATCHED = Recovery(False, seconds(2), ("after 2.00 s: place: status 503",))


@HEALING
def test_a_service_that_does_not_come_back_breaks_v2(trial: Trial) -> None:
    """Such as one that takes itself for read-only after 53100, until it is restarted."""

    def verdict(recovery: Recovery | None, **fields: object) -> str:
        return verdicts(recording(trial, recovery=recovery, **fields), "V2")["V2"]

    assert verdict(Recovery(True, seconds(1.9), ())) == "kept"
    assert verdict(Recovery(True, seconds(2.1), ())) == "broken"
    assert verdict(LATCHED) == "broken"
    assert verdict(None, process=ProcessEnd(1, seconds(1), ())) == "broken"


@ONE_STATEMENT
def test_a_transaction_that_a_refused_statement_leaves_open_breaks_p5(trial: Trial) -> None:
    def verdict(longest: float, **by_state: int) -> str:
        states = {state.replace("_", " "): count for state, count in by_state.items()}
        look = SessionLook(115.0, states, longest)
        return verdicts(recording(trial, settled=look), "P5")["P5"]

    assert verdict(0.0, idle=3) == "kept"
    assert verdict(0.9, idle=2, idle_in_transaction=1) == "kept"
    assert verdict(1.1, idle=2, idle_in_transaction=1) == "broken"

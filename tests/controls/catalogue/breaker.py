"""Controls of a declared breaker and a declared fallback."""

from dataclasses import replace

from brownout import Breaker, Degraded, Operation, seconds
from tests.controls.broken.breaker import KEPT
from tests.controls.control import BREAKER, Control, Defect, ids
from tests.controls.kiosk.declaration import ORDERS, PLACE
from tests.controls.kiosk.guarded import FAILURES, REST, SLOW

__all__ = ["BREAKERS"]

_MENU = Operation.read("menu", "GET", "/menu", degraded=Degraded(marker="Age", max_age=seconds(60)))
_DECLARES = {
    "breaker": Breaker(failures=FAILURES, rest=seconds(REST), slow=seconds(SLOW)),
    "operations": (ORDERS, PLACE, _MENU),
}

BREAKERS = (
    Control(
        module="breaker",
        name="counting_only_bundle",
        judged_by=BREAKER,
        defects=(
            Defect(
                "a breaker that counts and refuses nothing",
                ids("B1 B4"),
                because="Neither failures nor slow calls keep a request away.",
            ),
            Defect("an old menu without its age", ids("B6"), shows=(35,)),
        ),
        tolerated=ids("B4"),
        declares=_DECLARES,
    ),
    Control(
        module="breaker",
        name="fallback_bundle",
        judged_by=ids("B6 E1 E4 Z1"),
        defects=(
            Defect("an old menu without its age where the database is silent", ids("B6")),
            Defect(
                "a page of HTML instead of a menu that is too old",
                ids("E1 E4"),
                because="It has another media type, and is no problem.",
            ),
            Defect("a degraded answer that quotes the driver", ids("Z1")),
        ),
        declares={
            "operations": (
                *(ORDERS, PLACE),
                replace(_MENU, degraded=Degraded(marker="Age", max_age=seconds(KEPT))),
            )
        },
    ),
    Control(
        module="breaker",
        name="menu_from_the_fallback_for_good",
        judged_by=ids("B6"),
        defects=(Defect("a fallback that goes on after the outage", ids("B6")),),
        declares={"operations": (ORDERS, PLACE, _MENU)},
    ),
    Control(
        module="breaker",
        name="held_breaker_bundle",
        judged_by=BREAKER,
        defects=(
            Defect("a trial whose caller went away is waited for", ids("B3")),
            Defect("errors of the callers open the breaker", ids("B5"), shows=(45,)),
        ),
        declares=_DECLARES,
    ),
    Control(
        module="breaker",
        name="breaker_that_stays_open",
        judged_by=BREAKER - ids("B6"),
        defects=(
            Defect(
                "a breaker that never tries again",
                ids("B2 B3"),
                because="It stays open after each failure.",
                shows=(44,),
            ),
        ),
        steady=True,
        declares=_DECLARES,
    ),
)

"""A control: a service with known defects, and the verdicts that the suites must give it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Any

__all__ = [
    "BACKGROUND",
    "BREAKER",
    "CONSISTENCY",
    "DEADLINES",
    "DECLARED",
    "ERROR_FORMAT",
    "EVENT_LOOP",
    "FAILOVER",
    "HEALTH",
    "LEFT_BEHIND",
    "LIFECYCLE",
    "OVERLOAD",
    "POOL",
    "RECOVERY",
    "RETRIES",
    "SHARING",
    "START_AND_STOP",
    "SWEPT",
    "TRACEABILITY",
    "Base",
    "Control",
    "Defect",
    "ids",
]


def ids(text: str) -> frozenset[str]:
    """Return the ids in a text such as "E1 E2"."""
    return frozenset(text.split())


# The promises that are judged together, by area. Security is with the error format and with the
# health answers, because these are where internals leak.
ERROR_FORMAT = ids("E1 E2 E3 E4 E5 E6 E7 E8 E9 Z1")
HEALTH = ids("H0 H1 H2 H3 H4 H5 H6 H7 H8 H9 Z2")
DEADLINES = ids("T1 T2 T3 T6")
POOL = ids("P1 P2 P3 P5 P6 P9 P10")
BREAKER = ids("B1 B2 B3 B4 B5 B6")
BACKGROUND = ids("P12 V8")
DECLARED = ids("C6 C7 E10 T4 X2")
CONSISTENCY = ids("C1 C2 C3 C4 C5")
RECOVERY = ids("V1 V2 V3")
SHARING = ids("P7 P8 P11")
LEFT_BEHIND = ids("H10 T5 T7 P4")
FAILOVER = ids("V4 V5 V6 V7")
START_AND_STOP = ids("S1 S2 S3 S4 S5")
OVERLOAD = ids("L1 L2 L3 L4 L5")
RETRIES = ids("R1 R2 R3 R4 R5 R6 R7 R8 O3")
LIFECYCLE = ids("S6")
SWEPT = ids("C1 C3 C4 C5 C6 C7 E1 E4 E5 E8 H1 P1 P4 P5 S6 T1 V2 Z1")
EVENT_LOOP = ids("X1 X3")
TRACEABILITY = ids("O1 O2 O4")


@unique
class Base(Enum):
    """The service that the control breaks."""

    KIOSK = "the kiosk, whose database code has no layers that would hide a defect"
    SHOP = "the sample service, with one part replaced"


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong, the promises that it breaks and, if they are several, why; and the numbers of
    the known defects that it shows."""

    what: str
    breaks: Set[str]
    because: str = ""
    shows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A broken service.

    `name` is the function in `tests.controls.broken.<module>` that creates its application. A
    bundle has several `defects`, which break different promises, so the verdicts show that each
    one was caught. The suites judge the promises `judged_by` and the steady state. The promises
    that the defects break must be broken, `unknown` and `not_assessed` must have that verdict, and
    all others must be kept; those `left_open` may be not assessed, too, because a busy machine can
    leave them so. `tolerated` promises are broken without failing the run. `steady` is
    False if the service fails without any fault. `declares` replaces members of the declaration.
    `sweep` names the part of the sweep on which it is judged alone, instead of all other trials;
    the cases `shown_in` must be among those that show the defects.
    """

    module: str
    name: str
    defects: tuple[Defect, ...]
    judged_by: Set[str]
    tolerated: Set[str] = frozenset()
    unknown: Set[str] = frozenset()
    not_assessed: Set[str] = frozenset()
    left_open: Set[str] = frozenset()
    steady: bool = True
    base: Base = Base.KIOSK
    declares: Mapping[str, Any] = field(default_factory=dict)
    sweep: str = ""
    shown_in: Set[str] = frozenset()

    @property
    def app(self) -> str:
        """The application's factory as "module:function"."""
        return f"tests.controls.broken.{self.module}:{self.name}"

    @property
    def breaks(self) -> frozenset[str]:
        """The promises that all defects together break."""
        return frozenset().union(*(defect.breaks for defect in self.defects))

    @property
    def exit_code(self) -> int:
        """The exit code that the run must have; broken outranks unknown."""
        if self.breaks - self.tolerated or not self.steady:
            return 1
        return 2 if self.unknown else 0

"""The catalogue of controls: every defect that the suites must catch, and by which promises."""

from collections.abc import Mapping
from types import MappingProxyType

from tests.controls.catalogue.answers import ANSWERS
from tests.controls.catalogue.breaker import BREAKERS
from tests.controls.catalogue.database import DATABASE
from tests.controls.catalogue.deadlines import DEADLINE
from tests.controls.catalogue.declared import FEATURES
from tests.controls.catalogue.overload import OVERLOADS
from tests.controls.catalogue.probes import PROBES
from tests.controls.catalogue.retries import RETRY
from tests.controls.catalogue.swept import SWEEPS
from tests.controls.catalogue.variants import VARIANTS
from tests.controls.catalogue.work import WORK
from tests.controls.control import Control

__all__ = ["CONTROLS"]

CONTROLS: Mapping[str, Control] = MappingProxyType(
    # The longest come first, so no worker is left alone with one at the end. Of those that compare
    # latencies, the ones that must keep X1 have others before and after them.
    {
        each.name: each
        for each in (
            *DEADLINE,
            *RETRY,
            *OVERLOADS,
            *SWEEPS,
            *FEATURES,
            *BREAKERS,
            *WORK,
            *PROBES,
            *DATABASE,
            *ANSWERS,
            *VARIANTS,
        )
    }
)
"""Every control by its name."""

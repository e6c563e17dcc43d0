"""How the sample service is declared that runs in a pod: nothing says how to start it."""

from dataclasses import replace

from brownout import Budget, seconds
from tests.controls.shop import declared_shop

__all__ = ["shop"]

shop = replace(
    declared_shop("none"),
    command=(),
    env={},
    prepare=(),
    budget=Budget(request=seconds(1), recovery=seconds(3), pool=5),
)

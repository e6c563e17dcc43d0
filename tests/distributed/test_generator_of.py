"""Which generator a run has, what it is asked for at most, and where it asks."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from brownout import NotAssessable
from brownout.distributed.messages import Order
from brownout.distributed.processes import Carried, Swarm
from brownout.settings.loading import LocustPlace
from brownout.settings.resolution import Layers, Settings, resolve
from brownout.trial.generator import BuiltIn, built_in
from brownout.trial.spread import Spread, generator_of
from tests.core.made import READ, service
from tests.core.peer import serving
from tests.distributed.swarms import LOCAL
from tests.trial.staged import staged

ELSEWHERE = LocustPlace("10.0.0.5", 5557, 3, elsewhere=True)


class NotedSwarm:
    """Sends nothing, and keeps the order."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    async def carry_out(
        self, order: Order, *, sent: Callable[[], None], going_on: Callable[[], bool]
    ) -> Carried:
        """As `Swarm.carry_out`."""
        assert going_on()
        self.orders.append(order)
        sent()
        return Carried(began=100.0)


def settings_with(load: str) -> Settings:
    return resolve(
        Layers(
            command_line={"load": load},
            environment={},
            ini={},
            ini_file=Path("/project/pytest.ini"),
            invoked_in=Path("/run"),
        )
    )


def test_the_default_is_the_built_in() -> None:
    assert generator_of(settings_with("builtin"), {}) is built_in
    assert generator_of(settings_with("locust"), {}) is not built_in


@pytest.mark.asyncio
async def test_load_workers_speak_no_https() -> None:
    make = generator_of(settings_with("locust"), {})
    async with serving() as peer, staged(peer, service(tls_ca="ca.pem")) as stage:
        with pytest.raises(NotAssessable, match="The service speaks HTTPS"):
            await make(stage).__aenter__()
    assert peer.connections == 0


@pytest.mark.asyncio
async def test_load_workers_elsewhere_ask_at_this_machine_s_address_and_each_adds_its_part() -> (
    None
):
    async with serving() as peer, staged(peer, service()) as stage:
        port = int(peer.url.rpartition(":")[2])
        for place, host, most in ((LOCAL, "127.0.0.1", 400), (ELSEWHERE, "10.0.0.5", 1200)):
            noted = NotedSwarm()
            spread = Spread(stage, cast("Swarm", noted), place)
            assert spread.most == most
            await spread.send(READ, {"x": [0.0, 0.5]})
            (order,) = noted.orders
            assert (order.host, order.port) == (host, port)
            # The request is the same as ever.
            assert {dict(one.headers)["Host"] for one in order.arrivals} == {f"127.0.0.1:{port}"}
            assert [one.due for one in order.arrivals] == [0.0, 0.5]
            assert stage.phases["x"].unsent == 2
        assert BuiltIn(stage).most == 400

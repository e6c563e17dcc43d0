"""A fault heals however its block ends, and a fault that nobody felt proves nothing."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from brownout import BrownoutError, FaultNotFelt, ProxyError, ms
from brownout.faults import Latency, Outage
from brownout.postgres import Injection
from tests.core.peer import PATIENCE


@dataclass
class FakeMaker:
    """Notes what is asked of it; `hits` is what is felt, `making` and `healing` are done within."""

    hits: int = 1
    making: Callable[[], None] = lambda: None
    healing: Callable[[], None] = lambda: None
    done: list[str] = field(default_factory=list)
    in_force: bool = False

    def make(self) -> None:
        self.done.append("make")
        self.in_force = True
        self.making()

    def heal(self) -> None:
        self.done.append("heal")
        self.healing()
        self.in_force = False

    def felt(self) -> int:
        return self.hits


def fails(error: BaseException) -> Callable[..., None]:
    """Raises once, then does nothing."""
    left = [error]

    def step(*_: object) -> None:
        if left:
            raise left.pop()

    return step


def injection(maker: FakeMaker, in_force: list[Injection] | None = None) -> Injection:
    return Injection(Outage(), maker, [] if in_force is None else in_force)


# -- with a block --------------------------------------------------------------------------------


def test_a_fault_is_in_force_inside_its_block_and_healed_behind_it() -> None:
    maker, in_force = FakeMaker(hits=3), list[Injection]()
    one = injection(maker, in_force)
    assert not maker.in_force
    with one as same:
        assert same is one
        assert maker.in_force
        assert in_force == [one]
        assert one.felt == 3
        assert one.healed_at is None
    assert maker.done == ["make", "heal"]
    assert in_force == []
    assert one.made_at is not None
    assert one.healed_at is not None
    assert one.made_at <= one.healed_at


def test_what_was_felt_stays_known_as_it_was_at_the_heal() -> None:
    maker = FakeMaker(hits=2)
    with injection(maker) as one:
        pass
    maker.hits = 99
    assert one.felt == 2
    assert repr(one) == "<Injection of Outage(), felt 2 times>"


@pytest.mark.parametrize(
    "error", [LookupError(), KeyboardInterrupt(), SystemExit(), GeneratorExit()]
)
def test_an_exception_heals_and_goes_its_way_without_asking_for_a_proof(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, in_force = FakeMaker(hits=0), list[Injection]()
    monkeypatch.setattr("brownout.postgres.injection.time.sleep", fails(AssertionError("waits")))
    with pytest.raises(type(error)) as raised, injection(maker, in_force):
        raise error
    assert raised.value is error
    assert maker.done == ["make", "heal"]
    assert in_force == []


def test_faults_nest_and_heal_the_latest_first() -> None:
    order: list[str] = []
    outer = FakeMaker(healing=lambda: order.append("outer"))
    inner = FakeMaker(healing=lambda: order.append("inner"))
    in_force: list[Injection] = []
    with injection(outer, in_force), injection(inner, in_force):
        assert (outer.in_force, inner.in_force) == (True, True)
        assert len(in_force) == 2
    assert order == ["inner", "outer"]
    assert in_force == []


def test_an_inner_fault_that_cannot_be_made_heals_the_outer_one_too() -> None:
    outer, inner = FakeMaker(), FakeMaker(making=fails(ProxyError("no")))
    in_force: list[Injection] = []
    with (
        pytest.raises(ProxyError),
        injection(outer, in_force),
        injection(inner, in_force),
    ):
        pytest.fail("the block is not entered")
    assert outer.done == inner.done == ["make", "heal"]
    assert in_force == []


# -- the proof -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_a_fault_that_nobody_felt_proves_nothing() -> None:
    maker, in_force = FakeMaker(hits=0), list[Injection]()
    with pytest.raises(FaultNotFelt) as unfelt, injection(maker, in_force):
        pass
    assert "Outage()" in unfelt.value.cause
    assert unfelt.value.remedy
    assert maker.done == ["make", "heal"]
    assert in_force == []


def test_a_proof_that_comes_a_moment_late_counts() -> None:
    maker = FakeMaker(hits=0)
    with injection(maker) as one:
        threading.Timer(0.05, lambda: setattr(maker, "hits", 1)).start()
    assert one.felt == 1


def test_a_proof_that_cannot_be_had_heals_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, in_force = FakeMaker(), list[Injection]()

    def felt() -> int:
        raise ProxyError("the engine does not answer")

    monkeypatch.setattr(maker, "felt", felt)
    with pytest.raises(ProxyError), injection(maker, in_force):
        pass
    assert maker.done == ["make", "heal"]
    assert in_force == []


def test_ctrl_c_while_the_proof_is_waited_for_heals_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maker, in_force = FakeMaker(hits=0), list[Injection]()

    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("brownout.postgres.injection.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt), injection(maker, in_force):
        pass
    assert maker.done == ["make", "heal"]
    assert in_force == []


def test_an_injection_is_for_one_block_so_that_no_proof_counts_twice() -> None:
    maker = FakeMaker()
    one = injection(maker)
    with one:
        pass
    maker.hits = 0
    with pytest.raises(BrownoutError, match="already used"), one:
        pytest.fail("the block is not entered")
    assert maker.done == ["make", "heal"]


# -- by hand, and half-way -----------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_healed_by_hand_it_is_not_healed_again_and_still_has_to_be_proven() -> None:
    maker = FakeMaker()
    with injection(maker) as one:
        one.heal()
        assert not maker.in_force
        maker.hits = 0
        one.heal()
    assert maker.done == ["make", "heal"]
    unfelt = FakeMaker(hits=0)
    with pytest.raises(FaultNotFelt), injection(unfelt) as one:
        one.heal()


def test_to_heal_what_was_never_made_is_nothing() -> None:
    maker = FakeMaker()
    injection(maker).heal()
    assert maker.done == []


@pytest.mark.parametrize("error", [ProxyError("no"), KeyboardInterrupt()])
def test_a_fault_that_fails_half_way_is_healed(error: BaseException) -> None:
    maker, in_force = FakeMaker(making=fails(error)), list[Injection]()
    with pytest.raises(type(error)), injection(maker, in_force):
        pytest.fail("the block is not entered")
    assert maker.done == ["make", "heal"]
    assert not maker.in_force
    assert in_force == []


def test_a_heal_that_fails_is_said_and_can_be_tried_again() -> None:
    maker, in_force = FakeMaker(healing=fails(ProxyError("no"))), list[Injection]()
    with pytest.raises(ProxyError), injection(maker, in_force) as one:
        pass
    assert in_force == [one]
    assert maker.in_force
    assert one.healed_at is None
    one.heal()
    assert in_force == []
    assert not maker.in_force


def test_a_heal_that_fails_after_an_exception_does_not_hide_it() -> None:
    maker = FakeMaker(healing=fails(ProxyError("no")))
    with pytest.raises(ProxyError) as raised, injection(maker):
        raise LookupError
    assert isinstance(raised.value.__context__, LookupError)


# -- beside an event loop ------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_it_works_beside_an_event_loop_in_a_thread_of_its_own() -> None:
    threads: list[int] = []
    maker = FakeMaker(
        making=lambda: threads.append(threading.get_ident()),
        healing=lambda: threads.append(threading.get_ident()),
    )
    async with injection(maker) as one:
        assert maker.in_force
    assert maker.done == ["make", "heal"]
    assert one.felt == 1
    assert threading.get_ident() not in threads


@pytest.mark.asyncio
async def test_beside_an_event_loop_an_exception_heals_too() -> None:
    maker = FakeMaker(hits=0)
    with pytest.raises(LookupError):
        async with injection(maker):
            raise LookupError
    assert maker.done == ["make", "heal"]


@pytest.mark.asyncio
@pytest.mark.usefixtures("impatient")
async def test_beside_an_event_loop_the_proof_is_demanded_too() -> None:
    maker = FakeMaker(hits=0)
    with pytest.raises(FaultNotFelt):
        async with injection(maker):
            pass
    assert not maker.in_force


@pytest.mark.asyncio
async def test_a_cancelled_block_heals() -> None:
    maker, inside = FakeMaker(hits=0), asyncio.Event()

    async def block() -> None:
        async with injection(maker):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert maker.done == ["make", "heal"]


@pytest.mark.asyncio
async def test_cancelled_while_it_is_made_it_is_made_to_its_end_and_healed() -> None:
    making, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        making.set()
        assert go_on.wait(PATIENCE)

    maker, in_force = FakeMaker(making=slowly), list[Injection]()

    async def block() -> None:
        async with injection(maker, in_force):
            pytest.fail("the block is not entered")

    task = asyncio.create_task(block())
    await asyncio.to_thread(making.wait, PATIENCE)
    task.cancel()
    asyncio.get_running_loop().call_later(0.02, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert maker.done == ["make", "heal"]
    assert in_force == []
    assert not maker.in_force


@pytest.mark.asyncio
async def test_cancelled_while_it_heals_it_is_healed_to_its_end() -> None:
    healing, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        healing.set()
        assert go_on.wait(PATIENCE)

    maker, in_force = FakeMaker(healing=slowly), list[Injection]()

    async def block() -> None:
        async with injection(maker, in_force):
            pass

    task = asyncio.create_task(block())
    await asyncio.to_thread(healing.wait, PATIENCE)
    task.cancel()
    asyncio.get_running_loop().call_later(0.02, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert maker.done == ["make", "heal"]
    assert in_force == []


def test_the_fault_is_there_to_be_read() -> None:
    assert Injection(Latency(ms(5)), FakeMaker(), []).fault == Latency(ms(5))

"""Faults of a schedule that are in force together: which heals before which."""

import pytest

from brownout.errors import BackendUnavailable
from brownout.faults import ChangedSchema, Commit, Fault, Freeze, Outage, Restart, StalledAt
from brownout.postgres import Injection
from brownout.trial.chaos.in_force import InForce

pytestmark = pytest.mark.asyncio

STALLED = StalledAt(Commit())


class Database:
    """Notes what comes (+) and heals (-); `locked` is how often a table cannot be altered."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.locked: list[str] = []
        self.in_force: list[Injection] = []

    @property
    def admin(self) -> "Database":
        return self

    def terminate_sessions(self) -> int:
        self.noted.append("sessions ended")
        return 1

    def inject(self, fault: Fault) -> Injection:
        return Injection(fault, Made(self, fault), self.in_force)

    def heal(self) -> None:
        for injection in reversed(tuple(self.in_force)):
            injection.heal()


class Made:
    """A maker that only takes notes."""

    def __init__(self, database: Database, fault: Fault) -> None:
        self._database = database
        self._name = type(fault).__name__

    def make(self) -> None:
        self._note(f"+{self._name}")

    def heal(self) -> None:
        self._note(f"-{self._name}")

    def felt(self) -> int:
        return 0

    def _note(self, what: str) -> None:
        if what in self._database.locked:
            self._database.locked.remove(what)
            raise BackendUnavailable(f"{what} cannot be", remedy="")
        self._database.noted.append(what)


@pytest.fixture
def database() -> Database:
    return Database()


async def carried_out(database: Database, *faults: Fault) -> list[str]:
    """What was noted while these came, one after the other, and healed."""
    in_force = InForce(database)  # type: ignore[arg-type]
    for fault in faults:
        await in_force.add(fault)
    database.noted.append("heal")
    await in_force.heal()
    assert database.in_force == []
    return database.noted


async def test_the_latest_heals_first(database: Database) -> None:
    noted = await carried_out(database, Outage(), STALLED)
    assert noted == ["+Outage", "+StalledAt", "heal", "-StalledAt", "-Outage"]


async def test_a_frozen_server_goes_on_before_the_next_fault(database: Database) -> None:
    noted = await carried_out(database, STALLED, Freeze(), Restart())
    before, after = noted[: noted.index("heal")], noted[noted.index("heal") :]
    assert before == ["+StalledAt", "+Freeze", "-Freeze", "+Restart"]
    assert after == ["heal", "-Restart", "-StalledAt"]


async def test_a_frozen_server_goes_on_before_others_heal(database: Database) -> None:
    noted = await carried_out(database, ChangedSchema(), STALLED, Freeze())
    assert noted[3:] == ["heal", "-Freeze", "-StalledAt", "-ChangedSchema"]


async def test_the_schema_changes_once_and_is_changed_back_last(database: Database) -> None:
    noted = await carried_out(database, STALLED, ChangedSchema(), ChangedSchema())
    assert noted == ["+StalledAt", "+ChangedSchema", "heal", "-StalledAt", "-ChangedSchema"]


async def test_a_schema_that_a_transaction_keeps_does_not_change(database: Database) -> None:
    database.locked = ["+ChangedSchema"]
    noted = await carried_out(database, STALLED, ChangedSchema())
    assert noted == ["+StalledAt", "-ChangedSchema", "heal", "-StalledAt"]


async def test_sessions_that_keep_the_schema_from_its_way_back_are_ended(
    database: Database,
) -> None:
    database.locked = ["-ChangedSchema"]
    noted = await carried_out(database, ChangedSchema())
    assert noted == ["+ChangedSchema", "heal", "sessions ended", "-ChangedSchema"]


async def test_any_other_fault_that_cannot_heal_is_an_error(database: Database) -> None:
    database.locked = ["-Outage"] * 3
    with pytest.raises(BackendUnavailable):
        await carried_out(database, Outage())


async def test_faults_can_come_again_after_a_heal(database: Database) -> None:
    in_force = InForce(database)  # type: ignore[arg-type]
    for _ in range(2):
        await in_force.add(ChangedSchema())
        await in_force.heal()
    assert database.noted == ["+ChangedSchema", "-ChangedSchema"] * 2

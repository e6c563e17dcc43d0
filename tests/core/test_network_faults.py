"""Each fault of the network is in force on open and new connections, is felt, and heals."""

import asyncio
import socket
import time
from collections.abc import Callable

import psycopg
import pytest

from brownout import FaultNotFelt, ms
from brownout.faults import (
    ALL,
    ESTABLISHED,
    NEW,
    Bandwidth,
    BlackHole,
    CutAfter,
    Direction,
    Fault,
    Latency,
    Outage,
    Reset,
    Scope,
    ScopeKind,
    ServerError,
    Statement,
)
from brownout.postgres import Postgres
from tests.core.clients import PATIENCE, Clients, Connection, soon

TOUCHED: list[Fault] = [
    Latency(ms(20)),
    Bandwidth(1_000_000),
    BlackHole(),
    Outage(),
    Reset(),
    CutAfter(1),
]
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def name(value: object) -> str:
    return type(value).__name__


def took(connection: Connection, statement: str = "select 1") -> float:
    began = time.monotonic()
    connection.execute(statement)
    return time.monotonic() - began


def touch(connection: Connection) -> None:
    """Use the way, whatever becomes of it, and wait no longer than it takes to be felt."""
    connection.pgconn.send_query(b"select 1")
    connection.pgconn.flush()


def nothing_left(postgres: Postgres) -> bool:
    proxy = postgres._route.engine.proxy(postgres._route.proxy)
    return proxy.enabled and not proxy.toxics and not postgres._in_force


# -- the way -------------------------------------------------------------------------------------


def test_the_service_s_way_leads_through_the_engine_and_ours_around_it(
    postgres: Postgres, clients: Clients
) -> None:
    before = postgres._route.engine.counts(postgres._route.proxy).opened
    connection = clients.connect()
    assert postgres._route.engine.counts(postgres._route.proxy).opened == before + 1
    assert connection.info.port == postgres.login.address.port
    postgres.query("select 1")
    assert postgres._route.engine.counts(postgres._route.proxy).opened == before + 1
    assert postgres.admin.login.address != postgres.login.address


# -- scopes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "slow"),
    [
        (ALL, "abcd"),
        (ESTABLISHED, "ab"),
        (NEW, "cd"),
        (Scope(ScopeKind.NTH, 2), "d"),
        (Scope(ScopeKind.FIRST, 1), "c"),
    ],
    ids=repr,
)
def test_a_fault_acts_on_the_connections_of_its_scope(
    scope: Scope, slow: str, postgres: Postgres, clients: Clients
) -> None:
    connections = {name: clients.connect() for name in "ab"}
    with postgres.inject(Latency(ms(50), scope=scope)) as injection:
        connections |= {name: clients.connect() for name in "cd"}
        times = {name: took(one) for name, one in connections.items()}
        assert all(times[name] > 0.04 for name in slow)
        assert injection.felt == len(slow)


def test_connections_that_went_silent_stay_so_while_new_ones_work(
    postgres: Postgres, clients: Clients
) -> None:
    old = clients.connect()
    with postgres.inject(BlackHole(scope=ESTABLISHED)) as injection:
        touch(old)
        assert took(clients.connect()) < PATIENCE
        assert soon(lambda: injection.felt > 0)


def test_a_server_error_acts_on_old_connections_only(postgres: Postgres, clients: Clients) -> None:
    old = clients.connect()
    refused = ServerError("25006", on=Statement("insert"), scope=ESTABLISHED)
    with postgres.inject(refused) as injection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            old.execute("insert into stock values ('a', 1)")
        clients.connect().execute("insert into stock values ('b', 1)")
        assert injection.felt == 1
    assert postgres.query("select sku from stock") == [("b",)]


# -- each fault ----------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", Direction, ids=lambda one: one.name.lower())
def test_latency_holds_back_every_answer_on_open_and_new_connections(
    direction: Direction, postgres: Postgres, clients: Clients
) -> None:
    open_one = clients.connect()
    least = 0.16 if direction is Direction.BOTH else 0.08
    with postgres.inject(Latency(ms(80), direction=direction)) as fault:
        assert took(open_one) >= least
        assert fault.felt >= 1
        began = time.monotonic()
        clients.connect()
        assert time.monotonic() - began >= least
    assert nothing_left(postgres)


def test_the_heal_of_latency_lets_go_at_once_of_what_was_held_back(
    postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    with postgres.inject(Latency(ms(600_000))) as fault:
        touch(connection)
        assert soon(lambda: fault.felt == 1)
    result = connection.pgconn.get_result()
    assert result is not None
    assert result.get_value(0, 0) == b"1"


def test_bandwidth_lets_so_many_bytes_through_in_a_second(
    postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    with postgres.inject(Bandwidth(100_000)) as fault:
        assert took(connection, "select repeat('x', 30000)") >= 0.2
        assert fault.felt == 1
    assert nothing_left(postgres)


def test_a_black_hole_swallows_requests_and_new_connections_and_its_heal_closes_them(
    postgres: Postgres, clients: Clients
) -> None:
    open_one = clients.connect()
    with postgres.inject(BlackHole()) as fault:
        open_one.pgconn.send_query(b"insert into orders values (1)")
        open_one.pgconn.flush()
        new_one = clients.dial()
        new_one.sendall(SSL_REQUEST)
        assert soon(lambda: fault.felt == 2)
        new_one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            new_one.recv(1)
    with pytest.raises(psycopg.OperationalError):
        open_one.execute("select 1")
    new_one.settimeout(PATIENCE)
    assert new_one.recv(1) == b""
    assert postgres.query("select count(*) from orders") == [(0,)]
    clients.connect().execute("select 1")


def test_a_black_hole_towards_the_service_loses_answers_only(
    postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    with postgres.inject(BlackHole(Direction.TO_SERVICE)) as fault:
        connection.pgconn.send_query(b"insert into orders values (1)")
        connection.pgconn.flush()
        assert soon(lambda: postgres.query("select count(*) from orders") == [(1,)])
        assert soon(lambda: fault.felt == 1)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")


def test_in_an_outage_open_connections_end_and_new_ones_are_refused_at_once(
    postgres: Postgres, clients: Clients
) -> None:
    address = postgres.login.address
    open_one = clients.connect()
    with postgres.inject(Outage()) as fault:
        with pytest.raises(psycopg.OperationalError):
            open_one.execute("select 1")
        with pytest.raises(ConnectionRefusedError):
            clients.dial()
        assert fault.felt >= 1
    assert postgres.login.address == address
    clients.connect().execute("select 1")


def test_a_reset_ends_open_and_new_connections_with_rst(
    postgres: Postgres, clients: Clients
) -> None:
    open_one = clients.connect()
    with postgres.inject(Reset()) as fault:
        with pytest.raises(ConnectionResetError):  # of the dialling itself, or soon after
            clients.dial().recv(1)
        assert soon(lambda: fault.felt == 2)
        with pytest.raises(psycopg.OperationalError):
            open_one.execute("select 1")
    clients.connect().execute("select 1")


def test_a_cut_ends_a_connection_in_the_middle_of_an_answer(
    postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    with postgres.inject(CutAfter(40)) as fault:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select repeat('x', 1000)")
        assert fault.felt == 1
    clients.connect().execute("select 1")


# -- for all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", TOUCHED, ids=name)
def test_a_fault_heals_when_its_block_fails(
    fault: Fault, postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()

    def block() -> None:
        with postgres.inject(fault):
            touch(connection)
            raise LookupError

    with pytest.raises(LookupError):
        block()
    assert nothing_left(postgres)
    clients.connect().execute("select 1")


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", TOUCHED, ids=name)
async def test_a_fault_heals_when_its_block_is_cancelled(
    fault: Fault, postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    inside = asyncio.Event()

    async def block() -> None:
        async with postgres.inject(fault):
            touch(connection)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_left(postgres)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "fault", [fault for fault in TOUCHED if not isinstance(fault, Outage | Reset)], ids=name
)
def test_a_fault_that_nobody_used_the_way_under_was_not_felt(
    fault: Fault, postgres: Postgres, clients: Clients
) -> None:
    clients.connect()
    with pytest.raises(FaultNotFelt), postgres.inject(fault):
        pass
    assert nothing_left(postgres)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", [Reset(), CutAfter(1)], ids=name)
def test_a_fault_that_finds_no_connection_was_not_felt(fault: Fault, postgres: Postgres) -> None:
    with pytest.raises(FaultNotFelt), postgres.inject(fault):
        pass
    assert nothing_left(postgres)


@pytest.mark.usefixtures("impatient")
def test_what_was_felt_before_does_not_count_for_the_next_of_the_same_kind(
    postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    with postgres.inject(Latency(ms(5))):
        connection.execute("select 1")
    with pytest.raises(FaultNotFelt), postgres.inject(Latency(ms(5))):
        pass


def test_faults_nest_and_add_up(postgres: Postgres, clients: Clients) -> None:
    connection = clients.connect()
    with postgres.inject(Latency(ms(60))), postgres.inject(Latency(ms(40))):
        assert took(connection) >= 0.1
    assert nothing_left(postgres)


def test_the_end_of_an_inner_outage_does_not_end_the_outer_one(
    postgres: Postgres, clients: Clients
) -> None:
    clients.connect()
    with postgres.inject(Outage()):
        with pytest.raises(ConnectionRefusedError), postgres.inject(Outage()):
            clients.dial()
        with pytest.raises(ConnectionRefusedError):
            clients.dial()
    clients.connect().execute("select 1")


@pytest.mark.parametrize("fault", TOUCHED, ids=name)
def test_a_fault_whose_making_breaks_off_is_healed(
    fault: Fault, postgres: Postgres, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = postgres._route.engine

    def breaking_off(call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **more: object) -> object:
            call(*arguments, **more)
            monkeypatch.undo()
            raise KeyboardInterrupt

        return step

    for call in ("add_toxic", "set_enabled"):
        monkeypatch.setattr(engine, call, breaking_off(getattr(engine, call)))
    with pytest.raises(KeyboardInterrupt), postgres.inject(fault):
        pytest.fail("the block is not entered")
    assert nothing_left(postgres)
    clients.connect().execute("select 1")


@pytest.mark.usefixtures("impatient")
def test_all_that_is_in_force_is_healed_at_once(postgres: Postgres, clients: Clients) -> None:
    postgres.inject(Latency(ms(5))).__enter__()
    postgres.inject(Outage()).__enter__()
    assert not nothing_left(postgres)
    postgres.heal()
    assert nothing_left(postgres)
    clients.connect().execute("select 1")
    postgres.heal()


def test_somebody_s_reset_of_the_engine_does_not_stand_in_a_heal_s_way(
    postgres: Postgres, clients: Clients
) -> None:
    connection = clients.connect()
    with postgres.inject(Latency(ms(5))):
        connection.execute("select 1")
        postgres._route.engine.reset()
    assert nothing_left(postgres)


def test_a_fault_on_a_share_of_the_connections_leaves_the_others_alone(
    postgres: Postgres, clients: Clients
) -> None:
    for _ in range(12):
        clients.connect()
    with postgres.inject(Reset()) as every:
        assert soon(lambda: every.felt == 12)
    connections = [clients.connect() for _ in range(24)]
    with postgres.inject(CutAfter(0, share=0.5)) as half:
        for connection in connections:
            touch(connection)
        assert soon(lambda: half.felt >= 1)
    assert 1 <= half.felt <= 23


def test_socket_and_client_speak_of_the_same_port(postgres: Postgres) -> None:
    address = postgres.login.address
    with socket.create_connection((address.host, address.port), timeout=PATIENCE) as connection:
        connection.sendall(SSL_REQUEST)
        assert connection.recv(1) == b"N"

"""What a server says whose disk is really full, beside what the engine says in its place."""

import re
import secrets
import time
from collections.abc import Iterator

import docker
import psycopg
import pytest

from brownout.faults import ServerError
from brownout.trial.plan import DISK_FULL

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

SPACE = "size=4m,mode=1777"
PAGES = 1024
"""More than fit there."""


def entered(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    """A session, as soon as the server lets one in."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return psycopg.connect(dsn, sslmode="disable", connect_timeout=5, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture
def session(
    docker_client: docker.DockerClient, postgres_image: str
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Of a server with a tablespace of 4 MB, `small`."""
    password = secrets.token_hex()
    container = docker_client.containers.run(
        postgres_image,
        detach=True,
        environment={"POSTGRES_PASSWORD": password},
        ports={"5432/tcp": ("127.0.0.1", None)},
        tmpfs={"/small": SPACE},
    )
    try:
        container.reload()
        port = container.ports["5432/tcp"][0]["HostPort"]
        with entered(f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres") as session:
            made = container.exec_run(["mkdir", "/small/space"], user="postgres")
            assert made.exit_code == 0, made.output
            session.execute("create tablespace small location '/small/space'")
            yield session
    finally:
        container.remove(force=True, v=True)


def without_path(message: str) -> str:
    return re.sub(r'"[^"]+"', '"…"', message)


def test_a_disk_that_is_really_full_says_what_the_trial_says(
    session: psycopg.Connection[tuple[object, ...]],
) -> None:
    fault = DISK_FULL.fault
    assert isinstance(fault, ServerError)
    session.execute("create table filled (line text) tablespace small")
    # A row of a page each, and not compressed.
    session.execute("alter table filled alter column line set storage plain")
    row = "insert into filled values (repeat('x', 8000))"
    with pytest.raises(psycopg.errors.DiskFull) as refused:
        session.execute(f"do $$begin for _ in 1..{PAGES} loop {row}; commit; end loop; end$$")

    assert refused.value.sqlstate == fault.sqlstate
    said = refused.value.diag.message_primary or ""
    assert without_path(said) == without_path(fault.message)
    assert refused.value.diag.severity_nonlocalized == "ERROR", "the session goes on"
    assert not fault.fatal
    # Reads go on, and so does what fits into a page that is there: why the engine says it instead.
    session.execute("insert into filled values ('x')")
    counted = session.execute("select count(*) from filled where line = 'x'").fetchone()
    assert counted == (1,)
    # A transaction is aborted by it.
    session.execute("begin")
    with pytest.raises(psycopg.errors.DiskFull):
        session.execute(row)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        session.execute("select 1")
    session.execute("rollback")

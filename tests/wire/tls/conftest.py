"""Proxies with TLS, and a PostgreSQL server that speaks it: the wheel's does not."""

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.control import EngineProcess, ProxyRecord
from brownout.login import Login
from brownout.reaper import Reaper
from tests.wire.tls.certificates import Certificates, made_in
from tests.wire.tls.ways import DEADLINE

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    # Another user runs PostgreSQL where we are root, and reads its certificate here.
    made = Path(tempfile.mkdtemp(prefix="brownouttest-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def certificates(folder: Path) -> Certificates:
    return made_in(folder)


@pytest.fixture
def make_proxy(engine: EngineProcess) -> Iterator[Callable[..., ProxyRecord]]:
    """Makes framed and recorded proxies that are gone after the test."""
    client = engine.client
    with ExitStack() as stack:

        def make(to: object, **tls: str) -> ProxyRecord:
            name = f"tls-{next(_serial)}"
            fields = {"tls": tls} if tls else {}
            proxy = client.create_proxy(name, to, protocol="postgresql", **fields)  # type: ignore[arg-type]
            stack.callback(client.delete_proxy, name)
            client.wire.start_record(name)
            return proxy

        yield make


def _programs() -> Path:
    """PostgreSQL with TLS: Debian's, or what BROWNOUT_TLS_PG_BIN names."""
    named = os.environ.get("BROWNOUT_TLS_PG_BIN")
    found = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for place in reversed(found):
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    said = "no PostgreSQL with TLS: install Debian's postgresql, or set BROWNOUT_TLS_PG_BIN"
    if os.environ.get("BROWNOUT_REQUIRE_TLS") == "1":
        pytest.fail(f"BROWNOUT_REQUIRE_TLS=1, and {said}", pytrace=False)
    pytest.skip(said)


@pytest.fixture(scope="session")
def tls_server(reaper: Reaper, certificates: Certificates) -> Iterator[EmbeddedBackend]:
    backend = EmbeddedBackend(reaper, binaries=_programs())
    backend.start()
    try:
        _turn_on(backend.admin(), certificates)
        yield backend
    finally:
        backend.stop()


def _turn_on(login: Login, certificates: Certificates) -> None:
    key = certificates.key_of(certificates.server)
    with psycopg.connect(login.dsn, autocommit=True) as session:
        data = session.execute("show data_directory").fetchone()
        assert data is not None
        owner = Path(data[0]).stat()
        os.chown(key, owner.st_uid, owner.st_gid)
        session.execute(f"alter system set ssl_cert_file = '{certificates.server}'")
        session.execute(f"alter system set ssl_key_file = '{key}'")
        session.execute("alter system set ssl = on")
        session.execute("select pg_reload_conf()")
        session.execute("create table kept (number int)")
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            psycopg.connect(login.dsn, sslmode="require").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return

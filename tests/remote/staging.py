"""A staging environment on this machine: a service that runs, with a proxy before its database."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from psycopg import sql

from brownout import Service
from brownout.backends.model import Backend
from brownout.control import EngineClient, ProxyRecord
from brownout.login import Address, Login
from brownout.postgres import Postgres
from brownout.postgres.admin import admin_connection
from brownout.reaper import Reaper
from brownout.service import RunningService
from brownout.settings.remote import RemoteProxy
from tests.controls.kiosk.declaration import declared_kiosk
from tests.core.certified import Authority

__all__ = ["PROXY", "Staging", "by_https", "staging"]

PROXY = "orders"
DECLARED = "--service=tests.remote.declared:kiosk"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Staging:
    """The service at `url`, whose database is behind the proxy `PROXY` of the API at `api`."""

    url: str
    api: str
    process: psutil.Process

    @property
    def proxy(self) -> RemoteProxy:
        """The proxy, as the option has it."""
        host, _, port = self.api.rpartition(":")
        return RemoteProxy(Address(host, int(port)), PROXY)

    def words(self, *more: str) -> list[str]:
        """The options of a gate that judges it."""
        place = [f"--remote-service={self.url}", f"--remote-proxy=http://{self.api}/{PROXY}"]
        return ["--backend=remote", *place, DECLARED, *more]

    def record(self) -> ProxyRecord:
        """The proxy as it is now."""
        return EngineClient(self.api).proxy(PROXY)

    def is_whole(self) -> bool:
        """Whether nothing is broken at the proxy."""
        record = self.record()
        return record.enabled and not record.toxics


@contextmanager
def staging(
    server: Backend,
    reaper: Reaper,
    folder: Path,
    api: str,
    *,
    app: str = "tests.controls.kiosk.app:kiosk",
    around: bool = False,
    authority: Authority | None = None,
) -> Iterator[Staging]:
    """The kiosk (or another `app`) with a database of its own, behind the proxy server at `api`;
    `around`: it reaches its database around the proxy; `authority`: it speaks HTTPS, with a
    certificate from there."""
    name, password = Postgres.new_name(), secrets.token_urlsafe(16)
    client = EngineClient(api)
    _create(server, name, password)
    record = client.create_proxy(PROXY, server.upstream(), protocol="postgresql")
    entrance = server.upstream() if around else Address(record.host, record.port)
    declared = replace(declared_kiosk(app), cwd=_ROOT)
    service = RunningService(
        declared if authority is None else by_https(declared, authority),
        Login(entrance, name, name, password),
        folder=folder,
        environment=reaper.environment,
        announce=reaper.end_session,
    )
    try:
        service.start()
        yield Staging(service.url, api, psutil.Process(service.pid))
    finally:
        service.stop()
        client.delete_proxy(PROXY)
        _drop(server, name)


def by_https(declared: Service, authority: Authority) -> Service:
    """A declared service of uvicorn's that speaks HTTPS."""
    certificate = str(authority.issued())
    with_it = ["--ssl-certfile", certificate, "--ssl-keyfile", certificate]
    return replace(declared, command=[*declared.command, *with_it], tls_ca=authority.certificate)


def _create(server: Backend, name: str, password: str) -> None:
    both = sql.Identifier(name)
    with admin_connection(server.admin()) as session:
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        session.execute(create.format(both, sql.Literal(password)))
        session.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(both, both))


def _drop(server: Backend, name: str) -> None:
    both = sql.Identifier(name)
    with admin_connection(server.admin()) as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(both))
        session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(both))

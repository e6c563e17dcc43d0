"""Every setting of the service, read from the environment (prefix `SHOP_`)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """The service's settings; durations are in seconds. Each says why its default is what it is."""

    model_config = SettingsConfigDict(
        env_prefix="SHOP_", frozen=True, use_attribute_docstrings=True
    )

    database_url: SecretStr = Field(default=...)
    """PostgreSQL's URL. It holds the password, so it is never printed; there is no default."""

    host: str = "127.0.0.1"
    """The address to listen on; the loopback until somebody decides otherwise."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The TCP port to listen on; 0 lets the system choose."""

    workers: Annotated[int, Field(ge=1)] = 1
    """Uvicorn's processes. Each has a pool of its own: the database sees
    `workers * (pool_size + 1)`, since the watch behind the probes has a connection of its own."""

    request_deadline: Seconds = 1.0
    """What a caller is promised: every answer comes within this time of its request."""

    answer_margin: Annotated[float, Field(ge=0, lt=1)] = 0.25
    """The share of the deadline kept for the way there and back, so that the promise holds as the
    caller measures it: from before its connection exists, and with a crowd at the door of a machine
    that has other work too. A quarter of a second is nothing to healthy requests."""

    pool_size: Annotated[int, Field(ge=1)] = 5
    """Connections of one worker. PostgreSQL does best with a few per core, and at 2 ms a query
    five serve 2500 queries a second, more than one worker can answer."""

    pool_queue: Annotated[int, Field(ge=0)] = 50
    """How many requests may wait for a connection; the next is refused at once. Ten for each
    connection: at 2 ms a query the last of them waits 20 ms."""

    circuit_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """The share of the pool that the users of one table may hold together, so that a table that is
    locked leaves a connection to the others."""

    pool_patience: Seconds = 0.5
    """The longest wait for a connection. Half of the deadline, so that whoever gets a connection
    still has the time to use it."""

    connect_timeout: Seconds = 0.5
    """The longest time to open a connection: some ten round trips with TLS and SCRAM, with room for
    50 ms each. The deadline of the request that needs it may end it sooner."""

    idle_lifetime: Annotated[float, Field(ge=0)] = 300.0
    """How long a connection may lie idle before it is replaced: less than the 350 s after which
    some balancers forget it without a word, which would cost the next request its deadline."""

    client_check_interval: Annotated[float, Field(ge=0)] = 0.1
    """How often the server looks, while it runs a query, whether we are still there, so that a
    query does not outlive a connection that was given up. One system call each time. PostgreSQL has
    it since 14, on Linux and macOS; 0 leaves it out."""

    retry_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """How many retries a request earns: a tenth, so that retries add at most 10 % of load."""

    retry_reserve: Annotated[int, Field(ge=0)] = 10
    """How many retries may be saved up: two pools of connections cut at once."""

    breaker_threshold: Annotated[int, Field(ge=1)] = 10
    """How many failures in a row open the breaker: a pool of connections cut in mid-query, and
    their retries, do not."""

    breaker_rest: Seconds = 0.5
    """How long an open breaker leaves the database alone until one request tries: two tries a
    second burden nobody, and recovery is noticed within half a second."""

    slow_share: Annotated[float, Field(gt=0, le=1)] = 0.75
    """The share of the time to work after which even a success counts as a failure: a database that
    needs three quarters of the time will soon need more than all of it."""

    snapshot: Path | None = None
    """The SQLite file that keeps the catalogue for when PostgreSQL is gone; None: no fallback. On a
    disk that outlives the process, it survives a restart during an outage."""

    snapshot_interval: Seconds = 5.0
    """The time between two snapshots: one query every five seconds."""

    snapshot_max_age: Seconds = 600.0
    """How old a catalogue may be shown: prices may be ten minutes old, says the shop's owner."""

    invoice_workers: Annotated[int, Field(ge=1)] = 1
    """Processes of each worker that draw invoices, started with it. One: drawing may keep one core
    busy, and the event loop has another."""

    invoice_queue: Annotated[int, Field(ge=0)] = 20
    """How many drawings may wait: at some 20 ms each, the last waits less than half a second."""

    health_interval: Seconds = 0.5
    """The time between two looks at the database. Two in a row must agree, so that readiness turns
    within a second or two, well below the three periods of 1 s that orchestrators allow."""

    health_timeout: Seconds = 0.5
    """How long the database may take to answer a look. Probes answer from what the last looks saw,
    so they never wait for it."""

    backlog: Annotated[int, Field(ge=1)] = 2048
    """Connections the kernel keeps until they are accepted (capped by `net.core.somaxconn`): enough
    for a spike's handshakes; waiting there is short, since refusing is cheap."""

    keep_alive: Annotated[int, Field(ge=1)] = 75
    """How long an idle HTTP connection stays open, in whole seconds: longer than the 60 s after
    which load balancers close theirs, or a request would meet a connection just being closed."""

    limit_concurrency: Annotated[int, Field(ge=1)] = 2000
    """Where Uvicorn itself refuses, with a plain 503: a last fence against running out of file
    descriptors, far above `pool_size + pool_queue`, which refuse in the declared format."""

    drain_delay: Annotated[float, Field(ge=0)] = 1.0
    """How long a stopping service still takes requests while it already says that it is not ready:
    one probe period, so that the balancer hears of it first."""

    grace: Annotated[int, Field(ge=1)] = 10
    """How long a stop waits for requests in flight, in whole seconds: ten deadlines, and a third of
    the 30 s that Kubernetes gives a pod."""

    def time_to_work(self, promised: float | None = None) -> float:
        """How long a request may work, in seconds: what was promised, without the margin."""
        return min(promised or self.request_deadline, self.request_deadline) * (
            1 - self.answer_margin
        )

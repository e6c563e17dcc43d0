"""Every setting of the service, read from the environment (prefix `SHOP_`)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """The service's settings; durations are in seconds. Each docstring explains the default."""

    model_config = SettingsConfigDict(
        env_prefix="SHOP_", frozen=True, use_attribute_docstrings=True
    )

    database_url: SecretStr = Field(default=...)
    """PostgreSQL's URL. It contains the password, so it is never printed and has no default."""

    host: str = "127.0.0.1"
    """The address to listen on. The default, loopback, is not reachable from other hosts."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The TCP port to listen on; 0 lets the system choose."""

    workers: Annotated[int, Field(ge=1)] = 1
    """Uvicorn's processes. Each has its own pool, and one more connection for the health check, so
    the database sees `workers * (pool_size + 1)` connections."""

    request_deadline: Seconds = 1.0
    """The promise to callers: every answer arrives within this time of its request."""

    answer_margin: Annotated[float, Field(ge=0, lt=1)] = 0.25
    """The share of the deadline kept for the network and for queueing, because the caller's clock
    starts before its connection exists, and a busy machine with many callers adds delay. A quarter
    of a second does not matter to healthy requests."""

    pool_size: Annotated[int, Field(ge=1)] = 5
    """Connections per worker. PostgreSQL works best with a few per core, and at 2 ms a query five
    serve 2500 queries a second, more than one worker can answer."""

    pool_queue: Annotated[int, Field(ge=0)] = 50
    """How many requests may wait for a connection; the next one is refused immediately. Ten per
    connection: at 2 ms a query the last one waits 20 ms."""

    circuit_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """The share of the pool that all requests for one table may hold, so a locked table leaves a
    connection to the others."""

    pool_patience: Seconds = 0.5
    """The longest wait for a connection. Half of the deadline, so a request that gets one still
    has time to use it."""

    connect_timeout: Seconds = 0.5
    """The longest time to open a connection: about ten round trips with TLS and SCRAM, at up to
    50 ms each. The request's deadline may end it sooner."""

    idle_lifetime: Annotated[float, Field(ge=0)] = 300.0
    """How long a connection may be idle before it is replaced: less than the 350 s after which
    some load balancers silently drop it, and the next request would run into its deadline."""

    client_check_interval: Annotated[float, Field(ge=0)] = 0.1
    """How often the server checks during a query that its client is still connected, so a query
    does not outlive an abandoned connection. Each check costs one system call. Requires
    PostgreSQL 14 or later on Linux or macOS; 0 disables it."""

    retry_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """How many retries a request earns: a tenth, so retries add at most 10 % of load."""

    retry_reserve: Annotated[int, Field(ge=0)] = 10
    """How many retries may be saved up: enough for twice a whole pool cut at once."""

    breaker_threshold: Annotated[int, Field(ge=1)] = 10
    """How many consecutive failures open the breaker: more than one whole pool cut in mid-query
    and its retries cause."""

    breaker_rest: Seconds = 0.5
    """How long an open breaker refuses before it lets one trial request through. Two trials a
    second are negligible load, and recovery is noticed within half a second."""

    slow_share: Annotated[float, Field(gt=0, le=1)] = 0.75
    """The share of the working time after which even a success counts as a failure: a database
    that needs three quarters of the time will soon need more than all of it."""

    snapshot: Path | None = None
    """The SQLite file that keeps the catalogue for an outage of PostgreSQL; None disables the
    fallback. On a disk that outlives the process, it survives a restart during an outage."""

    snapshot_interval: Seconds = 5.0
    """The time between two snapshots: one query every five seconds."""

    snapshot_max_age: Seconds = 600.0
    """The maximum age of a stale catalogue: the shop accepts prices that are ten minutes old."""

    invoice_workers: Annotated[int, Field(ge=1)] = 1
    """Drawing processes per worker, started with it. One: drawing may keep one core busy, and the
    event loop has another."""

    invoice_queue: Annotated[int, Field(ge=0)] = 20
    """How many drawings may wait: at about 20 ms each, the last waits less than half a second."""

    health_interval: Seconds = 0.5
    """The time between two health checks of the database. Two in a row must agree, so readiness
    changes within a second or two, well below the three periods of 1 s that orchestrators allow."""

    health_timeout: Seconds = 0.5
    """How long the database may take to answer a health check. Probes report the last checks'
    result, so they never wait for one."""

    backlog: Annotated[int, Field(ge=1)] = 2048
    """How many connections the kernel queues until they are accepted (capped by
    `net.core.somaxconn`): enough for a spike. The wait is short, because refusing is cheap."""

    keep_alive: Annotated[int, Field(ge=1)] = 75
    """How long an idle HTTP connection stays open, in whole seconds: longer than the 60 s after
    which load balancers close theirs, or a request could arrive on a closing connection."""

    limit_concurrency: Annotated[int, Field(ge=1)] = 2000
    """The number of connections at which Uvicorn itself refuses, with a plain 503. It protects the
    file descriptors, and is far above `pool_size + pool_queue`, where the service refuses in its
    own format."""

    drain_delay: Annotated[float, Field(ge=0)] = 1.0
    """How long a stopping service still serves requests while it already reports that it is not
    ready: one probe period, in which load balancers notice."""

    grace: Annotated[int, Field(ge=1)] = 10
    """How long a stop waits for requests in flight, in whole seconds: ten deadlines, and a third of
    the 30 s that Kubernetes gives a pod."""

    def time_to_work(self, promised: float | None = None) -> float:
        """How long a request may work, in seconds: the promised time without the margin."""
        return min(promised or self.request_deadline, self.request_deadline) * (
            1 - self.answer_margin
        )

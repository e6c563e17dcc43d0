"""Uvicorn, with every limit set on purpose."""

import os
import signal
import sys
from contextlib import suppress
from tempfile import TemporaryDirectory

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from sample_service.process.listening import SPREADS, Port
from sample_service.settings import Settings

__all__ = ["serve"]


def serve(application: str, settings: Settings) -> None:
    """Serve the application that the factory named `module:function` makes, until stopped.

    A name and not an object, so that each of several workers can make its own.
    """
    # Uvicorn stops on SIGTERM and then raises it again, for whoever handled it before: nobody, and
    # a stop that was asked for would look like a kill. This makes it exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    config = uvicorn.Config(
        application,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        backlog=settings.backlog,
        timeout_keep_alive=settings.keep_alive,
        limit_concurrency=settings.limit_concurrency,
        timeout_graceful_shutdown=settings.grace,
        log_config=None,  # the application configures logging, for itself and for Uvicorn
        access_log=False,  # a line for each request costs more than it tells: errors have one
        server_header=False,
    )
    with suppress(KeyboardInterrupt):  # Uvicorn has stopped by then, and raises it for others
        if settings.workers == 1:
            server = uvicorn.Server(config)
            server.run()
            if not server.started:
                sys.exit(STARTUP_FAILURE)
        else:
            _serve_by_several(config)


def _serve_by_several(config: uvicorn.Config) -> None:
    try:
        port = Port((config.host, config.port)) if SPREADS else config.bind_socket()
    except OSError as error:
        sys.exit(
            f"Cannot listen on {config.host}, port {config.port}: {error.strerror}. "
            "Choose another by SHOP_HOST and SHOP_PORT."
        )
    with TemporaryDirectory(prefix="shop-metrics-") as shared, port:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)  # read when a worker imports
        Multiprocess(config, [port]).run()

"""Runs Uvicorn with every limit set explicitly."""

import os
import signal
import sys
from contextlib import suppress
from tempfile import TemporaryDirectory

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from sample_service.process.listening import KERNEL_BALANCES, Port
from sample_service.settings import Settings

__all__ = ["serve"]


def serve(application: str, settings: Settings) -> None:
    """Serve the application of the factory named `module:function` until stopped.

    It is a name and not an object, so each of several workers can create its own application.
    """
    # After a stop, Uvicorn raises SIGTERM again for the previous handler. Without one, an orderly
    # stop would look like a kill; with this one the exit code is 0.
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
        log_config=None,  # the application configures logging for itself and for Uvicorn
        access_log=False,  # a line per request costs more than it is worth; errors have one
        server_header=False,
    )
    with suppress(KeyboardInterrupt):  # raised after Uvicorn has stopped
        if settings.workers == 1:
            server = uvicorn.Server(config)
            server.run()
            if not server.started:
                sys.exit(STARTUP_FAILURE)
        else:
            _serve_by_several(config)


def _serve_by_several(config: uvicorn.Config) -> None:
    try:
        port = Port((config.host, config.port)) if KERNEL_BALANCES else config.bind_socket()
    except OSError as error:
        sys.exit(
            f"Cannot listen on {config.host}, port {config.port}: {error.strerror}. "
            "Choose another address with SHOP_HOST and SHOP_PORT."
        )
    with TemporaryDirectory(prefix="shop-metrics-") as shared, port:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)  # workers read it on import
        Multiprocess(config, [port]).run()

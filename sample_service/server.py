"""Uvicorn, with every limit set on purpose."""

import os
import signal
import tempfile
from contextlib import ExitStack

import uvicorn

from sample_service.settings import Settings

__all__ = ["serve"]


def serve(application: str, settings: Settings) -> None:
    """Serve the application that the factory named `module:function` makes, until stopped.

    A name and not an object, so that each of several workers can make its own.
    """
    # Uvicorn stops on SIGTERM and then raises it again, for whoever handled it before: nobody, and
    # a stop that was asked for would look like a kill. This makes it exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with ExitStack() as stack:
        if settings.workers > 1:
            shared = stack.enter_context(tempfile.TemporaryDirectory(prefix="shop-metrics-"))
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)  # read when a worker imports
        uvicorn.run(
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

"""Uvicorn, with every limit set on purpose."""

import uvicorn

from sample_service.settings import Settings

__all__ = ["serve"]


def serve(application: str, settings: Settings) -> None:
    """Serve the application that the factory named `module:function` makes, until stopped.

    A name and not an object, so that each of several workers can make its own.
    """
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
        access_log=False,  # a line for each request costs more than it tells: errors have theirs
        server_header=False,
    )

"""The smallest service, which ends where its database is gone and never starts again:
`mortal_service.py PORT DSN NOTE`, where NOTE is a file that it writes as its last deed."""

import os
import runpy
import sys
from pathlib import Path

import psycopg

NOTE = Path(sys.argv[3])
connect = psycopg.connect


def connect_or_die(*words: object, **more: object) -> object:
    """Connect; where that fails, end at once, as by a crash."""
    try:
        return connect(*words, **more)  # type: ignore[arg-type]
    except psycopg.Error:
        NOTE.touch()
        os._exit(70)


if NOTE.exists():
    sys.exit(f"{NOTE} says that this service is dead")
psycopg.connect = connect_or_die  # type: ignore[assignment]
runpy.run_path(str(Path(__file__).with_name("tiny_service.py")), run_name="__main__")

"""Declarations that few runs can judge; named by `--brownout-service=tests.frame.unfit:NAME`."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from brownout import Authentication, Budget, Health, Operation, Service, seconds

__all__: list[str] = []

HERE = Path(__file__).parent
TINY = str(HERE.parent / "core" / "tiny.py")


def unfit(*words: str, ready: str | None = "/ready") -> Service:
    """A service of a few lines: `words` are what `tiny.py` is told."""
    return Service(
        command=[sys.executable, "-S", TINY, *words],
        health=Health(live=None, ready=ready),
        operations=[Operation.read("list-things", "GET", "/things")],
        budget=Budget(request=seconds(1), recovery=seconds(1), pool=2),
    )


exits_at_once = unfit("end", "7", "no such table")
unprepared = replace(
    exits_at_once,
    prepare=[[sys.executable, "-c", "for n in range(200): print('no such revision', n)\nexit(3)"]],
)
never_ready = unfit("sleep")
listens_elsewhere = unfit("serve", "0")
health_is_404 = unfit("serve", "{port}", "404")
refuses_logins = replace(
    unfit("serve", "{port}", "401", ready=None),
    login=Authentication(path="/login", json={"user": "ada", "password": "hunter2"}),
)
gives_no_value = replace(
    unfit("serve", "{port}", ready=None),
    operations=[
        Operation.read("list-things", "GET", "/things/{thing}"),
        Operation.write("add-thing", "POST", "/things", captures={"thing": "$.id"}),
    ],
)
operation_is_404 = unfit("serve", "{port}", "404", ready=None)


def real(program: str, *words: str) -> Service:
    """A service that asks its database."""
    return Service(
        command=[sys.executable, str(HERE / program), "{port}", "{dsn}", *words],
        health=Health(live="/live", ready="/ready"),
        operations=[Operation.read("ask", "GET", "/")],
        budget=Budget(request=seconds(3), recovery=seconds(2), pool=2),
    )


connects_each_time = real("tiny_service.py")
titled = real("titled_service.py")
mortal = real("mortal_service.py", os.environ.get("BROWNOUT_TEST_NOTE", ""))
nothing_succeeds = Service(
    command=[sys.executable, "-S", TINY, "serve", "{port}", "500"],
    health=Health(live=None, ready=None),
    operations=[Operation.read("quote", "GET", "/quote", needs_database=False)],
    budget=Budget(request=seconds(1), recovery=seconds(1), pool=2),
)

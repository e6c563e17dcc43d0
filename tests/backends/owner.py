"""A run to be killed: says its token, then starts, restarts and stops a server again and again."""

import sys
from pathlib import Path

from brownout.backends.embedded import EmbeddedBackend
from brownout.reaper import Reaper

reaper = Reaper.start()
print(reaper.run, flush=True)
while True:
    backend = EmbeddedBackend(reaper, cache=Path(sys.argv[1]))
    backend.start()
    backend.restart()
    print("restarted", flush=True)
    backend.stop()

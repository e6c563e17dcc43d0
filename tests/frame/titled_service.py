"""The smallest service, which overwrites the environment that the kernel shows of it, as programs
do that set their title (nginx, gunicorn with setproctitle)."""

import ctypes
import runpy
from pathlib import Path

place = ctypes.POINTER(ctypes.c_void_p).in_dll(ctypes.CDLL(None), "environ")
number = 0
while (entry := place[number]) is not None:
    ctypes.memset(entry, 0, len(ctypes.string_at(entry)))
    number += 1

runpy.run_path(str(Path(__file__).with_name("tiny_service.py")), run_name="__main__")

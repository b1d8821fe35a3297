"""A command in a process of its own that ends with the server, in whatever way that ends.

The server holds the other end of its standard input and never writes: the end of it says that the command is to stop.
"""

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence

_GRACE_S = 5.0
LAUNCHED = "from slu.serving.admin.child import main; main()"
"""`python -c LAUNCHED NICE MODULE ARGUMENTS`, in a session of its own."""


def command(module: str, arguments: Sequence[str], nice: int) -> list[str]:
    return [sys.executable, "-c", LAUNCHED, str(nice), module, *arguments]


def main() -> None:
    nice, module, *arguments = sys.argv[1:]
    os.nice(int(nice))
    threading.Thread(target=_follow, args=(os.dup(0),), daemon=True).start()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what the command asks, nobody answers
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__")
    except KeyboardInterrupt:  # before the command was there to say so itself
        sys.exit(128 + signal.SIGINT)


def _follow(server: int) -> None:
    while os.read(server, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C: what is finished is kept
    time.sleep(_GRACE_S)
    os.killpg(0, signal.SIGKILL)  # with the processes that it has started

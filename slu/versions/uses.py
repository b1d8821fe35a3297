"""Which versions are in use: who answers with one holds a shared lock on its `spec.json`, which the kernel gives back
when the process ends, however it ends.
"""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO

from slu.inference.files import SPEC


def hold(folder: Path) -> IO[bytes] | None:
    """In use until the file is closed; None where that cannot be said."""
    with suppress(OSError):  # of a file system without locks: the answers are as good without
        file = (folder / SPEC).open("rb")
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return file
    return None


def in_use(folder: Path) -> bool:
    """By a process of this machine, or of another that shares the locks of this file system."""
    try:
        with (folder / SPEC).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

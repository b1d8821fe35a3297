"""One retraining of a task at a time: a lock that its holder's death ends."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slu.common.errors import UserError


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """The kernel lets go of it when the process ends, however it ends; on a folder that machines share, it is NFS that
    has to do so.

    Raises UserError, naming the holder, where another one goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(f"another retraining goes on{_holder(file.read())}; wait until it has ended") from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": time.time()}))
        file.flush()
        yield


def _holder(text: str) -> str:
    try:
        known = json.loads(text)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(known["since"]))
        return f" (process {known['pid']}, since {since})"
    except (ValueError, KeyError, TypeError):  # written in this moment
        return ""

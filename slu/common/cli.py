"""How every command ends: a sentence for the user's mistakes, a traceback only for ours."""

import errno
import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

from slu.common.errors import UserError
from slu.common.hydra_errors import hydra_sentence
from slu.common.launchers import launcher_of, require_launcher

P = ParamSpec("P")
T = TypeVar("T")

_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EISDIR: "it is a folder, where a file is meant",
    errno.ENOTDIR: "a part of the path is a file, where a folder is meant",
    errno.EEXIST: "there is something of that name already",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "the link leads back to itself",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SHOWN = 200
"""Letters of a path."""


_RAISE = "HYDRA_FULL_ERROR"
"""With it, Hydra lets exceptions pass."""


def reports_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Turn UserError, disk and configuration errors into one sentence on stderr and exit code 2, Ctrl-C into 130."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BrokenPipeError:  # `... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as error:
            said = sentence(error)
            if said is None:
                raise
            _fail(said)
        except KeyboardInterrupt:
            print("\nstopped; finished stages and checkpoints are kept", file=sys.stderr)
            sys.exit(128 + signal.SIGINT)

    return wrapped


def sentence(error: Exception) -> str | None:
    """What the user is told of it; None for a bug of ours, whose traceback is wanted."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _DISK:
        path = str(error.filename or "while writing outputs")
        kept = "; nothing half-written was kept" if error.errno in _FULL else ""
        return f"{_DISK[error.errno]}: {path[:_SHOWN]}{'…' * (len(path) > _SHOWN)}{kept}"
    return hydra_sentence(error)


@reports_errors
def run_command(main: Callable[[], None]) -> None:
    """Start a Hydra command. Hydra makes the run's folder before `main` is called and answers a disk
    error there with a traceback, so the folder is tried first."""
    values = dict(a.split("=", 1) for a in sys.argv[1:] if "=" in a)
    if not {"--help", "-h", "--cfg", "-c", "--info", "-i", "--hydra-help"} & set(sys.argv[1:]):
        require_launcher(launcher_of(sys.argv[1:]))
        require_writable(Path(values.get("outputs", "outputs")))
    # Hydra's parser takes -m only before the settings; users write it anywhere.
    flags = [a for a in sys.argv[1:] if a in ("-m", "--multirun")]
    sys.argv[1:] = flags[:1] + [a for a in sys.argv[1:] if a not in flags]
    compose(main)


def compose(main: Callable[[], None]) -> None:
    """Call a Hydra main, and let what it finds wrong with the command line or a file of conf/ pass to
    `reports_errors`: Hydra would print it in several lines, or with a traceback of its own."""
    before = os.environ.get(_RAISE)
    os.environ[_RAISE] = "1"
    try:
        main()
    finally:
        if before is None:
            del os.environ[_RAISE]
        else:
            os.environ[_RAISE] = before


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def require_writable(folder: Path) -> None:
    """Check before any work that `folder` can be made and written. Raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        try:
            probe.write_bytes(b"x")
        finally:  # a full disk has let it be made
            probe.unlink(missing_ok=True)
    except OSError as error:
        reason = _DISK.get(error.errno or 0, error.strerror)
        raise UserError(f"cannot write to {folder}: {reason}") from None

"""One fit in several processes, each with a share of every batch (distributed data parallel).

The processes are started here and not by Lightning, whose launcher runs the whole command again for each of them, and
whose first process waits for ever when another fails (its issue 8130). So whatever comes before and after a fit
happens once, in the process that the user started: it takes no part, watches, and ends all when one ends badly.
Lightning's own `ddp` strategy does the rest; to it, these processes came from outside.
"""

import multiprocessing
import os
import pickle
import signal
import socket
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

import torch

from slu.common.errors import UserError

T = TypeVar("T")

STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_true")
"""Those of Lightning's that leave the processes to others, and keep a whole model in each."""


class Followed(Exception):  # noqa: N818
    """The fit is over, and what comes of it is for the first node."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a fit: as many on every node."""

    devices: int = 1
    nodes: int = 1
    node: int = 0
    """Which of them this one is."""

    @property
    def count(self) -> int:
        return self.devices * self.nodes


def require_ranks(trainer: Mapping[str, Any]) -> Ranks:
    """Those that `trainer`, keyword arguments of lightning.Trainer, asks for.

    Raises UserError for devices that are not there, and for processes that could not find each other.
    """
    on_gpu = trainer.get("accelerator") in ("gpu", "cuda")
    if on_gpu and not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        raise UserError("trainer.accelerator=gpu: there is no GPU that torch could use; train with trainer=cpu")
    devices, nodes = _devices(trainer.get("devices", 1), on_gpu), trainer.get("num_nodes", 1)
    if not isinstance(nodes, int) or nodes < 1:
        raise UserError(f"trainer.num_nodes must be at least 1, got {nodes}")
    if devices * nodes == 1:
        return Ranks()
    if trainer.get("strategy", "auto") not in STRATEGIES:
        raise UserError(f"trainer.strategy: several processes train by one of {', '.join(STRATEGIES)}")
    if "LOCAL_RANK" in os.environ or os.environ.get("SLURM_LOCALID", "0") != "0":
        raise UserError("a training starts its own processes; start it once on every node, and without torchrun")
    return Ranks(devices, nodes, _node(nodes) if nodes > 1 else 0)


def _devices(devices: Any, on_gpu: bool) -> int:
    there = torch.cuda.device_count() if on_gpu and torch.cuda.is_available() else None
    if isinstance(devices, list) and devices:
        return len(devices)
    if devices in ("auto", -1):
        return there or 1
    if not isinstance(devices, int) or devices < 1:
        raise UserError(f"trainer.devices must be a number of processes, a list of GPUs or auto, got {devices}")
    if there is not None and devices > there:
        raise UserError(f"trainer.devices={devices}: there are only {there} GPUs")
    return devices


def _node(nodes: int) -> int:
    number = os.environ.get("NODE_RANK", "")
    if not {"MASTER_ADDR", "MASTER_PORT"} <= set(os.environ) or number not in map(str, range(nodes)):
        raise UserError(
            f"trainer.num_nodes={nodes}: start the command on every node with MASTER_ADDR and MASTER_PORT (of the "
            f"first node) and NODE_RANK (0 to {nodes - 1}) in its environment"
        )
    return int(number)


def run_ranks(ranks: Ranks, function: Callable[..., T], *arguments: Any) -> list[T]:
    """What `function(*arguments)` returned in each process of this node, all of which run at once.

    Raises UserError when it raised one anywhere or a process was killed, OSError as it was, and RuntimeError for any
    other mishap; the other processes are ended then, as they are on Ctrl-C.
    """
    context, processes = multiprocessing.get_context("spawn"), list[SpawnProcess]()
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0"}
    if ranks.nodes > 1:
        where = {name: os.environ[name] for name in where}
    waiting: dict[Connection, int] = {}
    task = pickle.dumps((function, arguments))
    try:
        with _interrupt_ignored():
            for local in range(ranks.devices):
                here, there = context.Pipe()
                environment = {**where, "LOCAL_RANK": str(local)}
                first = ranks.node == local == 0
                process = context.Process(target=_run, args=(there, environment, torch.get_num_threads(), first))
                process.start()
                there.close()
                processes.append(process)
                waiting[here] = local
        # Not by `args`: what is large would hold up this process until that one has come up, and the next one's start.
        for link in waiting:
            try:
                link.send_bytes(task)
            except OSError:
                raise UserError(_KILLED) from None
        results: dict[int, T] = {}
        while waiting:
            for connection in wait(list(waiting)):
                assert isinstance(connection, Connection)
                results[waiting.pop(connection)] = _received(connection)
        for process in processes:
            process.join(30)
    finally:
        for process in processes:
            process.kill()
            process.join()
    return [results[local] for local in range(ranks.devices)]


_KILLED = (
    "a process of the training was killed, perhaps for want of memory; try fewer trainer.devices or a smaller "
    "loader.batch_size"
)


def _received(connection: Connection) -> Any:
    try:
        kind, value, trace = pickle.loads(connection.recv_bytes())
    except (EOFError, ConnectionError):
        raise UserError(_KILLED) from None
    if kind == "user":
        raise UserError(value)
    if kind == "system":  # a full disk, perhaps: commands have a sentence for that
        error = OSError(*value)
        error.add_note(trace)
        raise error
    if kind == "error":
        raise RuntimeError(f"in a process of the training:\n{trace}")
    return value


def _run(parent: Connection, environment: Mapping[str, str], threads: int, first: bool) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(environment)
    torch.set_num_threads(threads)
    if not first:
        warnings.simplefilter("ignore")  # the first process gives them too
    try:
        function, arguments = pickle.loads(parent.recv_bytes())
        answer = ("result", function(*arguments), "")
    except UserError as error:
        answer = ("user", str(error), "")
    except OSError as error:
        answer = ("system", (error.errno, error.strerror, error.filename), traceback.format_exc())
    except BaseException:
        answer = ("error", None, traceback.format_exc())
    # Plain bytes: tensors that are sent as such lie in memory of this process, which ends.
    parent.send_bytes(pickle.dumps(answer))
    if answer[0] != "result":
        # The others fail too once this process is gone: it stays until its own reason was heard.
        time.sleep(60)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Processes that are started in here never see Ctrl-C: it is for their parent, which ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    """A killed parent cannot end its children, which would train on for nobody."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)

"""The same function over many tasks, each in one of a few processes that end when this one does."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from slu.common.errors import UserError

T = TypeVar("T")


def run_each(function: Callable[..., T], tasks: Sequence[tuple[object, ...]], jobs: int) -> Generator[tuple[int, T]]:
    """(number of the task, result), in the order in which they finish; with one job, here and in turn.

    What a task raises is raised here, and ends the others. So does leaving the loop, or Ctrl-C.
    Raises UserError when a process was killed.
    """
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        for number, task in enumerate(tasks):
            yield number, function(*task)
        return
    before = multiprocessing.active_children()
    executor = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start)
    try:
        numbers = {executor.submit(function, *task): number for number, task in enumerate(tasks)}
        for future in as_completed(numbers):
            yield numbers[future], future.result()
    except BrokenProcessPool:
        raise UserError(
            "a fit's process was killed, perhaps for want of memory; run the command again with "
            "learning_curve.jobs=1 or split_effect.jobs=1, and it goes on with the fits that are missing"
        ) from None
    except BaseException:
        # A task may take minutes, and the executor would wait for it.
        for child in multiprocessing.active_children():
            if child not in before:
                child.kill()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _start() -> None:
    torch.set_num_threads(1)  # the processes share the cores already
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot end its children: they would compute, and wait for more, for nobody."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)

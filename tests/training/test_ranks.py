"""Processes of a fit: which are asked for, and that they begin and end together."""

import errno
import multiprocessing
import pickle
from typing import Any

import pytest
import torch

from slu.common.errors import UserError
from slu.training.ranks import Ranks, _received, require_ranks, run_ranks
from tests.training.rank_tasks import refuse_in_second


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        ({}, Ranks()),
        ({"devices": 1, "num_nodes": 1, "strategy": "anything"}, Ranks()),
        ({"devices": "auto", "accelerator": "cpu"}, Ranks()),
        ({"devices": 3, "accelerator": "cpu"}, Ranks(3)),
        ({"devices": 2, "num_nodes": 4, "strategy": "ddp"}, Ranks(2, 4, 3)),
    ],
)
def test_what_a_trainer_asks_for(trainer: dict[str, Any], expected: Ranks, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"NODE_RANK": "3", "MASTER_ADDR": "first", "MASTER_PORT": "1234"}.items():
        monkeypatch.setenv(name, value)
    assert require_ranks(trainer) == expected


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"devices": 0}, "trainer.devices must be"),
        ({"devices": "two"}, "trainer.devices must be"),
        ({"num_nodes": 0}, "trainer.num_nodes must be"),
        ({"devices": 2, "strategy": "ddp_spawn"}, "trainer.strategy"),
        ({"devices": 2, "num_nodes": 2}, r"MASTER_ADDR and MASTER_PORT .* NODE_RANK \(0 to 1\)"),
    ],
)
def test_what_could_not_train_is_refused(
    trainer: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_RANK", "2")  # of two nodes
    with pytest.raises(UserError, match=message):
        require_ranks(trainer)


def test_processes_that_another_launcher_started_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(UserError, match="without torchrun"):
        require_ranks({"devices": 2})


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")
def test_without_a_gpu_none_can_be_asked_for() -> None:
    with pytest.raises(UserError, match="trainer=cpu"):
        require_ranks({"accelerator": "gpu", "devices": 1})


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("killed", UserError, "was killed"),
        ("ours", RuntimeError, "refuse_in_second[^^]*a mistake of ours"),
    ],
)
def test_one_that_ends_badly_ends_all(how: str, kind: type[Exception], message: str) -> None:
    others = multiprocessing.active_children()
    with pytest.raises(kind, match=message):
        run_ranks(Ranks(2), refuse_in_second, how)
    assert set(multiprocessing.active_children()) == set(others)


def test_what_went_wrong_there_is_raised_here() -> None:
    here, there = multiprocessing.Pipe()
    there.send_bytes(pickle.dumps(("user", "it cannot", "")))
    with pytest.raises(UserError, match=r"^it cannot$"):
        _received(here)
    there.send_bytes(pickle.dumps(("system", (errno.ENOSPC, "No space left on device", "a/last.ckpt"), "where it was")))
    with pytest.raises(OSError, match=r"a/last\.ckpt") as found:
        _received(here)
    assert (found.value.errno, found.value.__notes__) == (errno.ENOSPC, ["where it was"])
    there.close()
    with pytest.raises(UserError, match="was killed"):
        _received(here)

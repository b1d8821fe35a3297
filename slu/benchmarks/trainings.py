"""Trainings of a benchmark: each is `python -m slu.train …` in a process of its own, and none is made twice.

A training's folder is named after its settings and recordings. It is marked as done when the bundle is registered;
one that was cut short goes on from its last checkpoint, in a run folder of its own.
"""

import json
import multiprocessing
import os
import re
import runpy
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.files import content_hash, from_here, read_json
from slu.common.stage import RECORD, fingerprint, is_fresh, mark_done
from slu.inference.files import METRICS

VERSION = 1
"""Raised whenever the same settings would train another recogniser."""

Compose = Callable[[Sequence[str]], Mapping[str, Any]]
"""The training's configuration with these settings."""
Start = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Training:
    name: str
    """As people are told: `cold, seed 0`."""
    settings: tuple[str, ...]
    """As `python -m slu.train` takes them."""


@dataclass(frozen=True)
class Trained:
    bundle: Path
    metrics: Mapping[str, Any]
    """Those of the bundle."""


class Trainer:
    def __init__(self, outputs: Path, folder: Path, compose: Compose, start: Start) -> None:
        """`folder` keeps the trainings; bundles go into the registry of `outputs`."""
        self.outputs, self.folder, self.compose, self.start = outputs, folder, compose, start

    def trained(self, training: Training) -> Trained:
        """Trained now, unless it was before. Raises UserError when it cannot be."""
        config = {k: v for k, v in self.compose(training.settings).items() if k not in ("outputs", "ckpt_path")}
        table = config["data"]["manifest"]
        rows = None if table is None or not Path(table).is_file() else content_hash(Path(table))
        value = fingerprint(version=VERSION, config=config, rows=rows)
        folder = self.folder / f"{re.sub(r'[^a-z0-9]+', '-', training.name)}-{value[:8]}"
        if is_fresh(folder, value):
            bundle = self.outputs / read_json(folder / RECORD)["bundle"]
            if (bundle / METRICS).is_file():
                print(f"{training.name}: trained before, {bundle}", flush=True)
                return Trained(bundle, read_json(bundle / METRICS))
        runs = sorted(folder.glob("run-*"), key=lambda path: int(path.name[4:]))
        bundle = self._registered(runs, config["data"]["task"])
        if bundle is None:
            runs.append(from_here(folder.resolve() / f"run-{len(runs) + 1}"))
            self._start(training, config, runs)
            bundle = self._registered(runs, config["data"]["task"])
        if bundle is None:
            raise UserError(f"the training in {runs[-1]} has registered no bundle; run the command again")
        mark_done(folder, value, bundle=str(bundle.relative_to(self.outputs)))
        return Trained(bundle, read_json(bundle / METRICS))

    def _start(self, training: Training, config: Mapping[str, Any], runs: Sequence[Path]) -> None:
        """In the last of the folders, on from the last checkpoint of those before it."""
        settings = [*training.settings, setting("outputs", str(self.outputs))]
        print(f"{training.name}: {shlex.join(['python', '-m', 'slu.train', *settings])}", flush=True)
        settings.append(setting("hydra.run.dir", str(runs[-1])))
        if config["cross_validation"] is None:  # its folds start anew
            lasts = [path / "checkpoints" / "last.ckpt" for path in reversed(runs[:-1])]
            settings += [setting("ckpt_path", str(last)) for last in lasts if last.is_file()][:1]
        self.start(settings)

    def _registered(self, runs: Sequence[Path], task: str) -> Path | None:
        """The bundle that one of the runs ended with."""
        wanted = {run.resolve() for run in runs}
        for path in sorted((self.outputs / "registry" / task).glob(f"*/{METRICS}")):
            if Path(read_json(path).get("run", "")).resolve() in wanted:
                return path.parent.parent / path.parent.resolve().name  # not by the name of an alias, which moves
        return None


def setting(key: str, value: str) -> str:
    """As Hydra reads it: quoted where it holds more than letters, digits and the signs of paths."""
    if re.fullmatch(r"[\w./+-]+", value):
        return f"{key}={value}"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def plain_settings(tree: Mapping[str, Any], prefix: str = "") -> list[str]:
    """`{trainer: {max_epochs: 2}}` as `trainer.max_epochs=2`."""
    found = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found += plain_settings(value, f"{prefix}{key}.")
        else:
            name = f"{prefix}{key}"
            found.append(setting(name, value) if isinstance(value, str) else f"{name}={json.dumps(value)}")
    return found


def start_training(settings: Sequence[str]) -> None:
    """`python -m slu.train` with these settings, in a process that ends when this one does.

    Raises UserError when it fails: what was wrong, the training has said itself.
    """
    process = multiprocessing.get_context("spawn").Process(target=_train, args=(list(settings),))
    process.start()
    try:
        process.join()
    except BaseException:  # Ctrl-C reaches both: the training has a moment to end by itself
        process.join(5)
        process.kill()
        raise
    if process.exitcode == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    if process.exitcode:
        raise UserError(
            f"the training ended with code {process.exitcode}, for what stands above; correct that and run the same "
            "command again: finished trainings are kept"
        )


def _train(settings: list[str]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["slu.train", *settings]
    runpy.run_module("slu.train", run_name="__main__")


def _end_with_parent() -> None:
    """A killed parent cannot end its child, which would train on for nobody."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)

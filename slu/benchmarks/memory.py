"""Peak memory of preprocessing and training as the corpus grows, each in a process of its own."""

import multiprocessing
import resource
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile as sf
import torch

from slu.audio.noise import coloured_noise
from slu.corpus.manifest import read_manifest
from slu.features.augment import AugmentSettings
from slu.spec import Head, TaskSpec
from slu.training.classifier import LossSettings
from slu.training.datamodule import LoaderSettings
from slu.training.fit import FitSettings, fit
from slu.training.preprocessing import preprocess
from slu.training.schedule import constant

_HEADS = (Head("label", ("0", "1")),)


def peak_memory(
    sizes: list[int], front_end: Mapping[str, Any], model: Mapping[str, Any], folder: Path
) -> dict[int, tuple[float, float]]:
    """Peak resident MB by number of clips: (after preprocessing, after one epoch of training as well)."""
    context = multiprocessing.get_context("spawn")
    peaks = {}
    for size in sizes:
        receive, send = context.Pipe(duplex=False)
        arguments = (size, dict(front_end), dict(model), str(folder / str(size)), send)
        process = context.Process(target=_measure, args=arguments)
        process.start()
        send.close()
        peaks[size] = receive.recv()  # EOFError if the child died: its traceback is on stderr
        process.join()
    return peaks


def _measure(size: int, front_end: dict[str, Any], model: dict[str, Any], folder: str, send: Any) -> None:
    torch.set_num_threads(1)
    path = _corpus(Path(folder), size, int(front_end["sample_rate"]))
    spec = TaskSpec("memory", _HEADS, front_end, 0.1, 2.0)
    table = preprocess(read_manifest(path, _HEADS), spec, Path(folder), workers=1).table
    after_features = peak_mb()
    settings = FitSettings(
        model=model,
        loss=LossSettings(),
        loader=LoaderSettings(batch_size=32, validation_snr_db=None),
        augment=AugmentSettings(),
        optimizer=partial(torch.optim.AdamW, lr=1e-3),
        scheduler=constant,
        trainer={"max_epochs": 1, "accelerator": "cpu", "devices": 1},
        patience=0,
        seed=0,
        progress=False,
    )
    fit(table, spec, settings, Path(folder))
    send.send((after_features, peak_mb()))


def _corpus(folder: Path, size: int, rate: int) -> Path:
    (folder / "audio").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for index in range(size):
        name = f"audio/{index:06d}.wav"
        sf.write(folder / name, 0.1 * coloured_noise(rate // 2, 3.0, rng), rate)
        rows.append({"file_name": name, "label": str(index % 2), "split": "train"})
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


def peak_mb() -> float:
    # Linux carries ru_maxrss over from the parent; VmHWM starts afresh with the process.
    return memory_mb("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_mb(kind: str, process: str = "self") -> float:
    """`VmRSS`, what is resident now, or `VmHWM`, the most that ever was; 0 where Linux does not tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    fields = dict(line.split(":", 1) for line in lines)
    return float(fields[kind].split()[0]) / 1024 if kind in fields else 0.0

"""The steps of the benchmark of growing corpora, each of which runs in a process of its own."""

import resource
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import torch
from pydantic import Field

from slu.benchmarks.memory import memory_mb, peak_mb
from slu.common.settings import parse_settings
from slu.corpus.alignments import each_alignment
from slu.corpus.manifest import read_manifest
from slu.corpus.menu import Menu
from slu.corpus.synthesised import corpus_heads, synthesis_settings
from slu.decoding.grammar import Grammar
from slu.features import build_front_end
from slu.features.augment import AugmentSettings
from slu.spec import TaskSpec
from slu.training.alignment import frame_targets
from slu.training.classifier import LossSettings
from slu.training.datamodule import LoaderSettings, UtteranceDataModule
from slu.training.feature_store import StoreKind
from slu.training.fit import FitSettings, fit
from slu.training.preprocessing import FeatureTable, preprocess
from slu.training.schedule import constant

T = TypeVar("T")
Count = Annotated[int, Field(ge=1)]
Figures = dict[str, float]


@dataclass(frozen=True)
class ScaleSettings:
    menu: dict[str, Any]
    voices: dict[str, Any]
    synthesis: dict[str, Any]
    features: dict[str, Any]
    augment: dict[str, Any]
    model: dict[str, Any]
    outputs: str
    sizes: Annotated[tuple[Count, ...], Field(min_length=1)]
    spoken: Annotated[int, Field(ge=100)] = 200
    """Orders that are synthesised, and repeated."""
    train_up_to: int = 1600
    """Clips up to which an epoch is trained too; its reading and augmentation are measured at every size."""
    features_store: StoreKind = "shards"
    workers: Count = 2
    threads: Count = 1
    batch_size: Count = 64

    def __post_init__(self) -> None:
        if min(self.sizes) < self.spoken + 2:
            raise ValueError(f"sizes must each be at least {self.spoken + 2}, what is spoken")


def _features(settings: ScaleSettings, home: Path) -> tuple[FeatureTable, TaskSpec]:
    menu, path = Menu.parse(settings.menu, "menu"), home / "metadata.csv"
    heads = corpus_heads(menu, synthesis_settings(settings.synthesis, settings.voices).voices)
    grammar = Grammar.learnt(menu.word_graph(), (alignment for _, alignment in each_alignment(path))).to_json()
    spec = TaskSpec(menu.task, heads, dict(settings.features), 0.1, 30.0, grammar=grammar)
    manifest = read_manifest(path, heads)
    table = preprocess(manifest, spec, home / "out", workers=settings.workers, store=settings.features_store)
    return table, spec


def _preprocess(settings: ScaleSettings, home: Path) -> Figures:
    with _WorkersPeak() as workers:
        (features, _), cpu_s, wall_s = _timed(lambda: _features(settings, home))
    clips = len(features.table)
    return {
        "preprocess_cpu_ms": 1e3 * cpu_s / clips,
        "preprocess_wall_ms": 1e3 * wall_s / clips,
        "computed": features.computed,
        "preprocess_mb": peak_mb(),
        "worker_mb": workers.mb,
    }


def _again(settings: ScaleSettings, home: Path) -> Figures:
    (features, _), cpu_s, _ = _timed(lambda: _features(settings, home))
    return {
        "again_cpu_ms": 1e3 * cpu_s / len(features.table),
        "again_computed": features.computed,
        "again_mb": peak_mb(),
    }


def _epoch(settings: ScaleSettings, home: Path) -> Figures:
    """What training does with a clip beside the network: read, put into a batch, augment."""
    features, spec = _features(settings, home)
    front_end, clips = build_front_end(spec.front_end), len(features.table)
    augment = parse_settings(AugmentSettings, settings.augment, "augment")
    loader = LoaderSettings(batch_size=settings.batch_size, validation_snr_db=None)

    def module(augment: AugmentSettings) -> UtteranceDataModule:
        frames = frame_targets(features.table, spec)
        return UtteranceDataModule(
            features.table, spec, loader=loader, augment=augment, front_end=front_end, seed=0, frames=frames
        )

    data, start_s, _ = _timed(lambda: module(augment))
    plain, at_start = module(AugmentSettings()), memory_mb("VmRSS")
    _, read_s, _ = _timed(lambda: _exhaust(data.datasets["train"][row] for row in range(clips)))
    _, batches_s, _ = _timed(lambda: _exhaust(plain.train_dataloader()))
    _, augmented_s, _ = _timed(lambda: _exhaust(data.train_dataloader()))
    return {
        "start_cpu_ms": 1e3 * start_s / clips,
        "read_cpu_ms": 1e3 * read_s / clips,
        "batch_cpu_ms": 1e3 * batches_s / clips,
        "augmented_cpu_ms": 1e3 * augmented_s / clips,
        "epoch_start_mb": at_start,
        "epoch_end_mb": memory_mb("VmRSS"),
        "epoch_peak_mb": peak_mb(),
    }


def _train(settings: ScaleSettings, home: Path) -> Figures:
    features, spec = _features(settings, home)
    fit_settings = FitSettings(
        model=settings.model,
        loss=LossSettings(),
        loader=LoaderSettings(batch_size=settings.batch_size, validation_snr_db=None),
        augment=parse_settings(AugmentSettings, settings.augment, "augment"),
        optimizer=partial(torch.optim.AdamW, lr=1e-3),
        scheduler=constant,
        trainer={"max_epochs": 1, "accelerator": "cpu", "devices": 1},
        patience=0,
        seed=0,
        progress=False,
    )
    at_start = memory_mb("VmRSS")
    fitted = fit(features.table, spec, fit_settings, home / "fit")
    return {
        "train_cpu_ms": 1e3 * fitted.cpu_s / len(features.table),
        "train_start_mb": at_start,
        "train_end_mb": memory_mb("VmRSS"),
        "train_peak_mb": peak_mb(),
    }


STEPS: Mapping[str, Callable[[ScaleSettings, Path], Figures]] = {
    "preprocess": _preprocess,
    "again": _again,
    "epoch": _epoch,
    "train": _train,
}


def _exhaust(values: Iterable[object]) -> None:
    for _ in values:
        pass


def _timed(call: Callable[[], T]) -> tuple[T, float, float]:
    """And CPU seconds of this process and of the workers that it waited for, and seconds on the clock."""
    cpu, clock = _cpu_s(), time.perf_counter()
    value = call()
    return value, _cpu_s() - cpu, time.perf_counter() - clock


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


class _WorkersPeak:
    """The largest memory of any child of this process, looked at twice a second; 0 where /proc does not tell."""

    def __enter__(self) -> "_WorkersPeak":
        self.mb, self._ended = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            for children in Path("/proc/self/task").glob("*/children"):
                for child in children.read_text().split():
                    self.mb = max(self.mb, memory_mb("VmHWM", child))

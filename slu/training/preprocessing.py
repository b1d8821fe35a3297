"""Features on disk, one `.npy` per clip, found by what the audio and the front end *are*.

The place of a feature file is the hash of the front-end settings and of the audio's bytes. So a changed
setting or file can never meet stale features, a killed run continues where it stopped, two manifests
share what they have in common, and no more than one clip per worker is in memory.
"""

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from slu.audio.decode import AudioError, AudioLimits, decode, rms_db
from slu.common.errors import UserError
from slu.common.files import atomic_write, content_hash, settings_hash
from slu.common.progress import progress_bar
from slu.corpus.manifest import Manifest, write_manifest
from slu.features import FrontEnd, build_front_end
from slu.spec import TaskSpec

_CHUNK = 64
_PARALLEL_FROM = 1500
"""Clips below which starting worker processes (seconds of importing) costs more than it saves."""


@dataclass(frozen=True)
class FeatureTable:
    """The manifest's usable rows, with `feature_path` (absolute), `n_frames`, `duration_s` and `rms_db`."""

    path: Path
    table: pd.DataFrame
    rejected: pd.DataFrame
    computed: int
    """Clips whose features were not there yet."""


@dataclass(frozen=True)
class _Job:
    audio: str
    cache: str
    front_end: Mapping[str, Any]
    min_duration_s: float
    max_duration_s: float


@dataclass(frozen=True)
class _Outcome:
    feature_path: str = ""
    n_frames: int = 0
    duration_s: float = 0.0
    rms_db: float = 0.0
    computed: bool = False
    problem: str = ""


def preprocess(
    manifest: Manifest,
    spec: TaskSpec,
    outputs: Path,
    *,
    on_bad_audio: Literal["error", "skip"] = "error",
    workers: int = 2,
) -> FeatureTable:
    """Compute what is missing and write `metadata_features.csv`.

    Raises UserError naming the first unusable clip, unless `on_bad_audio` is "skip"; either way
    `rejected.csv` beside the table lists them all.
    """
    key = settings_hash(dict(spec.front_end))
    root = outputs / "features" / f"{spec.front_end['name']}-{key}"
    jobs = [
        _Job(str(manifest.audio_path(i)), str(root), spec.front_end, spec.min_duration_s, spec.max_duration_s)
        for i in range(len(manifest.table))
    ]
    outcomes: list[_Outcome] = []
    with progress_bar("features") as progress:
        for outcome in _run(jobs, workers):
            outcomes.append(outcome)
            progress(len(outcomes), len(jobs))
    bad = [i for i, outcome in enumerate(outcomes) if outcome.problem]
    # One folder per manifest and its content: a changed table never overwrites another's features list.
    name = settings_hash(
        str(manifest.path.resolve()), manifest.table.to_dict("list"), spec.min_duration_s, spec.max_duration_s
    )
    folder = outputs / "features" / f"{spec.task}-{key}-{name}"
    rejected = manifest.table.iloc[bad].assign(
        where=[manifest.where(i) for i in bad], reason=[outcomes[i].problem for i in bad]
    )
    write_manifest(folder / "rejected.csv", rejected)
    if bad and (on_bad_audio == "error" or len(bad) == len(outcomes)):
        raise UserError(
            f"{manifest.where(bad[0])}: {outcomes[bad[0]].problem}; {len(bad)} of {len(outcomes)} clips cannot be "
            f"used, all listed in {folder / 'rejected.csv'}; mend them or leave them out with data.on_bad_audio=skip"
        )
    good = [i for i, outcome in enumerate(outcomes) if not outcome.problem]
    table = manifest.table.iloc[good].assign(
        file_name=[str(manifest.audio_path(i).resolve()) for i in good],
        feature_path=[outcomes[i].feature_path for i in good],
        n_frames=[outcomes[i].n_frames for i in good],
        duration_s=[round(outcomes[i].duration_s, 3) for i in good],
        rms_db=[round(outcomes[i].rms_db, 1) for i in good],
    )
    write_manifest(folder / "metadata_features.csv", table)
    return FeatureTable(folder / "metadata_features.csv", table, rejected, sum(o.computed for o in outcomes))


def _run(jobs: list[_Job], workers: int) -> Iterator[_Outcome]:
    workers = min(workers, os.cpu_count() or 1)
    chunks = [jobs[i : i + _CHUNK] for i in range(0, len(jobs), _CHUNK)]
    parallel = workers > 1 and len(jobs) >= _PARALLEL_FROM
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context) if parallel else nullcontext()
    with pool as executor:
        for outcomes in executor.map(_run_chunk, chunks) if executor else map(_run_chunk, chunks):
            yield from outcomes


def _run_chunk(jobs: list[_Job]) -> list[_Outcome]:
    # Many short transforms: one thread each is fastest, and the processes share the cores already.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        front_end = build_front_end(jobs[0].front_end)
        with torch.inference_mode():
            return [_run_one(job, front_end) for job in jobs]
    finally:
        torch.set_num_threads(threads)


def _run_one(job: _Job, front_end: FrontEnd) -> _Outcome:
    try:
        digest = content_hash(Path(job.audio))
    except OSError as error:
        return _Outcome(problem=(error.strerror or "it cannot be read").lower())
    path = Path(job.cache) / digest[:2] / f"{digest}.npy"
    facts = path.with_suffix(".txt")
    try:
        features = np.load(path, mmap_mode="r")
        duration_s, level = (float(value) for value in facts.read_text().split())
        computed = False
    except (OSError, ValueError, EOFError):  # not there, or cut short by a crash of the machine
        try:
            waveform = decode(Path(job.audio), front_end.sample_rate, AudioLimits(max_duration_s=60.0))
        except AudioError as error:
            return _Outcome(problem=str(error))
        duration_s, level = len(waveform) / front_end.sample_rate, rms_db(waveform)
        features = front_end(torch.from_numpy(waveform)).numpy()
        with atomic_write(facts) as text:
            text.write(f"{duration_s:.6f} {level:.2f}\n")
        with atomic_write(path, "wb") as file:
            np.save(file, features)
        computed = True
    if not job.min_duration_s <= duration_s <= job.max_duration_s:
        return _Outcome(
            computed=computed,
            problem=f"it lasts {duration_s:.2f} s, outside {job.min_duration_s:g} to {job.max_duration_s:g} s",
        )
    if level <= -100:
        return _Outcome(computed=computed, problem="it is digital silence")
    return _Outcome(str(path.resolve()), len(features), duration_s, level, computed)

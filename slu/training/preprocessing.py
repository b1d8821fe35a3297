"""Features on disk, one `.npy` per clip or segment, found by what the audio and the front end *are*.

The place of a feature file is the hash of the front-end settings and of the audio's bytes. So a changed
setting or file can never meet stale features, a killed run continues where it stopped, two manifests
share what they have in common, and no more than one recording per worker is in memory.
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from slu.audio.decode import AudioError, decode, rms_db
from slu.audio.segment import decoding_limits, heard_segments, voiced
from slu.common.errors import UserError
from slu.common.files import atomic_write, content_hash, settings_hash
from slu.common.progress import progress_bar
from slu.corpus.manifest import Manifest, write_manifest
from slu.features import FrontEnd, build_front_end
from slu.spec import TaskSpec

_CHUNK = 64
_PARALLEL_FROM = 1500
"""Clips below which starting worker processes (seconds of importing) costs more than it saves."""
_LONGEST_S = 60.0
"""Of a clip that is heard whole, as far as it is decoded."""


@dataclass(frozen=True)
class FeatureTable:
    """The manifest's usable rows, with `feature_path` (absolute), `n_frames`, `duration_s` and `rms_db`.

    Where the task hears segments, one row per segment with `start_s` and `recording`, of the recording's own split.
    """

    path: Path
    table: pd.DataFrame
    rejected: pd.DataFrame
    computed: int
    """Clips whose features were not there yet."""
    silent_segments: int = 0
    """Left out of the table: nothing is to be learnt from them."""

    @property
    def recordings(self) -> pd.DataFrame:
        """The manifest's usable rows, each once, however many segments it was cut into."""
        if "start_s" not in self.table.columns:
            return self.table
        of_segments = ["feature_path", "n_frames", "duration_s", "rms_db", "start_s"]
        return self.table.drop_duplicates("file_name").drop(columns=of_segments)


@dataclass(frozen=True)
class _Job:
    audio: str
    cache: str
    spec: TaskSpec


@dataclass(frozen=True)
class _Part:
    """A clip, or a segment of it, whose features lie at `path`."""

    path: str
    n_frames: int
    start_s: float
    duration_s: float
    rms_db: float


@dataclass(frozen=True)
class _Facts:
    """What the text file beside the features keeps of a clip."""

    duration_s: float
    rms_db: float
    silent: int
    parts: tuple[_Part, ...]


@dataclass(frozen=True)
class _Outcome:
    parts: tuple[_Part, ...] = ()
    silent: int = 0
    computed: bool = False
    problem: str = ""


def audio_digest(feature_path: str) -> str:
    """Content hash of the audio that the features in this file were computed from."""
    return Path(feature_path).stem.partition("-")[0]


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
    cut = {"equal_parts_near_s": spec.segment_s, "overlap_s": spec.segment_overlap_s} if spec.segment_s else {}
    key = settings_hash(dict(spec.front_end), *([cut] if cut else []))
    root = outputs / "features" / f"{spec.front_end['name']}-{key}"
    jobs = [_Job(str(manifest.audio_path(i)), str(root), spec) for i in range(len(manifest.table))]
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
    parts = [(i, part) for i, outcome in enumerate(outcomes) if not outcome.problem for part in outcome.parts]
    rows = [i for i, _ in parts]
    table = manifest.table.iloc[rows].assign(
        file_name=[str(manifest.audio_path(i).resolve()) for i in rows],
        feature_path=[part.path for _, part in parts],
        n_frames=[part.n_frames for _, part in parts],
        duration_s=[round(part.duration_s, 3) for _, part in parts],
        rms_db=[round(part.rms_db, 1) for _, part in parts],
    )
    if spec.segment_s:
        names = manifest.table["file_name"].iloc[rows]
        known = table["recording"] if "recording" in table.columns else names.map(lambda _: "")
        table = table.assign(
            start_s=[round(part.start_s, 3) for _, part in parts], recording=known.where(known != "", names)
        )
    write_manifest(folder / "metadata_features.csv", table)
    computed, silent = sum(o.computed for o in outcomes), sum(o.silent for o in outcomes if not o.problem)
    return FeatureTable(folder / "metadata_features.csv", table, rejected, computed, silent)


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
        front_end = build_front_end(jobs[0].spec.front_end)
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
    try:
        facts, computed = _load(path), False
    except (OSError, ValueError, EOFError):  # not there, or cut short by a crash of the machine
        try:
            facts, computed = _compute(job, path, front_end), True
        except AudioError as error:
            return _Outcome(problem=str(error))
    problem, spec = "", job.spec
    if not spec.min_duration_s <= facts.duration_s <= spec.max_duration_s:
        problem = f"it lasts {facts.duration_s:.2f} s, outside {spec.min_duration_s:g} to {spec.max_duration_s:g} s"
    elif facts.rms_db <= -100:
        problem = "it is digital silence"
    return _Outcome(facts.parts, facts.silent, computed, problem)


def _compute(job: _Job, path: Path, front_end: FrontEnd) -> _Facts:
    """Write the features of each part, and then what the text file keeps."""
    rate = front_end.sample_rate
    waveform = decode(Path(job.audio), rate, decoding_limits(job.spec, _LONGEST_S))
    duration_s, level = len(waveform) / rate, rms_db(waveform)
    segments = heard_segments(waveform, rate, job.spec)
    heard = voiced(segments)
    lines = [f"{duration_s:.6f} {level:.2f} {len(segments) - len(heard)}"]
    whole = len(segments) == 1
    for number, (start_s, samples) in enumerate(heard):
        with atomic_write(path if whole else _place(path, number), "wb") as file:
            np.save(file, front_end(torch.from_numpy(samples)).numpy())
        if not whole:
            lines.append(f"{start_s:.6f} {len(samples) / rate:.6f} {rms_db(samples):.2f}")
    with atomic_write(path.with_suffix(".txt")) as text:
        text.write("\n".join([*lines, ""]))
    return _load(path)


def _load(path: Path) -> _Facts:
    """Raises OSError, ValueError or EOFError when a part is not there or not whole."""
    first, *lines = path.with_suffix(".txt").read_text().splitlines() or [""]
    duration_s, level, *silent = (float(value) for value in first.split())
    segments = [[float(value) for value in line.split()] for line in lines]
    places = [_place(path, number) for number in range(len(segments))] if segments else [path]
    parts = tuple(
        _Part(str(place.resolve()), len(np.load(place, mmap_mode="r")), start_s, part_s, part_db)
        for place, (start_s, part_s, part_db) in zip(places, segments or [[0.0, duration_s, level]], strict=True)
    )
    return _Facts(duration_s, level, int(silent[0]) if silent else 0, parts)


def _place(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number:04d}.npy")

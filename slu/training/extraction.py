"""From audio files to features: each content is computed once, by as many processes as there are cores for it."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np
import torch

from slu.audio.decode import AudioError, decode, rms_db
from slu.audio.segment import decoding_limits, heard_segments, voiced
from slu.common.files import content_hash
from slu.common.progress import Advance, progress_bar
from slu.features import FrontEnd, build_front_end
from slu.spec import TaskSpec
from slu.training.feature_records import PART, WHOLE, ClipFeatures, Digests, FeatureStore, Parts

_CHUNK = 64
_PARALLEL_FROM = 1500
"""Missing clips below which starting worker processes (seconds of importing) costs more than it saves."""
_LONGEST_S = 60.0
"""Of a clip that is heard whole, as far as it is decoded."""


@dataclass(frozen=True)
class Extracted:
    digests: Digests
    """Of each file, empty where it could not be read."""
    parts: Parts
    """Of all files whose features there are, each content once."""
    problems: dict[int, str]
    """By file, why it cannot be used."""
    computed: int
    """Contents whose features were not there yet."""


def extract(files: Sequence[str], spec: TaskSpec, store: FeatureStore, workers: int) -> Extracted:
    """Compute whatever the store does not hold. The audio is read each time, for only its content says what it is."""
    workers = min(workers, os.cpu_count() or 1)
    with progress_bar("reading audio") as progress:
        digests, problems = _digests(files, workers, progress)
    known, first = np.unique(digests, return_index=True)
    parts = store.find(digests)
    missing = sorted(first[(known != b"") & ~np.isin(known, parts["digest"])].tolist())
    failed: dict[bytes, str] = {}
    with progress_bar("features") as progress:
        clips = [(digests[row], files[row]) for row in missing]
        for done, outcome in enumerate(_computed(clips, spec, store, workers), 1):
            failed |= outcome
            progress(min(done * _CHUNK, len(clips)), len(clips))
    if missing:
        parts = store.find(digests)
    here = np.isin(digests, parts["digest"])
    for row in np.flatnonzero(~here).tolist():
        problems.setdefault(row, failed.get(digests[row], "its features were deleted while others were computed"))
    return Extracted(digests, parts, problems, len(missing) - len(failed))


def _digests(files: Sequence[str], workers: int, progress: Advance) -> tuple[Digests, dict[int, str]]:
    found, problems = np.zeros(len(files), "S32"), dict[int, str]()

    def read(start: int) -> None:
        for row in range(start, min(start + _CHUNK, len(files))):
            try:
                found[row] = content_hash(Path(files[row])).encode()
            except OSError as error:
                problems[row] = (error.strerror or "it cannot be read").lower()

    with ThreadPoolExecutor(workers) as pool:  # reading and hashing are outside of Python's lock
        for done, _ in enumerate(pool.map(read, range(0, len(files), _CHUNK)), 1):
            progress(min(done * _CHUNK, len(files)), len(files))
    return found, problems


@dataclass(frozen=True)
class _Chunk:
    clips: Sequence[tuple[bytes, str]]
    """Digest and file of each."""
    spec: TaskSpec
    store: FeatureStore


def _computed(
    clips: Sequence[tuple[bytes, str]], spec: TaskSpec, store: FeatureStore, workers: int
) -> Iterator[Mapping[bytes, str]]:
    """Per chunk, in order, what is wrong with the clips that have no features."""
    chunks = (_Chunk(clips[i : i + _CHUNK], spec, store) for i in range(0, len(clips), _CHUNK))
    context = multiprocessing.get_context("spawn")
    parallel = workers > 1 and len(clips) >= _PARALLEL_FROM
    pool = ProcessPoolExecutor(workers, context, _end_with_parent) if parallel else nullcontext()
    with pool as executor:
        yield from executor.map(_compute_chunk, chunks) if executor else map(_compute_chunk, chunks)


def _end_with_parent() -> None:
    """A worker whose parent is killed would wait for more work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _compute_chunk(chunk: _Chunk) -> dict[bytes, str]:
    # Many short transforms: one thread each is fastest, and the processes share the cores already.
    threads, failed = torch.get_num_threads(), {}
    torch.set_num_threads(1)
    try:
        front_end = build_front_end(chunk.spec.front_end)
        with torch.inference_mode(), chunk.store.writer() as add:
            for digest, file in chunk.clips:
                try:
                    add(_features(digest, Path(file), chunk.spec, front_end))
                except AudioError as error:
                    failed[digest] = str(error)
    finally:
        torch.set_num_threads(threads)
    return failed


def _features(digest: bytes, file: Path, spec: TaskSpec, front_end: FrontEnd) -> ClipFeatures:
    """Raises AudioError for audio that cannot be used, or is not any more what it was."""
    rate = front_end.sample_rate
    waveform = decode(file, rate, decoding_limits(spec, _LONGEST_S))
    segments = heard_segments(waveform, rate, spec)
    heard = voiced(segments)
    records = np.zeros(len(heard), PART)
    for name, value in (
        ("digest", digest),
        ("duration_s", round(len(waveform) / rate, 6)),
        ("rms_db", round(rms_db(waveform), 2)),
        ("silent", len(segments) - len(heard)),
        ("number", WHOLE if len(segments) == 1 else np.arange(len(heard))),
        ("start_s", [round(start_s, 6) for start_s, _ in heard]),
        ("part_s", [round(len(samples) / rate, 6) for _, samples in heard]),
        ("part_db", [round(rms_db(samples), 2) for _, samples in heard]),
    ):
        records[name] = value
    values = [front_end(torch.from_numpy(samples)).numpy() for _, samples in heard]
    records["frames"], records["size"] = [len(part) for part in values], values[0].shape[1]
    try:
        if content_hash(file).encode() != digest:
            raise AudioError("it was changed while it was read")
    except OSError as error:
        raise AudioError((error.strerror or "it cannot be read").lower()) from None
    return ClipFeatures(records, values)

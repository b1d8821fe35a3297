"""The table of features of a manifest: found on disk by what the audio and the front end *are*, or computed now.

The place of features is the hash of the front-end settings and of the audio's bytes. So a changed setting or file can
never meet stale features, a killed run continues where it stopped, two manifests share what they have in common, and
no more than a few recordings per worker are in memory. How they lie there is for the store to say
(slu.training.feature_store).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.common.errors import UserError
from slu.common.files import settings_hash
from slu.corpus.manifest import Manifest, write_manifest
from slu.spec import TaskSpec
from slu.training.extraction import Extracted, extract
from slu.training.feature_records import FeatureStore
from slu.training.feature_store import StoreKind, open_store
from slu.training.shares import Share

OnBadAudio = Literal["error", "skip"]


@dataclass(frozen=True)
class FeatureTable:
    """The manifest's usable rows, with `feature_path` (for `read_features`), `n_frames`, `duration_s` and `rms_db`.

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


def preprocess(
    manifest: Manifest,
    spec: TaskSpec,
    outputs: Path,
    *,
    on_bad_audio: OnBadAudio = "error",
    workers: int = 2,
    store: StoreKind = "shards",
) -> FeatureTable:
    """Compute what is missing and write `metadata_features.csv`.

    Raises UserError naming the first unusable clip, unless `on_bad_audio` is "skip"; either way
    `rejected.csv` beside the table lists them all.
    """
    features, files = _store(spec, outputs, store), _absolute(manifest)
    found = extract(files, spec, features, workers)
    rows, parts = _matched(found)
    problems = found.problems | _unusable(found, spec)
    # One folder per manifest and its content: a changed table never overwrites another's features list.
    name = settings_hash(
        str(manifest.path.resolve()), manifest.table.to_dict("list"), spec.min_duration_s, spec.max_duration_s
    )
    folder = outputs / "features" / f"{spec.task}-{_key(spec)}-{name}"
    bad = sorted(problems)
    rejected = manifest.table.iloc[bad].assign(
        where=[manifest.where(row) for row in bad], reason=[problems[row] for row in bad]
    )
    write_manifest(folder / "rejected.csv", rejected)
    if bad and (on_bad_audio == "error" or len(bad) == len(files)):
        raise UserError(
            f"{_first_problem(manifest, problems)}, all listed in {folder / 'rejected.csv'}; mend them or leave them "
            "out with data.on_bad_audio=skip"
        )
    usable = ~np.isin(rows, bad)
    rows, parts = rows[usable], parts[usable]
    table = manifest.table.iloc[rows].assign(
        file_name=[files[row] for row in rows],
        feature_path=features.references(found.parts[parts]),
        n_frames=found.parts["frames"][parts],
        duration_s=np.round(found.parts["part_s"][parts], 3),
        rms_db=np.round(found.parts["part_db"][parts], 1),
    )
    if spec.segment_s:
        names = manifest.table["file_name"].iloc[rows]
        known = table["recording"] if "recording" in table.columns else names.map(lambda _: "")
        starts = np.round(found.parts["start_s"][parts], 3)
        table = table.assign(start_s=starts, recording=known.where(known != "", names))
    write_manifest(folder / "metadata_features.csv", table)
    _, first = np.unique(rows, return_index=True)
    silent = int(found.parts["silent"][parts[first]].sum())
    return FeatureTable(folder / "metadata_features.csv", table, rejected, found.computed, silent)


def preprocess_share(
    manifest: Manifest,
    spec: TaskSpec,
    outputs: Path,
    share: Share,
    *,
    on_bad_audio: OnBadAudio = "error",
    workers: int = 2,
    store: StoreKind = "shards",
) -> tuple[int, int, int]:
    """Compute what is missing of one share of the rows, and write no table: clips, computed now, unusable.

    Raises UserError naming the first unusable clip when all others are done, unless `on_bad_audio` is "skip".
    """
    own = Manifest(manifest.path, manifest.table.iloc[share.rows(len(manifest.table))])
    found = extract(_absolute(own), spec, _store(spec, outputs, store), workers)
    problems = found.problems | _unusable(found, spec)
    if problems and on_bad_audio == "error":
        raise UserError(
            f"{_first_problem(own, problems)}; mend them or leave them out with data.on_bad_audio=skip; "
            "the others of this share are done"
        )
    return len(own.table), found.computed, len(problems)


def _store(spec: TaskSpec, outputs: Path, kind: StoreKind) -> FeatureStore:
    return open_store(kind, outputs / "features" / f"{spec.front_end['name']}-{_key(spec)}")


def _key(spec: TaskSpec) -> str:
    cut = {"equal_parts_near_s": spec.segment_s, "overlap_s": spec.segment_overlap_s} if spec.segment_s else {}
    return settings_hash(dict(spec.front_end), *([cut] if cut else []))


def _absolute(manifest: Manifest) -> list[str]:
    """Folders without symbolic links; each is looked at once, for that takes longer than everything else here."""
    folders: dict[str, str] = {}
    files = []
    for name in manifest.table["file_name"]:
        folder, file = os.path.split(str(name))
        if folder not in folders:
            folders[folder] = str((manifest.folder / folder).resolve())
        files.append(f"{folders[folder]}/{file}")
    return files


def _matched(found: Extracted) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per part of every file that has some: the file, and the place of the part in the table of parts."""
    first, end = (np.searchsorted(found.parts["digest"], found.digests, side) for side in ("left", "right"))
    counts = end - first
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)


def _unusable(found: Extracted, spec: TaskSpec) -> dict[int, str]:
    """Files that have features, and are too short, too long or silent."""
    rows, parts = _matched(found)
    lasts, level = found.parts["duration_s"][parts], found.parts["rms_db"][parts]
    outside = ~((spec.min_duration_s <= lasts) & (lasts <= spec.max_duration_s))
    allowed = f"outside {spec.min_duration_s:g} to {spec.max_duration_s:g} s"
    return {
        int(rows[part]): f"it lasts {lasts[part]:.2f} s, {allowed}" if outside[part] else "it is digital silence"
        for part in np.flatnonzero(outside | (level <= -100))
    }


def _first_problem(manifest: Manifest, problems: dict[int, str]) -> str:
    first = min(problems)
    clips = len(manifest.table)
    return f"{manifest.where(first)}: {problems[first]}; {len(problems)} of {clips} clips cannot be used"

"""A data set, explored: every clip measured, every pair that may be one recording compared, every table counted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from slu.common.errors import UserError
from slu.common.progress import progress_bar
from slu.exploration.cache import open_cache, read_clips
from slu.exploration.clips import ClipFacts, Unreadable, measured_table
from slu.exploration.dataset import Dataset
from slu.exploration.duplicates import find_pairs
from slu.exploration.durations import choose_limits
from slu.exploration.findings import Findings
from slu.exploration.labels import common_sentences, count_heads, count_speakers, joint_table, other_columns
from slu.exploration.leakage import find_leaks, repeated_sentences
from slu.exploration.set_aside import find_set_aside
from slu.exploration.settings import ExplorationSettings


def explore(dataset: Dataset, settings: ExplorationSettings, cache_folder: Path) -> Findings:
    """Raises UserError when there is audio and not one clip of it can be read."""
    with open_cache(cache_folder) as cache:
        with progress_bar("measuring") as progress:
            facts = read_clips(dataset.audio, cache, progress)
        _require_one(dataset, facts)
        with progress_bar("comparing") as progress:
            pairs, correlations = find_pairs(facts, dataset.audio, cache, progress, settings.limits.same_recording)
    measured = measured_table(facts)
    spoken_s = measured["duration_s"][measured["level_db"] >= settings.limits.silent_db]
    durations = choose_limits(spoken_s.to_numpy(dtype=np.float64), (settings.min_duration_s, settings.max_duration_s))
    return Findings(
        dataset=dataset,
        settings=settings,
        measured=measured,
        heads=count_heads(dataset),
        joint=joint_table(dataset),
        speakers=count_speakers(dataset, measured["duration_s"]),
        sentences=common_sentences(dataset),
        others=other_columns(dataset),
        leaks=find_leaks(dataset, settings.group_columns),
        repeats=repeated_sentences(dataset),
        pairs=pairs,
        correlations=correlations,
        durations=durations,
        set_aside=find_set_aside(dataset, measured, pairs, settings.limits, durations),
    )


def _require_one(dataset: Dataset, facts: Sequence[ClipFacts | Unreadable | None]) -> None:
    broken = [(row, found.reason) for row, found in enumerate(facts) if isinstance(found, Unreadable)]
    if broken and not any(isinstance(found, ClipFacts) for found in facts):
        row, reason = broken[0]
        raise UserError(
            f"not one of {len(broken)} audio files can be read, the first is {dataset.table['where'].iloc[row]}: "
            f"{reason}; export them as WAV or FLAC, or correct the table"
        )

"""What a recogniser's log is compared with: the same facts of clips that it was tested on, heard through the same path.

Clips of one speaker resemble each other, so a window with few speakers differs from the reference by chance more than
its clips suggest: `likeness` is the intraclass correlation of each fact, from which the size of a sample that says as
much follows (Kish's design effect; Kish, 1965).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.corpus.manifest import Manifest
from slu.inference.arrays import Floats
from slu.inference.files import REFERENCE
from slu.inference.prediction import Prediction
from slu.monitoring.facts import BINS, FACTS, NAMES
from slu.monitoring.sketch import UNDERSTOOD, Sketch
from slu.serving.facts import heard_facts

MOST_CLIPS = 400
_FORMAT = 1
_BATCH = 16


class Hears(Protocol):
    """A slu.inference Predictor."""

    sample_rate: int
    version: str
    limits: AudioLimits

    def features(self, waveform: Waveform) -> Floats: ...

    def predict_waveforms(
        self, waveforms: Sequence[Waveform], features: Sequence[Floats] | None = None
    ) -> list[Prediction]: ...


@dataclass(frozen=True)
class Reference:
    sketch: Sketch
    source: str
    """Which clips, in words."""
    speakers: int = 0
    """0 where they are not known."""
    likeness: Mapping[str, float] = field(default_factory=dict)
    """By fact, and of `understood`: from 0, clips of a speaker are as different as any, to 1."""

    def independent(self, known: int, fact: str, clips_per_speaker: float | None = None) -> float:
        """How many independent clips say as much of the fact as `known` clips of a log, or of the reference itself."""
        if clips_per_speaker is None:
            clips_per_speaker = self.sketch.clips / self.speakers if self.speakers else 1.0
        return known / (1 + (max(1.0, clips_per_speaker) - 1) * self.likeness.get(fact, 0.0))

    def to_json(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "source": self.source,
            "speakers": self.speakers,
            "likeness": {name: round(value, 4) for name, value in self.likeness.items()},
            "grids": {fact.name: [fact.low, fact.high, fact.ratio, BINS] for fact in FACTS},
            **self.sketch.to_json(),
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Reference":
        """Facts that were counted in other bins are left out. Raises ValueError, KeyError or TypeError."""
        if document["format"] != _FORMAT:
            raise ValueError("it is of another version")
        grids = {fact.name: [fact.low, fact.high, fact.ratio, BINS] for fact in FACTS}
        facts = {n: spans for n, spans in document["facts"].items() if document["grids"].get(n) == grids.get(n)}
        likeness = {str(name): float(value) for name, value in document["likeness"].items()}
        sketch = Sketch.from_json({**document, "facts": facts})
        return Reference(sketch, str(document["source"]), int(document["speakers"]), likeness)


def read_reference(path: Path) -> Reference | None:
    """Of a bundle's folder, or of a file; None where the bundle has none. Raises UserError for one that is damaged."""
    if path.is_dir():
        path /= REFERENCE
        if not path.is_file():
            return None
    try:
        return Reference.from_json(read_json(path))
    except FileNotFoundError:
        raise UserError(f"reference_file: there is no file {path}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the reference {path} cannot be used: {type(error).__name__}, {reason}") from None


def held_out(manifest: Manifest, heads: Sequence[str]) -> Manifest:
    """The labelled validation and test clips, or all of them where there are none: at most MOST_CLIPS, evenly drawn."""
    table = manifest.table
    known = [name for name in heads if name in table.columns]
    if known and (table[known] != "").any(axis=None):
        table = table[(table[known] != "").any(axis=1)]
    if "split" in table.columns and table["split"].isin(["val", "test"]).any():
        table = table[table["split"].isin(["val", "test"])]
    rows = np.unique(np.linspace(0, len(table) - 1, min(MOST_CLIPS, len(table))).astype(int))
    return Manifest(manifest.path, table.iloc[rows])


def hear_reference(
    predictor: Hears, manifest: Manifest, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reference:
    """Of all clips of the manifest that can be read. Raises UserError where there is none."""
    table, total = manifest.table, len(manifest.table)
    sketch, values, given, people = Sketch(), list[list[float]](), list[bool](), list[str]()
    names = table["speaker"].tolist() if "speaker" in table.columns else [""] * total
    for start in range(0, total, _BATCH):
        rows = range(start, min(start + _BATCH, total))
        clips = [(names[row], clip) for row in rows if (clip := _clip(manifest, row, predictor)) is not None]
        for (name, samples), own, answer in _answers(predictor, clips):
            facts = {**heard_facts(samples, predictor.sample_rate, own), "confidence": answer.confidence}
            sketch.count_answer(answer.reason, answer.labels)
            values.append([facts.get(name, np.nan) for name in NAMES])
            given.append(answer.understood)
            people.append(name)
        progress(rows.stop, total)
    if not values:
        raise UserError(f"the reference: not one clip of {manifest.path} can be read")
    sketch.add(values)
    speakers = 0 if "" in people else len(set(people))
    of = f"{len(values)} clips{f' of {speakers} speakers' if speakers else ''}"
    splits = [s for s in ("val", "test") if "split" in table.columns and (table["split"] == s).any()]
    words = {"val": "validation", "test": "test"}
    source = f"{of} ({' and '.join(words[s] for s in splits)})" if splits else of
    return Reference(sketch, source, speakers, _likeness(values, given, people) if speakers else {})


def reference_if_heard(
    predictor: Hears,
    clips: Manifest,
    heads: Sequence[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reference | None:
    """Of held-out clips; None, and a warning, where not one can be read: what was learnt is not lost for that."""
    try:
        return hear_reference(predictor, held_out(clips, heads), progress)
    except UserError as error:
        print(f"warning: {error}; slu.monitor will have nothing to compare with", flush=True)
        return None


def _clip(manifest: Manifest, row: int, predictor: Hears) -> Waveform | None:
    try:
        return decode(manifest.audio_path(row), predictor.sample_rate, predictor.limits)
    except AudioError:
        return None


def _answers(
    predictor: Hears, clips: Sequence[tuple[str, Waveform]]
) -> Iterator[tuple[tuple[str, Waveform], Floats, Prediction]]:
    features = [predictor.features(samples) for _, samples in clips]
    answers = predictor.predict_waveforms([samples for _, samples in clips], features) if clips else []
    return zip(clips, features, answers, strict=True)


def _likeness(values: Sequence[Sequence[float]], given: Sequence[bool], people: Sequence[str]) -> dict[str, float]:
    table = np.column_stack([np.array(values, np.float64), np.array(given, np.float64)])
    owners = np.unique(people, return_inverse=True)[1].tolist()
    return {name: intraclass(table[:, place], owners) for place, name in enumerate((*NAMES, UNDERSTOOD))}


def intraclass(values: NDArray[np.float64], owners: Sequence[int]) -> float:
    """Of the values' ranks: share of their variance that lies between the owners, by analysis of variance; 0 to 1."""
    frame = pd.DataFrame({"value": values, "owner": owners}).dropna()
    if frame["owner"].nunique() < 2 or frame["owner"].nunique() == len(frame) or frame["value"].nunique() < 2:
        return 0.0
    frame["value"] = rankdata(frame["value"])
    groups = frame.groupby("owner")["value"]
    sizes, means, total = groups.size(), groups.mean(), len(frame)
    between = float((sizes * (means - frame["value"].mean()) ** 2).sum()) / (len(sizes) - 1)
    within = float(((frame["value"] - groups.transform("mean")) ** 2).sum()) / (total - len(sizes))
    size = (total - float((sizes**2).sum()) / total) / (len(sizes) - 1)
    share = between + (size - 1) * within
    return float(np.clip((between - within) / share, 0.0, 1.0)) if share > 0 else 0.0

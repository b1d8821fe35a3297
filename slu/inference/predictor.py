"""`Predictor`: audio in, `Prediction` out. What it hears is exactly what training heard."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slu.audio.decode import AudioLimits, Waveform, decode, rms_db
from slu.audio.segment import SILENCE_DB, decoding_limits, heard_segments, voiced
from slu.inference.arrays import Floats, softmax
from slu.inference.conclusion import Heard
from slu.inference.decision import confidence, decide, stated, temper
from slu.inference.evidence import VOICED
from slu.inference.prediction import (
    AMBIGUOUS,
    NOISE,
    NOT_ON_MENU,
    NOT_SURE,
    SILENCE,
    TOO_LONG,
    TOO_SHORT,
    Prediction,
)
from slu.inference.second_best import second_best
from slu.spec import TaskSpec

Scores: TypeAlias = NDArray[np.float32]

_BATCH = 32
"""Clips or segments at a time: memory does not grow with the length of a recording."""

_LEAST_VOICED = 1.0
"""Frames of a voice below which there is none, where the network tells them."""

_QUIET_DB = -50.0
"""Without a voice, what is below this level (RMS, dB full scale) is called silence, and the rest noise."""


class Scored(NamedTuple):
    scores: dict[str, Scores]
    """(clips, classes) probabilities by head, at the temperatures of the heads."""
    evidence: dict[str, NDArray[np.float32]]
    """(clips,) by name, as the network gives it."""


@dataclass(frozen=True)
class Engine:
    """What computes for a Predictor, whatever with."""

    spec: TaskSpec
    version: str
    sample_rate: int
    features: Callable[[Waveform], Floats]
    """Mono samples (samples,) -> (frames, size)."""
    network: Callable[[Sequence[Floats]], Heard]
    """(frames, size) of each clip -> logits and evidence of the batch."""


class Predictor:
    def __init__(self, engine: Engine, limits: AudioLimits | None = None) -> None:
        """`limits` of decoding: unless given, those of the task."""
        self._engine, self.limits = engine, limits or decoding_limits(engine.spec)
        self.spec, self.version, self.sample_rate = engine.spec, engine.version, engine.sample_rate

    def predict(self, source: Path | bytes) -> Prediction:
        """Raises slu.audio.decode.AudioError for audio that cannot be used."""
        return self.predict_waveforms([decode(source, self.sample_rate, self.limits)])[0]

    def predict_waveforms(
        self, waveforms: Sequence[Waveform], features: Sequence[Floats] | None = None
    ) -> list[Prediction]:
        """Mono samples at the front end's rate; answers do not depend on what else is in the list. `features` are those
        of the whole waveforms, where they have been computed already."""
        scores, evidence = self.hear(waveforms, features)
        return [
            self.answer(
                {name: values[i] for name, values in scores.items()},
                duration_s=len(waveform) / self.sample_rate,
                level_db=rms_db(waveform),
                evidence={name: float(values[i]) for name, values in evidence.items()},
            )
            for i, waveform in enumerate(waveforms)
        ]

    def scores(self, waveforms: Sequence[Waveform]) -> dict[str, Scores]:
        """(clips, classes) probabilities by head, at the temperatures of the heads."""
        return self.hear(waveforms).scores

    def hear(self, waveforms: Sequence[Waveform], features: Sequence[Floats] | None = None) -> Scored:
        """Of a clip that is heard in segments, the mean of theirs, silent ones aside; `features` as above."""
        rate, spec = self.sample_rate, self.spec
        heard = [
            (clip, segment.samples)
            for clip, waveform in enumerate(waveforms)
            for segment in voiced(heard_segments(waveform, rate, spec))
        ]
        owners = np.array([clip for clip, _ in heard])
        if features is None or spec.segment_s:
            pieces: Iterator[Floats] = (self.features(piece) for _, piece in heard)  # in time for each batch
        else:
            pieces = iter(features)
        parts = [self._hear(list(islice(pieces, _BATCH))) for _ in range(0, len(heard), _BATCH)]

        def mean(name: str, kind: int) -> Scores:
            values = np.concatenate([part[kind][name] for part in parts])
            return np.stack([values[owners == clip].mean(axis=0) for clip in range(len(waveforms))])

        scores = {head.name: temper(mean(head.name, 0), head.temperature) for head in spec.heads}
        return Scored(scores, {name: mean(name, 1) for name in parts[0].evidence})

    def _hear(self, features: Sequence[Floats]) -> Scored:
        """Of each as a whole, at temperature 1."""
        logits, evidence = self.network(features)
        return Scored({name: softmax(values) for name, values in logits.items()}, evidence)

    def features(self, waveform: Waveform) -> Floats:
        """(frames, size)."""
        return self._engine.features(waveform)

    def network(self, features: Sequence[Floats]) -> Heard:
        """Of (frames, size) each."""
        return self._engine.network(features)

    def answer(
        self,
        scores: Mapping[str, Scores],
        *,
        duration_s: float,
        level_db: float,
        evidence: Mapping[str, float] | None = None,
    ) -> Prediction:
        """What one clip's probabilities, (classes,) by head, mean, given its length, RMS level and evidence."""
        spec, known = self.spec, evidence or {}
        answers = {head.name: decide(head, scores[head.name]) for head in spec.heads}
        labels = {head.name: head.classes[int(answers[head.name])] for head in spec.heads}
        product = float(np.prod([stated(scores[name], index) for name, index in answers.items()]))
        display = {head.name: head.shown(labels[head.name]) for head in spec.heads}
        return Prediction(
            labels=labels,
            scores={h.name: dict(zip(h.classes, scores[h.name].tolist(), strict=True)) for h in spec.heads},
            confidence=self._confidence(product, known),
            understood=not (reason := self._reason(product, known, duration_s, level_db)),
            reason=reason,
            duration_s=round(duration_s, 3),
            model_version=self.version,
            display=display,
            alternatives=second_best(spec.heads, scores, answers),
        )

    def _confidence(self, product: float, evidence: Mapping[str, float]) -> float:
        known = {name: np.asarray(value) for name, value in evidence.items()}
        return float(confidence(self.spec.confidence, np.asarray(product), known))

    def _reason(self, product: float, evidence: Mapping[str, float], duration_s: float, level_db: float) -> str:
        spec = self.spec
        if level_db < SILENCE_DB:
            return SILENCE
        if duration_s < spec.min_duration_s:
            return TOO_SHORT
        if duration_s > spec.max_duration_s:
            return TOO_LONG
        if evidence.get(VOICED, _LEAST_VOICED) < _LEAST_VOICED:
            return SILENCE if level_db < _QUIET_DB else NOISE
        if self._confidence(product, evidence) >= spec.min_confidence:
            return ""
        if not spec.confidence:
            return NOT_SURE
        return AMBIGUOUS if self._confidence(1.0, evidence) >= spec.min_confidence else NOT_ON_MENU

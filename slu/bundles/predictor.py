"""`Predictor`: audio in, `Prediction` out. What it hears is exactly what training heard."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slu.audio.decode import AudioLimits, Waveform, decode, rms_db
from slu.audio.segment import SILENCE_DB, decoding_limits, heard_segments, voiced
from slu.bundles.bundle import Bundle
from slu.bundles.decision import decide, stated, temper
from slu.bundles.prediction import NOT_SURE, Prediction

Scores: TypeAlias = NDArray[np.float32]

_BATCH = 32
"""Clips or segments at a time: memory does not grow with the length of a recording."""


class Predictor:
    def __init__(self, bundle: Bundle, limits: AudioLimits | None = None) -> None:
        """`limits` of decoding: unless given, those of the bundle's task."""
        self.bundle, self.limits = bundle, limits or decoding_limits(bundle.spec)

    def predict(self, source: Path | bytes) -> Prediction:
        """Raises slu.audio.decode.AudioError for audio that cannot be used."""
        return self.predict_waveforms([decode(source, self.bundle.front_end.sample_rate, self.limits)])[0]

    def predict_waveforms(self, waveforms: Sequence[Waveform]) -> list[Prediction]:
        """Mono samples at the front end's rate; answers do not depend on what else is in the list."""
        scores = self.scores(waveforms)
        return [
            self.answer(
                {name: values[i] for name, values in scores.items()},
                duration_s=len(waveform) / self.bundle.front_end.sample_rate,
                level_db=rms_db(waveform),
            )
            for i, waveform in enumerate(waveforms)
        ]

    def scores(self, waveforms: Sequence[Waveform]) -> dict[str, Scores]:
        """(clips, classes) probabilities by head, at the temperatures of the heads.

        Of a clip that is heard in segments, the mean of theirs, silent ones aside.
        """
        rate, spec = self.bundle.front_end.sample_rate, self.bundle.spec
        heard = [
            (clip, segment.samples)
            for clip, waveform in enumerate(waveforms)
            for segment in voiced(heard_segments(waveform, rate, spec))
        ]
        owners = np.array([clip for clip, _ in heard])
        batches = [[piece for _, piece in heard[i : i + _BATCH]] for i in range(0, len(heard), _BATCH)]
        parts = [self._probabilities(batch) for batch in batches]
        scores = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        means = {
            name: np.stack([values[owners == clip].mean(axis=0) for clip in range(len(waveforms))])
            for name, values in scores.items()
        }
        return {head.name: temper(means[head.name], head.temperature) for head in self.bundle.spec.heads}

    def _probabilities(self, waveforms: Sequence[Waveform]) -> dict[str, Scores]:
        logits = self.logits([self.features(waveform) for waveform in waveforms])
        return {name: values.softmax(dim=1).numpy() for name, values in logits.items()}

    @torch.inference_mode()
    def features(self, waveform: Waveform) -> Tensor:
        return self.bundle.front_end(torch.from_numpy(waveform))  # type: ignore[no-any-return]

    @torch.inference_mode()
    def logits(self, features: Sequence[Tensor]) -> dict[str, Tensor]:
        """(frames, size) each -> (batch, classes) by head."""
        lengths = torch.tensor([len(f) for f in features])
        padded = torch.nn.utils.rnn.pad_sequence(list(features), batch_first=True)
        return self.bundle.recogniser(padded, lengths)  # type: ignore[no-any-return]

    def answer(self, scores: Mapping[str, Scores], *, duration_s: float, level_db: float) -> Prediction:
        """What one clip's probabilities, (classes,) by head, mean, given its length and RMS level."""
        spec = self.bundle.spec
        answers = {head.name: decide(head, scores[head.name]) for head in spec.heads}
        labels = {head.name: head.classes[int(answers[head.name])] for head in spec.heads}
        confidence = math.prod(float(stated(scores[name], index)) for name, index in answers.items())
        reason = self._reason(confidence, duration_s, level_db)
        return Prediction(
            labels=labels,
            scores={h.name: dict(zip(h.classes, scores[h.name].tolist(), strict=True)) for h in spec.heads},
            confidence=confidence,
            understood=not reason,
            reason=reason,
            duration_s=round(duration_s, 3),
            model_version=self.bundle.version,
            display={head.name: head.shown(labels[head.name]) for head in spec.heads},
        )

    def _reason(self, confidence: float, duration_s: float, level_db: float) -> str:
        spec = self.bundle.spec
        if level_db < SILENCE_DB:
            return "silence"
        if duration_s < spec.min_duration_s:
            return "too short"
        if duration_s > spec.max_duration_s:
            return "too long"
        return "" if confidence >= spec.min_confidence else NOT_SURE

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
from slu.bundles.bundle import Bundle
from slu.bundles.decision import decide, stated, temper
from slu.bundles.prediction import Prediction

Scores: TypeAlias = NDArray[np.float32]

SILENCE_DB = -70.0
"""Below this level (RMS, dB full scale) there is nothing to understand; quiet speech lies around -50."""


class Predictor:
    def __init__(self, bundle: Bundle, limits: AudioLimits = AudioLimits(max_duration_s=30.0)) -> None:
        self.bundle, self.limits = bundle, limits

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
        """(clips, classes) probabilities by head, at the temperatures of the heads."""
        logits = self.logits([self.features(waveform) for waveform in waveforms])
        scores = {name: values.softmax(dim=1).numpy() for name, values in logits.items()}
        return {head.name: temper(scores[head.name], head.temperature) for head in self.bundle.spec.heads}

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
        return "" if confidence >= spec.min_confidence else "not sure"

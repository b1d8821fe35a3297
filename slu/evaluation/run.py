"""Running a bundle over labelled clips: streamed in chunks, through the same path as a prediction."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.audio.measure import measure
from slu.audio.segment import CLIP_LIMIT_S, decoding_limits
from slu.bundles import Prediction, Predictor
from slu.bundles.decision import decide, stated
from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.corpus.manifest import Manifest
from slu.evaluation.answers import Answers, AnswerStore
from slu.evaluation.conditions import CLEAN, Condition, ConditionSettings, build_conditions
from slu.evaluation.intervals import Units, units
from slu.evaluation.metrics import Indices, confusion_matrix, score
from slu.evaluation.reference import Rule, RuleAnswers, RuleStore, hear, reference_metrics
from slu.spec import Head, TaskSpec

_CHUNK = 64
_BATCH = 32
_BANK = 60
_BANK_LIMITS = AudioLimits(max_duration_s=CLIP_LIMIT_S, truncate=True)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """One condition: the answers beside the labels of the clips that could be read."""

    condition: Condition
    manifest: Manifest
    spec: TaskSpec
    answers: Answers
    predictor: Predictor = field(repr=False)
    reference: RuleAnswers | None = None
    """What a rule without a model answers on the same clips."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """The manifest's rows that were read, in the order of the answers."""
        return self.manifest.table.iloc[self.answers.rows]

    @cached_property
    def heads(self) -> list[Head]:
        """Those that the manifest has labels of."""
        return [head for head in self.spec.heads if head.name in self.manifest.table.columns]

    @cached_property
    def truth(self) -> dict[str, Indices]:
        """Class indices by head; -1 is no label, or one that the model does not know."""
        return {
            head.name: np.array([head.to_ids().get(label, -1) for label in self.table[head.name]], dtype=np.int64)
            for head in self.heads
        }

    @cached_property
    def guess(self) -> dict[str, Indices]:
        return {head.name: decide(head, self.answers.scores[head.name]) for head in self.heads}

    @cached_property
    def speakers(self) -> list[str] | None:
        return self.table["speaker"].tolist() if "speaker" in self.table.columns else None

    @cached_property
    def units(self) -> Units:
        return units(self.speakers, len(self.table))

    def units_of(self, chosen: NDArray[np.bool_]) -> Units:
        """What is resampled when only these clips count."""
        names = None
        if self.speakers is not None:
            names = [name for name, taken in zip(self.speakers, chosen, strict=True) if taken]
        return units(names, int(chosen.sum()))

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Per clip: every head has a label."""
        labelled: NDArray[np.bool_] = np.logical_and.reduce([self.truth[head.name] >= 0 for head in self.heads])
        return labelled

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Per clip: every labelled head is answered as labelled."""
        agrees = [(self.truth[h.name] == self.guess[h.name]) | (self.truth[h.name] < 0) for h in self.heads]
        right: NDArray[np.bool_] = np.logical_and.reduce(agrees)
        return right

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Per clip: the product of the answered classes' scores, of the heads that are scored here."""
        return np.multiply.reduce([self.stated(head) for head in self.heads])  # type: ignore[no-any-return]

    def stated(self, head: Head) -> NDArray[np.float64]:
        """Per clip: the score of the class that is answered."""
        return stated(self.answers.scores[head.name], self.guess[head.name])

    @cached_property
    def reasons(self) -> list[str]:
        """Per clip: why nobody should act on the answer; empty where it is understood."""
        return [self.prediction(i).reason for i in range(len(self.table))]

    @cached_property
    def understood(self) -> NDArray[np.bool_]:
        return np.array([not reason for reason in self.reasons], dtype=bool)

    def prediction(self, index: int) -> Prediction:
        scores = {name: values[index] for name, values in self.answers.scores.items()}
        return self.predictor.answer(
            scores, duration_s=float(self.answers.duration_s[index]), level_db=float(self.answers.level_db[index])
        )

    def waveform(self, index: int) -> Waveform:
        """The clip as the recogniser heard it: decoded again, and changed again by the condition."""
        row = int(self.answers.rows[index])
        samples = decode(
            self.manifest.audio_path(row), self.predictor.bundle.front_end.sample_rate, self.predictor.limits
        )
        return self.condition.change(samples, row)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        classes = {head.name: head.classes for head in self.heads}
        scores = {head.name: self.answers.scores[head.name] for head in self.heads}
        result = score(self.truth, self.guess, classes, self.speakers, scores=scores, understood=self.understood)
        return result | self._beside()

    def _beside(self) -> dict[str, Any]:
        """The figures of the rule, where the head that it answers has labels here."""
        if self.reference is None or self.reference.rule.head not in self.truth:
            return {}
        head = self.reference.rule.head
        known = self.truth[head] >= 0
        if not known.any():
            return {}
        answers = RuleAnswers(self.reference.rule, self.reference.guess[known])
        units_ = self.units_of(known)
        return {"reference": reference_metrics(answers, self.truth[head][known], self.guess[head][known], units_)}

    @property
    def clips_per_cpu_second(self) -> float:
        """Decoding, the condition, features and network of one core together."""
        return len(self.table) / max(self.answers.cpu_s, 1e-9)

    @property
    def broken(self) -> list[str]:
        """Clips that could not be read: where and why."""
        rows = self.answers.broken_rows.tolist()
        return [f"{self.manifest.where(row)}: {why}" for row, why in zip(rows, self.answers.broken, strict=True)]

    def confusion(self, head: Head) -> NDArray[np.int64]:
        return confusion_matrix(self.truth[head.name], self.guess[head.name], len(head.classes))

    def answer_table(self) -> pd.DataFrame:
        """The rows with the answers beside the labels."""
        answers = pd.DataFrame(
            [
                {f"heard_{name}": label for name, label in p.labels.items()}
                | {"confidence": round(p.confidence, 4), "understood": p.understood, "reason": p.reason}
                for p in map(self.prediction, range(len(self.table)))
            ],
            index=self.table.index,
        )
        return self.table.join(answers)


def evaluate(
    predictor: Predictor,
    manifest: Manifest,
    settings: ConditionSettings = ConditionSettings(),
    *,
    rule: Rule | None = None,
    keep: Path | None = None,
    digests: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> dict[str, Evaluation]:
    """Every readable clip under every condition, `clean` first; with a `rule`, what that answers beside the model.

    With a folder to `keep` answers in, an interrupted evaluation goes on where it stopped; `force` starts anew.
    `digests` spares hashing the clips once more where the caller has done so (`clip_digests`).
    Raises UserError when not one clip can be read.
    """
    rate, total = predictor.bundle.front_end.sample_rate, len(manifest.table)
    conditions = build_conditions(settings, rate, _bank(manifest, rate) if settings.noise_snr_db else [])
    if digests is None:
        digests = clip_digests(manifest) if keep is not None else []
    store = AnswerStore(keep, predictor.bundle, digests)
    spec, heard_by = predictor.bundle.spec, None
    rule = rule if rule is not None and rule.head in manifest.table.columns else None
    if rule is not None:
        heard_by = RuleStore(keep, rule, spec.head(rule.head), rate, predictor.limits, digests)
    if force:
        store.clear()
        if heard_by is not None:
            heard_by.clear()
    parts: dict[str, list[Answers]] = {condition.name: [] for condition in conditions}
    guesses: dict[str, list[Indices]] = {condition.name: [] for condition in conditions}
    done = 0
    step = _clips_at_once(spec)
    for start in range(0, total, step):
        rows = range(start, min(start + step, total))
        clips: list[tuple[int, Waveform | str]] | None = None
        for condition in conditions:
            answers = store.load(condition, start)
            guess = None if heard_by is None else heard_by.load(condition, start)
            if answers is None or (rule is not None and guess is None):
                start_s = time.process_time()
                clips = clips if clips is not None else list(_read(manifest, rows, rate, predictor.limits))
                heard = [(row, condition.change(clip, row)) for row, clip in clips if not isinstance(clip, str)]
                if answers is None:
                    answers = _answer(predictor, clips, heard, start_s)
                    store.save(condition, start, answers)
                if rule is not None and heard_by is not None and guess is None:
                    guess = hear(rule, spec.head(rule.head), [samples for _, samples in heard], rate)
                    heard_by.save(condition, start, guess)
            parts[condition.name].append(answers)
            if guess is not None:
                guesses[condition.name].append(guess)
            done += len(rows)
            progress(done, total * len(conditions))
    joined = {name: Answers.join(chunks) for name, chunks in parts.items()}
    clean = joined[CLEAN.name]
    if not len(clean.rows):
        raise UserError(
            f"{manifest.path}: not one of {total} clips can be read; "
            f"{manifest.where(int(clean.broken_rows[0]))}: {clean.broken[0]}"
        )
    beside = {} if rule is None else {name: RuleAnswers(rule, np.concatenate(g)) for name, g in guesses.items()}
    return {c.name: Evaluation(c, manifest, spec, joined[c.name], predictor, beside.get(c.name)) for c in conditions}


def _answer(
    predictor: Predictor,
    clips: Sequence[tuple[int, Waveform | str]],
    heard: Sequence[tuple[int, Waveform]],
    start_s: float,
) -> Answers:
    """`heard` are those of `clips` that could be read, changed by the condition."""
    order = sorted(range(len(heard)), key=lambda i: len(heard[i][1]))  # equal lengths together: less padding
    spec, rate = predictor.bundle.spec, predictor.bundle.front_end.sample_rate
    scores = {h.name: np.zeros((len(heard), len(h.classes)), np.float32) for h in spec.heads}
    with torch.inference_mode():
        for i in range(0, len(order), _BATCH):
            batch = order[i : i + _BATCH]
            for name, values in predictor.scores([heard[k][1] for k in batch]).items():
                scores[name][batch] = values
    measures = [measure(samples, rate) for _, samples in heard]
    broken = [(row, clip) for row, clip in clips if isinstance(clip, str)]
    return Answers(
        rows=np.array([row for row, _ in heard], dtype=np.int64),
        scores=scores,
        duration_s=np.array([m.duration_s for m in measures], dtype=np.float64),
        level_db=np.array([m.level_db for m in measures], dtype=np.float64),
        snr_db=np.array([m.snr_db for m in measures], dtype=np.float64),
        broken_rows=np.array([row for row, _ in broken], dtype=np.int64),
        broken=tuple(reason for _, reason in broken),
        cpu_s=time.process_time() - start_s,
    )


def _clips_at_once(spec: TaskSpec) -> int:
    """Clips in memory at once: no more audio than 64 clips of half a minute, however long the task's recordings."""
    return max(1, int(_CHUNK * CLIP_LIMIT_S / decoding_limits(spec).max_duration_s))


def _read(
    manifest: Manifest, rows: Sequence[int], rate: int, limits: AudioLimits
) -> Iterator[tuple[int, Waveform | str]]:
    """Samples, or why there are none."""
    for row in rows:
        try:
            yield row, decode(manifest.audio_path(row), rate, limits)
        except AudioError as error:
            yield row, str(error)


def _bank(manifest: Manifest, rate: int) -> list[Waveform]:
    """Clips, or the first half minute of longer ones, spread evenly over the manifest: babble has many voices."""
    rows = np.unique(np.linspace(0, len(manifest.table) - 1, _BANK).astype(int)).tolist()
    return [clip for _, clip in _read(manifest, rows, rate, _BANK_LIMITS) if not isinstance(clip, str)]


def clip_digests(manifest: Manifest) -> list[str]:
    """Content hash of every clip's file, empty where there is none."""
    paths = [manifest.audio_path(row) for row in range(len(manifest.table))]
    return [content_hash(path) if path.is_file() else "" for path in paths]


def subset(manifest: Manifest, column: str, value: str) -> Manifest:
    """The rows of one split or speaker; they keep their numbers, so messages still name the file's lines."""
    return Manifest(manifest.path, manifest.table[manifest.table[column] == value])

"""Running a bundle over labelled clips: streamed in chunks, through the same path as a prediction."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from slu.audio.decode import AudioError, AudioLimits, Waveform, decode
from slu.audio.measure import measure
from slu.audio.segment import CLIP_LIMIT_S, decoding_limits
from slu.bundles import Predictor
from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.corpus.manifest import Manifest
from slu.evaluation.answers import Answers, AnswerStore
from slu.evaluation.conditions import CLEAN, Condition, ConditionSettings, build_conditions
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.metrics import Indices
from slu.evaluation.reference import Rule, RuleAnswers, RuleStore, hear
from slu.spec import TaskSpec

_CHUNK = 64
_BATCH = 32
_BANK = 60
_BANK_LIMITS = AudioLimits(max_duration_s=CLIP_LIMIT_S, truncate=True)

Progress = Callable[[int, int], None]


def evaluate(
    predictor: Predictor,
    manifest: Manifest,
    settings: ConditionSettings = ConditionSettings(),
    *,
    extra: Sequence[Condition] = (),
    rule: Rule | None = None,
    keep: Path | None = None,
    digests: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> dict[str, Evaluation]:
    """Every readable clip under every condition, `clean` first and `extra` ones last; with a `rule`, what that answers
    beside the model.

    With a folder to `keep` answers in, an interrupted evaluation goes on where it stopped; `force` starts anew.
    `digests` spares hashing the clips once more where the caller has done so (`clip_digests`).
    Raises UserError when not one clip can be read.
    """
    rate, total = predictor.bundle.front_end.sample_rate, len(manifest.table)
    conditions = build_conditions(settings, rate, _bank(manifest, rate) if settings.noise_snr_db else [])
    conditions += extra
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
    evidence: dict[str, NDArray[np.float32]] = {}
    with torch.inference_mode():
        for i in range(0, len(order), _BATCH):
            batch = order[i : i + _BATCH]
            found = predictor.hear([heard[k][1] for k in batch])
            for name, values in found.scores.items():
                scores[name][batch] = values
            for name, values in found.evidence.items():
                evidence.setdefault(name, np.zeros(len(heard), np.float32))[batch] = values
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
        evidence=evidence,
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

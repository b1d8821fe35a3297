"""Evaluations with made-up answers: what is scored is known, and no model is trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from slu.bundles import Predictor
from slu.corpus.manifest import Manifest
from slu.evaluation.answers import Answers
from slu.evaluation.conditions import CLEAN, Condition
from slu.evaluation.evaluation import Evaluation
from tests.bundles.helpers import make_bundle


def made_up(
    folder: Path,
    said: Sequence[Mapping[str, str]],
    heard: Sequence[tuple[str, str]],
    *,
    confidence: Sequence[float] | None = None,
    duration_s: Sequence[float] | None = None,
    condition: Condition = CLEAN,
) -> Evaluation:
    """`said` are manifest rows, `heard` (product, quantity) per row; both heads share the confidence evenly."""
    predictor = Predictor(make_bundle(folder))
    spec, n = predictor.bundle.spec, len(said)
    table = pd.DataFrame([{"file_name": f"{i}.wav", **row} for i, row in enumerate(said)]).fillna("")
    stated = np.sqrt(np.asarray(confidence if confidence is not None else [0.81] * n))
    scores = {}
    for place, head in enumerate(spec.heads):
        values = np.repeat(((1 - stated) / (len(head.classes) - 1))[:, None], len(head.classes), axis=1)
        values[np.arange(n), [head.index(answer[place]) for answer in heard]] = stated
        scores[head.name] = values.astype(np.float32)
    return Evaluation(
        condition,
        Manifest(folder / "metadata.csv", table),
        spec,
        Answers(
            rows=np.arange(n),
            scores=scores,
            duration_s=np.asarray(duration_s if duration_s is not None else [1.0] * n),
            level_db=np.full(n, -25.0),
            snr_db=np.full(n, 30.0),
            broken_rows=np.zeros(0, np.int64),
            broken=(),
            cpu_s=1.0,
        ),
        predictor,
    )

"""How a fitted recogniser is to answer, chosen on its validation clips, heard as a prediction hears them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from slu.corpus.other_speech import off_menu
from slu.evaluation.decision import Decision, DecisionSettings, Heard, choose
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.run import subset
from slu.inference.prediction import DOUBTS
from slu.studies.scoring import score_fitted
from slu.training.fit import Fitted
from slu.training.stages import Prepared


def choose_decision(
    fitted: Fitted,
    data: Prepared,
    settings: DecisionSettings,
    *,
    unlabelled_is_wrong: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Decision:
    """The task's contract with the choices in it; the one that came where the settings choose nothing.

    Raises UserError when not one validation clip can be read.
    """
    if not settings.chooses:
        return Decision(data.spec, {}, ())
    heads = tuple(replace(head, temperature=1.0, threshold=0.5) for head in data.spec.heads)
    plain = replace(data.spec, heads=heads, confidence={})
    clips = subset(data.manifest, "split", "val")
    results = score_fitted(fitted, plain, clips, settings.noise_snr_db, progress)
    decision = choose(plain, _heard(list(results.values())), settings, unlabelled_is_wrong=unlabelled_is_wrong)
    clean = next(iter(results.values()))
    labelled = np.logical_or.reduce([truth >= 0 for truth in clean.truth.values()])
    people = None if clean.speakers is None else {s for s, known in zip(clean.speakers, labelled, strict=True) if known}
    heard_on = {
        "clips": len(clean.table),
        "speakers": len(people - {""}) if people is not None else None,
        "conditions": list(results),
    }
    return replace(decision, facts={"validation": heard_on, **decision.facts})


def _heard(results: list[Evaluation]) -> Heard:
    heads = results[0].heads
    return Heard(
        {head.name: np.concatenate([r.truth[head.name] for r in results]) for head in heads},
        {head.name: np.concatenate([r.answers.scores[head.name] for r in results]) for head in heads},
        np.array([reason in ("", *DOUBTS) for r in results for reason in r.reasons], dtype=bool),
        conditions=len(results),
        evidence={n: np.concatenate([r.answers.evidence[n] for r in results]) for n in results[0].answers.evidence},
        off_menu=np.concatenate([off_menu(r.table) for r in results]),
    )

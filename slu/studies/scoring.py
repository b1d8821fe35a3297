"""A recogniser fresh from its fit, heard on clips through the same path as a stored bundle."""

from collections.abc import Callable, Sequence
from pathlib import Path

from slu.bundles import Bundle, Predictor
from slu.corpus.manifest import Manifest
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.reference import Rule
from slu.evaluation.run import evaluate
from slu.features import build_front_end
from slu.spec import TaskSpec
from slu.training.fit import Fitted


def score_fitted(
    fitted: Fitted,
    spec: TaskSpec,
    clips: Manifest,
    noise_snr_db: Sequence[float] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    rule: Rule | None = None,
) -> dict[str, Evaluation]:
    """By condition: clean first, then generated noise at each SNR in dB; with a `rule`, what that answers too.

    Raises UserError when not one of the clips can be read.
    """
    conditions = ConditionSettings(noise_snr_db=tuple(noise_snr_db))
    return evaluate(fresh_predictor(fitted, spec), clips, conditions, rule=rule, progress=progress)


def fresh_predictor(fitted: Fitted, spec: TaskSpec) -> Predictor:
    front_end = build_front_end(spec.front_end).eval()
    return Predictor(Bundle(Path(), "unregistered", spec, front_end, fitted.recogniser, {}, {}))

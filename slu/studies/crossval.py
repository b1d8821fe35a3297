"""Leave-one-speaker-out: the honest estimate when there are only a handful of speakers.

Nothing of the held-out speaker chooses anything: each fold trains for the full number of epochs and keeps
the last weights. The bundle is a last fit on all speakers, and the folds' mean is the estimate for it.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.corpus.splits import leave_one_out, speakers
from slu.evaluation.metrics import summarise_folds
from slu.evaluation.run import subset
from slu.studies.scoring import score_fitted
from slu.training.fit import FitSettings, Fitted, fit
from slu.training.stages import Prepared, require_examples


@dataclass(frozen=True)
class CrossValidation:
    folds: dict[str, dict[str, Any]]
    """Metrics by held-out speaker."""
    final: Fitted
    """The fit on everybody."""

    @property
    def summary(self) -> dict[str, Any]:
        return summarise_folds(self.folds)


def leave_one_speaker_out(data: Prepared, settings: FitSettings, folder: Path) -> CrossValidation:
    """Raises UserError without a speaker column, with one speaker, or when a fold lacks a class."""
    table, where = data.features.table, str(data.manifest.path)
    real = table if "synthetic" not in table.columns else table[table["synthetic"] == ""]
    names = sorted(speakers(real, where).unique())
    labelled = (table[data.spec.head_names] != "").all(axis=1)
    if unlabelled := [name for name in names if not bool((labelled & (table["speaker"] == name)).any())]:
        raise UserError(f"{where}: speaker '{unlabelled[0]}' has no clip with all labels to test on; take them out")
    if len(names) < 2:
        raise UserError(f"{where}: leave_one_speaker_out needs at least two speakers, there is {names[0]}")
    quiet = replace(settings, loggers=())
    folds: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(names, 1):
        fold = leave_one_out(table, name)
        require_examples(fold, data.spec, ("train",), f"{where} without {name}")
        fitted = fit(fold, data.spec, quiet, folder / f"without-{number}")
        folds[name] = score_fitted(fitted, data.spec, subset(data.manifest, "speaker", name))["clean"].metrics
        print(f"fold {number} of {len(names)}: without {name} {folds[name]['joint_accuracy']:.3f} "
              f"on {folds[name]['n']} clips, {fitted.cpu_s:.0f} CPU seconds", flush=True)  # fmt: skip
    return CrossValidation(folds, fit(table.assign(split="train"), data.spec, settings, folder))

"""Leave-one-speaker-out: the honest estimate when there are only a handful of speakers.

Nothing of the held-out speaker chooses anything: each fold trains for the full number of epochs and keeps
the last weights. The bundle is a last fit on all speakers, and the folds' mean is the estimate for it.

Where the data come with a split of their own that has the same speakers on both sides, the same recipe is
measured on that one too: the distance between the two numbers is what the leak is worth.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table

from slu.common.errors import UserError
from slu.corpus.labels import fully_labelled
from slu.corpus.splits import leaking_speakers, leave_one_out, speakers
from slu.evaluation.metrics import summarise_folds
from slu.evaluation.reference import Rule
from slu.evaluation.run import subset
from slu.evaluation.tables import folds_table
from slu.studies.scoring import score_fitted
from slu.training.fit import FitSettings, Fitted, fit
from slu.training.stages import Prepared, require_examples


@dataclass(frozen=True)
class CrossValidation:
    folds: dict[str, dict[str, Any]]
    """Metrics by held-out speaker."""
    final: Fitted
    """The fit on everybody."""
    leaky_split: dict[str, Any] | None = None
    """Metrics on the data's own split, with its `leaking_speakers`; None where there is none or it does not leak."""

    def to_json(self) -> dict[str, Any]:
        leaky = {} if self.leaky_split is None else {"leaky_split": self.leaky_split}
        return {**summarise_folds(self.folds), "speakers": self.folds, **leaky}

    def table(self, title: str) -> Table:
        table = folds_table(self.folds, summarise_folds(self.folds), title)
        if (leaky := self.leaky_split) is not None:
            table.add_section()
            name = f"its own split (speakers leak: {len(leaky['leaking_speakers'])} on both sides)"
            table.add_row(name, str(leaky["n"]), f"{leaky['joint_accuracy']:.3f}")
        return table


def leave_one_speaker_out(
    data: Prepared, settings: FitSettings, folder: Path, *, own_split: bool = False, rule: Rule | None = None
) -> CrossValidation:
    """`own_split`: the table's split is the one that the data came with, and worth a comparison if it leaks; `rule`
    answers the held-out speakers' clips beside the model.

    Raises UserError without a speaker column, with one speaker, or when a fold lacks a class.
    """
    table, where = data.features.table, str(data.manifest.path)
    real = table if "synthetic" not in table.columns else table[table["synthetic"] == ""]
    names = sorted(speakers(real, where).unique())
    labelled = fully_labelled(table, data.spec.heads)
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
        clips = subset(data.manifest, "speaker", name)
        folds[name] = score_fitted(fitted, data.spec, clips, rule=rule)["clean"].metrics
        print(f"fold {number} of {len(names)}: without {name} {folds[name]['joint_accuracy']:.3f} "
              f"on {folds[name]['n']} clips, {fitted.cpu_s:.0f} CPU seconds", flush=True)  # fmt: skip
    leaky = _on_leaky_split(data, real, quiet, folder / "own-split") if own_split else None
    return CrossValidation(folds, fit(table.assign(split="train"), data.spec, settings, folder), leaky)


def _on_leaky_split(data: Prepared, real: pd.DataFrame, settings: FitSettings, folder: Path) -> dict[str, Any] | None:
    """By the folds' recipe, so without the validation rows: they neither train nor choose an epoch."""
    table = data.features.table
    leaking = leaking_speakers(real[real["split"] != "val"])
    test = subset(data.manifest, "split", "test")
    if not leaking or not fully_labelled(test.table, data.spec.heads).any():
        return None
    fitted = fit(table[table["split"] != "val"], data.spec, settings, folder)
    metrics = score_fitted(fitted, data.spec, test)["clean"].metrics
    print(f"its own split: {metrics['joint_accuracy']:.3f} on {metrics['n']} clips, where {len(leaking)} speakers "
          f"also train; {fitted.cpu_s:.0f} CPU seconds", flush=True)  # fmt: skip
    return {**metrics, "leaking_speakers": leaking}

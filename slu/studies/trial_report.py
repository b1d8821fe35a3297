"""What a training that is a trial of a search says on its way, and how one without hope is ended early."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightning as L
import optuna
from lightning.pytorch.callbacks import Callback
from optuna.pruners import BasePruner

from slu.common.errors import UserError
from slu.studies.study_storage import load_study, reason
from slu.training.classifier import OBJECTIVE


@dataclass(frozen=True)
class TrialResult:
    """What a trial's training returns to the search, from whichever process or machine it ran on."""

    values: tuple[float, ...]
    pruned: bool = False


def running_trial(url: str, name: str, number: int, pruner: BasePruner | None) -> optuna.Trial:
    """The study's trial of this number. Raises UserError where there is none, or the storage cannot be read."""
    study = load_study(url, name, pruner)
    for trial in study.get_trials(deepcopy=False):
        if trial.number == number:
            return optuna.Trial(study, trial._trial_id)
    raise UserError(f"trial={number}: the study {name} has no such trial; `trial` is set by a search (search=NAME)")


class ReportToStudy(Callback):
    """Writes the validation objective of each epoch into the study, and asks its pruner whether to go on.

    Only trials that share the storage are compared, epoch by epoch; so all of a study train for the same number of
    epochs. A storage that does not answer costs the report, not the training.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial, self.pruned, self._complained = trial, False, False

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        value = trainer.callback_metrics.get(OBJECTIVE)
        if value is None or trainer.sanity_checking:
            return
        epoch = trainer.current_epoch + 1
        try:
            self.trial.report(float(value), epoch)
            hopeless = epoch < (trainer.max_epochs or 0) and self.trial.should_prune()
        except Exception as error:  # of the storages' own kinds
            if not self._complained:
                print(f"warning: the study could not be told of epoch {epoch}: {reason(error)}", flush=True)
            self._complained = True
            return
        if hopeless:
            print(f"pruned after epoch {epoch}: other trials of the study were better by then", flush=True)
            self.pruned = trainer.should_stop = True


def result(
    objective: float | None, validation: Mapping[str, float], objectives: Sequence[str], pruned: bool
) -> TrialResult:
    """Of one training: `objectives` of its best epoch, or the one objective that epochs are chosen by."""
    if objective is None:
        raise UserError("a trial is compared by validation clips, and there are none; mark some speakers as val")
    for name in objectives:
        if name not in validation:
            raise UserError(f"objectives: there is no {name}; there are {', '.join(sorted(validation))}")
    return TrialResult(tuple(validation[name] for name in objectives) or (objective,), pruned)

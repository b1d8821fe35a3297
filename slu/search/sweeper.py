"""The sweep of a study, in the place of the loop of hydra-optuna-sweeper."""

from typing import Any

import optuna
from hydra.utils import instantiate
from hydra_plugins.hydra_optuna_sweeper import _impl

from slu.search.settings import directions_of, sampler_of, space_of
from slu.studies.study_storage import open_study, reason
from slu.studies.trial_report import TrialResult
from slu.studies.trials import TrialQueue


class StudySweeper(_impl.OptunaSweeperImpl):
    """Asks the study until it has `n_trials`, whoever else works on it; `n_jobs` at once through the launcher."""

    def sweep(self, arguments: list[str]) -> None:
        assert self.config is not None
        assert self.launcher is not None
        space, fixed = space_of(self.config, arguments)
        study = open_study(
            str(self.storage),
            str(self.study_name),
            directions_of(self.config),
            sampler_of(self.config),
            instantiate(self.config.pruner),
        )
        queue = TrialQueue(study, int(self.n_trials), space)
        while batch := [t for t in (queue.take() for _ in range(max(1, int(self.n_jobs)))) if t is not None]:
            drawn = [tuple(f"{key}={value}" for key, value in trial.params.items()) for trial in batch]
            for trial, settings in zip(batch, drawn, strict=True):
                print(f"\ntrial {trial.number}: {' '.join(settings)}", flush=True)
            overrides = [(*fixed, *d, f"trial={t.number}") for t, d in zip(batch, drawn, strict=True)]
            with queue.alive(batch):
                returns = self.launcher.launch(overrides, initial_job_idx=self.job_idx)
            self.job_idx += len(returns)
            for trial, returned in zip(batch, returns, strict=True):
                _tell(queue, trial, returned)


def _tell(queue: TrialQueue, trial: optuna.Trial, returned: Any) -> None:
    try:
        result = returned.return_value
    except Exception as error:  # of a training: the study goes on without it
        result = error
    if isinstance(result, TrialResult):
        queue.tell(trial, result.values, pruned=result.pruned)
        return
    said = reason(result) if isinstance(result, Exception) else f"it returned {result!r}, and no objective"
    print(f"trial {trial.number} failed: {said}", flush=True)
    queue.tell(trial, None, error=said)

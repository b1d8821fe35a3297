"""The sweep of a study, in the place of the loop of hydra-optuna-sweeper."""

from pathlib import Path
from typing import Any

import optuna
from hydra.utils import instantiate
from hydra_plugins.hydra_optuna_sweeper import _impl

from slu.common.cli import reports_errors
from slu.search.jobs import Jobs
from slu.search.settings import directions_of, sampler_of, space_of
from slu.studies.study_storage import open_study, reason
from slu.studies.trial_report import TrialResult
from slu.studies.trials import TrialQueue


class StudySweeper(_impl.OptunaSweeperImpl):
    """Asks the study until it has `n_trials`, whoever else works on it; `n_jobs` at once through the launcher."""

    @reports_errors
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
        jobs = Jobs(self.launcher, Path(self.sweep_dir))
        while batch := [t for t in (queue.take() for _ in range(max(1, int(self.n_jobs)))) if t is not None]:
            drawn = [tuple(f"{key}={value}" for key, value in trial.params.items()) for trial in batch]
            for trial, settings in zip(batch, drawn, strict=True):
                print(f"\ntrial {trial.number}: {' '.join(settings)}", flush=True)
            overrides = [(*fixed, *d, f"trial={t.number}") for t, d in zip(batch, drawn, strict=True)]
            with queue.alive(batch):
                results = jobs.results(overrides)
            for trial, result in zip(batch, results, strict=True):
                _tell(queue, trial, result)


def _tell(queue: TrialQueue, trial: optuna.Trial, result: Any) -> None:
    if isinstance(result, TrialResult):
        queue.tell(trial, result.values, pruned=result.pruned)
        return
    said = reason(result) if isinstance(result, Exception) else f"it returned {result!r}, and no objective"
    print(f"trial {trial.number} failed: {said}", flush=True)
    queue.tell(trial, None, error=said)

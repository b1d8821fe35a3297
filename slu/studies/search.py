"""Searches over settings: what Hydra's Optuna sweeper needs to go on after it was killed.

The sweeper asks a study for so many trials more, from the same seed, whatever is in its storage. Here a study's total
is counted, a trial whose process is gone is tried again with the same settings, and the seed moves on.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, check_distribution_compatibility
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from slu.common.errors import UserError

_OWNER = "process"
_RETRIED = "tried_again"


def claim(config: Any, trial: optuna.Trial) -> None:
    """Says whose a trial is: `hydra.sweeper.custom_search_space`, which the sweeper calls for each."""
    trial.set_user_attr(_OWNER, _process(os.getpid()))


@dataclass(frozen=True)
class StudyState:
    done: int
    """Trials that have ended, well or not."""
    failed: int
    again: int
    """Trials of processes that are gone, which come next."""
    seen: int
    """All that were ever begun: a sampler that starts from the same seed would try the first of them again."""


def open_storage(url: str) -> BaseStorage | str:
    """What Optuna takes: an object for a journal file (`journal:///path`), the URL for a database."""
    if not url.startswith("journal:///"):
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        return url
    path = Path(url.removeprefix("journal:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(path)))


def take_up(
    url: str, name: str, directions: list[str], space: Mapping[str, BaseDistribution] | None = None
) -> StudyState:
    """Count a study's trials, and put those that were cut short back.

    Raises UserError for a storage that cannot be opened, and for a study of other directions or another `space`.
    """
    try:
        study = optuna.create_study(
            study_name=name, storage=open_storage(url), directions=directions, load_if_exists=True
        )
        trials = study.get_trials(deepcopy=False)
    except Exception as error:  # of the storages' own kinds, each with another
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"hydra.sweeper.storage={url}: the study {name} cannot be opened: {reason}") from None
    if [direction.name.lower() for direction in study.directions] != directions:
        raise UserError(f"hydra.sweeper.storage={url}: the study {name} has other objectives; name another study")
    for trial in trials:
        for key, known in trial.distributions.items():
            try:
                check_distribution_compatibility(known, (space or {}).get(key, known))
            except ValueError:
                raise UserError(
                    f"hydra.sweeper.params: {key} is searched elsewhere in the study {name}; name another study"
                ) from None
    again = 0
    for trial in trials:
        if trial.state is TrialState.RUNNING and _is_gone(trial):
            optuna.Trial(study, trial._trial_id).set_user_attr(_RETRIED, True)
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)
            again += 1
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    counted = [trial for trial in ended if not trial.user_attrs.get(_RETRIED)]
    failed = sum(trial.state is TrialState.FAIL for trial in counted)
    return StudyState(len(counted), failed, again, len(trials))


def best_settings(url: str, name: str) -> tuple[Mapping[str, Any], float] | None:
    """Of the trial with the best objective; None where no trial has ended well."""
    study = optuna.load_study(study_name=name, storage=open_storage(url))
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return None
    best = study.best_trial
    assert best.value is not None
    return best.params, best.value


def _is_gone(trial: FrozenTrial) -> bool:
    """Its process, of this machine, is not there any more. Of another machine's nothing is known."""
    owner = str(trial.user_attrs.get(_OWNER, ""))
    host, _, rest = owner.partition(":")
    if host != socket.gethostname():
        return not owner
    return _process(int(rest.partition(":")[0])) != owner


def _process(pid: int) -> str:
    """`host:pid:start`, so that a number that is given again is told from the one before."""
    try:
        start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        start = "gone"
    return f"{socket.gethostname()}:{pid}:{start}"

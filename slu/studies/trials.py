"""The trials of one study, whoever works on it: so many in all, none twice, and none lost with its process.

Several processes may ask the same study at once. Nothing is agreed between them: a trial's number is given by the
storage, once, and each worker judges its own trial by those with lower numbers.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from slu.studies.search_space import SearchSpace

OWNER, BEAT, SETTLED, ASIDE, ERROR = "process", "beat", "settled", "set_aside", "error"
_BEAT_S, _SILENT_S = 60.0, 600.0
"""A worker says that it lives once a minute; one of another machine that is silent for ten is gone."""
_SETTLES_S = 10.0
"""Longer than any worker takes from asking to having drawn."""


class SeededByTrial(BaseSampler):
    """A sampler that draws by the trial's number: a study that goes on, or is worked on by many, repeats no draws."""

    def __init__(self, make: Callable[[int | None], BaseSampler], seed: int | None) -> None:
        self.make, self.seed, self.inner = make, seed, make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if self.seed is not None:
            self.inner = self.make(self.seed + trial.number)
        self.inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self.inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self.inner.after_trial(study, trial, state, values)


class TrialQueue:
    def __init__(self, study: Study, total: int, space: SearchSpace) -> None:
        self.study, self.total, self.space = study, total, space

    def take(self) -> Trial | None:
        """The next to be tried; None when the study has its total, or nothing of the space is left."""
        while True:
            self.put_back()
            tried = counted(self.study)
            if len(tried) >= self.total or len({_key(t) for t in tried if t.params}) >= self.space.size():
                return None
            trial = self.study.ask()
            trial.set_user_attr(OWNER, this_process())
            trial.set_user_attr(BEAT, time.time())
            self.space.draw(trial)
            trial.set_user_attr(SETTLED, True)
            before = self._before(trial)
            if len(before) >= self.total:
                self._set_aside(trial.number, trial._trial_id, "one too many: another worker was faster")
            elif any(_key(other) == _key(trial) for other in before):
                self._set_aside(trial.number, trial._trial_id, "the same settings as another's")
                self._enqueue_untried()
            else:
                return trial

    def tell(self, trial: Trial, values: Sequence[float] | None, *, pruned: bool = False, error: str = "") -> None:
        """Raises nothing for a trial that another worker took for lost: what it found is not needed any more."""
        if values is None:
            trial.set_user_attr(ERROR, error[:500])
            self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        elif pruned:
            self.study.tell(trial.number, state=TrialState.PRUNED, skip_if_finished=True)
        else:
            self.study.tell(trial.number, list(values), skip_if_finished=True)

    def put_back(self) -> int:
        """Trials whose process is gone come again with the same settings; how many there were."""
        lost = [t for t in self.study.get_trials(deepcopy=False) if t.state is TrialState.RUNNING and _is_gone(t)]
        for trial in lost:
            # In this order a kill in between puts it back twice, of which one is set aside, rather than never.
            optuna.Trial(self.study, trial._trial_id).set_user_attr(ASIDE, "cut short, and tried again")
            self.study.enqueue_trial(trial.params)
            self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        return len(lost)

    @contextmanager
    def alive(self, trials: Sequence[Trial]) -> Iterator[None]:
        """Says to workers of other machines that these are being worked on."""
        done = threading.Event()

        def beat() -> None:
            while not done.wait(_BEAT_S):
                for trial in trials:
                    trial.set_user_attr(BEAT, time.time())

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _before(self, trial: Trial) -> list[FrozenTrial]:
        """Those that count and have lower numbers, once all of them have drawn their settings."""
        until = time.monotonic() + _SETTLES_S
        while True:
            before = [t for t in counted(self.study) if t.number < trial.number]
            drawing = [t for t in before if t.state is TrialState.RUNNING and not t.user_attrs.get(SETTLED)]
            if not drawing or time.monotonic() > until:
                return before
            time.sleep(0.05)

    def _set_aside(self, number: int, trial_id: int, why: str) -> None:
        optuna.Trial(self.study, trial_id).set_user_attr(ASIDE, why)
        self.study.tell(number, state=TrialState.FAIL)

    def _enqueue_untried(self) -> None:
        """The sampler insists on what it has tried; a draw at random goes on."""
        known = {_key(t) for t in counted(self.study)}
        scratch = optuna.create_study(sampler=RandomSampler(seed=len(self.study.get_trials(deepcopy=False))))
        for _ in range(1000):
            trial = scratch.ask()
            self.space.draw(trial)
            if _key(trial) not in known:
                self.study.enqueue_trial(trial.params)
                return


def counted(study: Study) -> list[FrozenTrial]:
    """Without those that the total does not know: set aside, or wished for and not begun."""
    trials = study.get_trials(deepcopy=False)
    return [t for t in trials if ASIDE not in t.user_attrs and t.state is not TrialState.WAITING]


def this_process() -> str:
    return _process(os.getpid())


def _key(trial: Trial | FrozenTrial) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(trial.params.items()))


def _is_gone(trial: FrozenTrial) -> bool:
    owner = str(trial.user_attrs.get(OWNER, ""))
    host, _, rest = owner.partition(":")
    if host == socket.gethostname():
        return _process(int(rest.partition(":")[0])) != owner
    # Of another machine, or killed before it could say whose it is.
    begun = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    return time.time() - float(trial.user_attrs.get(BEAT, begun)) > (_SILENT_S if owner else _SETTLES_S)


def _process(pid: int) -> str:
    """`host:pid:start`, so that a number that is given again is told from the one before."""
    try:
        start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        start = "gone"
    return f"{socket.gethostname()}:{pid}:{start}"

"""The best of a study by validation, and what it is worth against the settings that the search started from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from optuna.study import Study
from optuna.trial import TrialState
from scipy import stats

from slu.studies.trials import ASIDE, OWNER, counted, this_process


@dataclass(frozen=True)
class Winner:
    number: int
    settings: Mapping[str, Any]
    values: tuple[float, ...]
    tried: int
    """Trials that were compared: the more, the more of the winner's figure is luck."""

    @property
    def sentence(self) -> str:
        value = " and ".join(f"{value:.4f}" for value in self.values)
        return (
            f"best of {self.tried} trials by validation: trial {self.number} with {value}, which is optimistic, as the "
            f"best of {self.tried} is; settings: " + " ".join(f"{key}={value}" for key, value in self.settings.items())
        )


def chosen(study: Study) -> Winner | None:
    """The best; of several objectives, the one of the Pareto front that is best by the first. None without trials."""
    trials = [t for t in counted(study) if t.state is TrialState.COMPLETE]
    if not trials:
        return None
    signs = [1.0 if direction.name == "MAXIMIZE" else -1.0 for direction in study.directions]
    best = max(trials, key=lambda t: (tuple(s * v for s, v in zip(signs, t.values, strict=True)), -t.number))
    tried = sum(t.state in (TrialState.COMPLETE, TrialState.PRUNED) for t in counted(study))
    return Winner(best.number, best.params, tuple(best.values), tried)


def finishes(study: Study, *, worked: bool) -> bool:
    """Whether this process is the one to train the winner: nobody tries any more, and the last trial was its own.

    `worked` is False of a process that found all trials done: whoever calls again for a finished study means it.
    """
    trials = counted(study)
    if any(t.state is TrialState.RUNNING for t in trials):
        return False
    if not worked:
        return True
    ended = [t for t in trials if t.state.is_finished() and ASIDE not in t.user_attrs]
    last = max(ended, key=lambda t: (t.datetime_complete is not None and t.datetime_complete.timestamp(), t.number))
    return last.user_attrs.get(OWNER) == this_process()


Measures = Mapping[str, float]


@dataclass
class Comparison:
    """Trainings of the winner's settings and of those it started from, on the same seeds."""

    DEFAULT, WINNER = "as it started", "winner"

    winner: Winner
    seeds: Sequence[int]
    measured: dict[tuple[str, int], Measures] = field(default_factory=dict)

    def trainings(self) -> Iterator[tuple[str, int]]:
        """The winner with the first seed comes last."""
        for seed in reversed(self.seeds):
            yield self.DEFAULT, seed
            yield self.WINNER, seed

    def add(self, name: str, seed: int, metrics: Mapping[str, Any]) -> None:
        found = {"validation objective": float(metrics["objective"])}
        for condition, test in metrics["test"].items():
            if test.get("joint_accuracy") is not None:
                found[f"test, {condition}"] = float(test["joint_accuracy"])
        noisy = [value for key, value in found.items() if key.endswith(" dB")]
        if noisy:
            found["test, mean in noise"] = mean(noisy)
        self.measured[name, seed] = found

    def rows(self) -> list[tuple[str, float, float, float, tuple[float, float] | None]]:
        """Per measure the means of both over the seeds, their difference and its 95 % interval by Student's t over the
        pairs of the same seed; None for one seed."""
        rows = []
        for measure in self.measured[self.WINNER, self.seeds[0]]:
            ours = [self.measured[self.WINNER, seed][measure] for seed in self.seeds]
            theirs = [self.measured[self.DEFAULT, seed][measure] for seed in self.seeds]
            rows.append((measure, mean(theirs), mean(ours), mean(ours) - mean(theirs), paired_interval(ours, theirs)))
        return rows

    def answer(self) -> str:
        rows = self.rows()
        better = [m for m, _, _, _, interval in rows if interval is not None and interval[0] > 0]
        worse = [m for m, _, _, _, interval in rows if interval is not None and interval[1] < 0]
        seeds = f"{len(self.seeds)} seeds"
        said = f"winner against the settings it started from, on the same {seeds}, 95 % intervals: "
        said += f"better on {', '.join(better) or 'nothing'}; worse on {', '.join(worse) or 'nothing'}"
        return "\n".join([said, *(self.line(row) for row in rows)])

    @staticmethod
    def line(row: tuple[str, float, float, float, tuple[float, float] | None]) -> str:
        measure, theirs, ours, difference, interval = row
        between = (
            " (no interval: the same for every seed)"
            if interval is None
            else f" ({interval[0]:+.4f} to {interval[1]:+.4f})"
        )
        return f"  {measure:<22} {theirs:.4f} -> {ours:.4f}, {difference:+.4f}{between}"


_ROUNDING = 1e-9


def paired_interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float] | None:
    """None for one pair, and where all pairs differ alike: their spread, of which it is made, says nothing then."""
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    if len(differences) < 2:
        return None
    middle, error = mean(differences), float(stats.sem(differences))
    if error < _ROUNDING:  # a clip more or less in every pair is no certainty
        return None if abs(middle) > _ROUNDING else (0.0, 0.0)
    reach = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return middle - reach, middle + reach

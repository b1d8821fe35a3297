"""What is searched: parameters with distributions, some of them only where another has a certain value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, prod
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from slu.common.errors import UserError


@dataclass(frozen=True)
class SearchSpace:
    always: Mapping[str, BaseDistribution]
    only_where: Mapping[tuple[str, str], Mapping[str, BaseDistribution]] = field(default_factory=dict)
    """By (parameter, value): what is searched where it has that value, such as M1's layers where model=m1."""

    def __post_init__(self) -> None:
        for key, value in self.only_where:
            known = self.always.get(key)
            if not isinstance(known, CategoricalDistribution) or value not in map(str, known.choices):
                raise UserError(
                    f"conditional.{key}={value}: {key} is not searched, or never has that value; search it as "
                    f"hydra.sweeper.params.{key}=choice({value},…)"
                )

    def every(self) -> dict[str, BaseDistribution]:
        found = dict(self.always)
        for more in self.only_where.values():
            found.update(more)
        return found

    def draw(self, trial: Trial) -> dict[str, Any]:
        """Draws the trial's parameters, or takes those that it was enqueued with."""
        for name, distribution in self.always.items():
            trial._suggest(name, distribution)
        for (key, value), more in self.only_where.items():
            if str(trial.params[key]) == value:
                for name, distribution in more.items():
                    trial._suggest(name, distribution)
        return trial.params

    def size(self) -> float:
        """How many combinations there are; infinite where a parameter is continuous."""
        total = 0.0
        selectors = {key for key, _ in self.only_where}
        for chosen in _combinations({key: self.always[key] for key in selectors}):
            parts = [d for key, d in self.always.items() if key not in selectors]
            for (key, value), more in self.only_where.items():
                parts += list(more.values()) if str(chosen[key]) == value else []
            total += prod(_count(part) for part in parts)
        return total


def _combinations(selectors: Mapping[str, BaseDistribution]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{}]
    for key, distribution in selectors.items():
        assert isinstance(distribution, CategoricalDistribution)
        found = [{**one, key: choice} for one in found for choice in distribution.choices]
    return found


def _count(distribution: BaseDistribution) -> float:
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step + 1
    if isinstance(distribution, FloatDistribution) and distribution.step:
        return round((distribution.high - distribution.low) / distribution.step) + 1
    return inf

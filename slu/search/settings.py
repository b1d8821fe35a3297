"""From the settings of a search to what it asks for: space, directions, sampler."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import optuna
from hydra import compose, initialize
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.utils import instantiate
from hydra_plugins.hydra_optuna_sweeper import _impl
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import BaseDistribution, _convert_old_distribution_to_new_distribution

from slu.common.errors import UserError
from slu.common.hydra_errors import hydra_sentence
from slu.common.launchers import require_launcher
from slu.studies.search_space import SearchSpace
from slu.studies.study_storage import reason
from slu.studies.trials import SeededByTrial
from slu.training.ranks import require_ranks

_CONF = "../../conf"
SEVERAL_PROCESSES = (
    "a sweep, a search, a cross-validation or a study makes several trainings, each in one process; set "
    "trainer.devices=1 (trainer=cpu), or train one model with trainer=ddp"
)


def space_of(config: DictConfig, arguments: Sequence[str]) -> tuple[SearchSpace, list[str]]:
    """What is searched, and the settings that are the same for all trials; those given on the command line win."""
    params = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    always: dict[str, BaseDistribution] = {}
    fixed: dict[str, str] = {}
    for text in [*params, *arguments]:
        override = OverridesParser.create().parse_override(text)
        key = override.get_key_element()
        always.pop(key, None)
        fixed.pop(key, None)
        if override.is_sweep_override():
            always[key] = distribution(text)
        else:
            fixed[key] = text
    only_where = {
        cast(tuple[str, str], tuple(condition.split("=", 1))): {
            key: distribution(f"{key}={value}") for key, value in more.items() if key not in fixed
        }
        for condition, more in config.conditional.items()
    }
    return SearchSpace(always, only_where), list(fixed.values())


def distribution(text: str) -> BaseDistribution:
    found = _impl.create_optuna_distribution_from_override(OverridesParser.create().parse_override(text))
    if not isinstance(found, BaseDistribution):
        raise UserError(f"{text}: say what is to be tried, as choice(a,b), range(1,4) or interval(0.1,0.5)")
    new: BaseDistribution = _convert_old_distribution_to_new_distribution(found, suppress_warning=True)
    return new


def directions_of(config: DictConfig) -> list[str]:
    given = config.hydra.sweeper.direction
    directions = [str(d) for d in given] if OmegaConf.is_list(given) else [str(given)]
    if len(directions) != max(1, len(config.objectives)):
        raise UserError(
            f"hydra.sweeper.direction: {len(directions)} directions for {max(1, len(config.objectives))} objectives; "
            "`objectives` lists the validation metrics, one direction each"
        )
    if len(directions) > 1 and not str(config.pruner._target_).endswith("NopPruner"):
        raise UserError("pruner: trials of several objectives cannot be ended early; take pruner=none")
    return directions


def sampler_of(config: DictConfig) -> SeededByTrial:
    settings = config.hydra.sweeper.sampler
    fixed: dict[str, Any] = {}
    if str(settings._target_).endswith(".TPESampler"):
        # What others are trying counts as bad for now, so that no two try much the same; the sweeper's settings are
        # older than this one.
        fixed["constant_liar"] = True
    seeded = "seed" in settings and settings.seed is not None

    def make(seed: int | None) -> optuna.samplers.BaseSampler:
        try:
            return cast(
                optuna.samplers.BaseSampler, instantiate(settings, **({"seed": seed} if seeded else {}), **fixed)
            )
        except Exception as error:  # of what the sampler's own package raises, or that it is not installed
            raise UserError(f"hydra/sweeper/sampler: {reason(error)}") from None

    return SeededByTrial(make, int(settings.seed) if seeded else None)


def require_settings(space: SearchSpace, fixed: Sequence[str], config_name: str) -> None:
    """Raises UserError where what is drawn would not compose, before anything is tried."""
    scratch = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for key, value in space.only_where:
        scratch.enqueue_trial({key: value})
    for _ in range(1 + len(space.only_where)):
        drawn = space.draw(scratch.ask())
        composed([*fixed, *(f"{name}={value}" for name, value in drawn.items())], config_name)


def composed(given: Sequence[str], config_name: str) -> DictConfig:
    """Raises UserError for settings that do not compose."""
    if any(a.partition("=")[0] == "hydra/sweeper/sampler" and a.endswith("=grid") for a in given):
        raise UserError("hydra/sweeper/sampler=grid: a grid is no search; run `-m key=a,b other=c,d` without search=")
    plain = [a for a in given if not is_sweep(a)]
    try:
        with initialize(version_base="1.3", config_path=_CONF):
            config = compose(config_name, plain, return_hydra_config=True)
    except HydraException as error:
        kind, _, name = (getattr(error, "missing_cfg_file", None) or "").rpartition("/")
        if kind == "hydra/launcher":
            require_launcher(name)
        raise UserError(hydra_sentence(error) or str(error)) from None
    return config


def is_sweep(argument: str) -> bool:
    try:
        return OverridesParser.create().parse_override(argument).is_sweep_override()
    except HydraException as error:
        raise UserError(hydra_sentence(error) or str(error)) from None


def plain_config(settings: Sequence[str]) -> Mapping[str, Any]:
    with initialize(version_base="1.3", config_path=_CONF):
        config = compose("train", list(settings))
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))


def refuse_several_processes(arguments: Sequence[str], config_name: str = "train") -> None:
    """Raises UserError for a sweep or a search in which a training would be of more than one process, or of devices
    that are not there. What does not compose is left for the sweep to refuse."""
    given = [a for a in arguments if not a.startswith("-")]
    if not {"-m", "--multirun"} & set(arguments) and not any(a.startswith("search=") for a in given):
        return
    try:
        overrides = OverridesParser.create().parse_overrides(given)
        fixed = [str(o.input_line) for o in overrides if not o.is_sweep_override()]
        swept = [o for o in overrides if o.is_discrete_sweep() and str(o.key_or_group).startswith("trainer")]
        values = [f"{o.get_key_element()}={value}" for o in swept for value in o.sweep_string_iterator()]
        with initialize(version_base="1.3", config_path=_CONF):
            trainers = [compose(config_name, [*fixed, *value]).trainer for value in ([], *([v] for v in values))]
    except HydraException:
        return
    if any(require_ranks(cast(dict[str, Any], OmegaConf.to_container(t))).count > 1 for t in trainers):
        raise UserError(SEVERAL_PROCESSES)

"""A search over settings (`slu.train search=NAME`): a sweep that goes on where it was cut short, and its winner."""

import warnings
from collections.abc import Callable, Sequence

import optuna
from hydra import compose, initialize
from hydra.errors import HydraException
from hydra_plugins.hydra_optuna_sweeper._impl import create_params_from_overrides
from omegaconf import OmegaConf

from slu.common.errors import UserError
from slu.studies.search import best_settings, take_up

SINGLE = "hydra.mode=RUN"
"""With the settings of a search, and no search."""


def search(
    arguments: Sequence[str],
    run: Callable[[Sequence[str]], None],
    train: Callable[[Sequence[str]], None],
    config_name: str = "train",
) -> None:
    """A sweep as the arguments say, on from what its study has; then the training of the winner, which is tested once.

    `run` starts the sweep with arguments, `train` a training in a process of its own. Raises UserError as `take_up`
    does, and for settings that do not compose.
    """
    # The sweeper is older than Optuna, and speaks to it in terms that are going out of use.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(optuna|hydra_plugins)\.")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    given = [a for a in arguments if a not in ("-m", "--multirun")]
    try:
        with initialize(version_base="1.3", config_path="../conf"):
            config = compose(config_name, given, return_hydra_config=True)
    except HydraException as error:
        raise UserError(" ".join(str(error).split())) from None
    sweeper = config.hydra.sweeper
    if "study_name" not in sweeper:
        raise UserError("search= names a file of conf/search, which says how Optuna is to search")
    if OmegaConf.is_list(sweeper.direction):
        raise UserError("hydra.sweeper.direction: a training has one objective, and so one direction")
    url, name, total = str(sweeper.storage), str(sweeper.study_name), int(sweeper.n_trials)
    space, _ = create_params_from_overrides([f"{key}={value}" for key, value in (sweeper.params or {}).items()])
    state = take_up(url, name, [str(sweeper.direction)], space)
    left = total - state.done
    print(
        f"study {name} in {url}: {state.done} of {total} trials are there, {state.failed} of them failed; "
        f"{state.again} that were cut short are tried again first",
        flush=True,
    )
    if left > 0:
        storage = f"{{_target_: slu.studies.search.open_storage, url: '{url}'}}"
        more = [f"hydra.sweeper.n_trials={left}", f"hydra.sweeper.storage={storage}"]
        if "seed" in sweeper.sampler:
            more.append(f"hydra.sweeper.sampler.seed={int(sweeper.sampler.seed) + state.seen}")
        run(["-m", *given, *more])
    best = best_settings(url, name)
    if best is None:
        raise UserError(f"study {name}: no trial has ended well; see what it printed above")
    settings, objective = best
    print(f"best of {total} trials by validation, {objective:.4f} (and so an optimistic figure): {dict(settings)}")
    found = [f"{key}={value}" for key, value in settings.items()]
    train([*given, *found, "trial=false", SINGLE])

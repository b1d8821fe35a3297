"""From the arguments of `slu.train search=NAME` to the winner."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
from hydra_plugins.hydra_optuna_sweeper import _impl
from omegaconf import DictConfig
from optuna.trial import TrialState

from slu.benchmarks.trainings import Trainer, Training, start_training
from slu.common.errors import UserError
from slu.search.jobs import keep_submitit
from slu.search.settings import composed, directions_of, is_sweep, plain_config, require_settings, space_of
from slu.search.sweeper import StudySweeper
from slu.studies.search_report import StudyPlace, write_search_report
from slu.studies.study_storage import open_study, require_space
from slu.studies.trials import counted
from slu.studies.winner import Comparison, chosen, finishes

SINGLE = "hydra.mode=RUN"
"""With the settings of a search, and no search."""


def search(arguments: Sequence[str], run: Callable[[Sequence[str]], None], config_name: str = "train") -> None:
    """A sweep as the arguments say, on from what its study has; then the training of the winner, which is tested.

    `run` starts the sweep with arguments. Raises UserError for settings that do not compose, a launcher that is not
    installed, a storage that cannot be used and a study of another search.
    """
    # The sweeper is older than Optuna, and speaks to it in terms that are going out of use.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(optuna|hydra_plugins|slu)\.")
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    given = [a for a in arguments if a not in ("-m", "--multirun")]
    config = composed(given, config_name)
    sweeper = config.hydra.sweeper
    if "study_name" not in sweeper:
        raise UserError("search= names a file of conf/search, which says how Optuna is to search")
    place = StudyPlace(str(sweeper.storage), str(sweeper.study_name), Path(config.outputs) / "studies" / "search")
    directions = directions_of(config)
    space, fixed = space_of(config, given)
    require_settings(space, fixed, config_name)
    study = open_study(place.url, place.name, directions)
    require_space(study, space.every(), list(space.always))
    known, total = counted(study), int(sweeper.n_trials)
    done = [t for t in known if t.state.is_finished()]
    failed = sum(t.state is TrialState.FAIL for t in done)
    print(f"study {place.name} in {place.url}: {len(done)} of {total} trials are there, {failed} failed", flush=True)
    if len(done) < total:
        _impl.OptunaSweeperImpl = StudySweeper  # type: ignore[misc]
        keep_submitit(str(config.hydra.runtime.choices["hydra/launcher"]))
        run(["-m", *given])
    if not finishes(study, worked=len(done) < total):
        print("other workers are at trials still: the last of them trains the winner", flush=True)
        return
    _finish(config, given, place)


def _finish(config: DictConfig, given: Sequence[str], place: StudyPlace) -> None:
    winner = chosen(place.load())
    if winner is None:
        raise UserError(f"study {place.name}: no trial has ended well; see what it printed above")
    print(f"{winner.sentence}\nreport: {write_search_report(place)}", flush=True)
    plain = [a for a in given if not is_sweep(a)]
    found = [f"{key}={value}" for key, value in winner.settings.items()]
    seeds = [int(seed) for seed in config.compare_seeds]
    if not seeds:
        start_training([*plain, *found, "trial=null", SINGLE])
        return
    trainer = Trainer(Path(config.outputs), place.folder / "trainings", plain_config, start_training)
    comparison = Comparison(winner, seeds)
    for name, seed in comparison.trainings():
        settings = [*plain, *(found if name == Comparison.WINNER else ()), f"seed={seed}", "trial=null", SINGLE]
        comparison.add(name, seed, trainer.trained(Training(f"{name}, seed {seed}", tuple(settings))).metrics)
    print(f"\n{comparison.answer()}\nreport: {write_search_report(place, comparison)}", flush=True)

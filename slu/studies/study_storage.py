"""Where Optuna's studies are kept: opened, checked, and refused in a sentence where they cannot be used."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study

from slu.common.errors import UserError

_KEY = "hydra.sweeper.storage"
_ATTEMPTS = 4
"""Workers that start together all make the tables; all but one are told that they exist."""


def open_storage(url: str) -> BaseStorage | str:
    """What Optuna takes: an object for a journal file (`journal:///path`), the URL for a database."""
    if not url.startswith("journal:///"):
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        kind, found, rest = url.partition("://")
        return f"postgresql+psycopg{found}{rest}" if kind in ("postgresql", "postgres") else url
    path = Path(url.removeprefix("journal:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(str(path)))


def open_study(
    url: str,
    name: str,
    directions: Sequence[str],
    sampler: BaseSampler | None = None,
    pruner: BasePruner | None = None,
) -> Study:
    """Made where it is not there yet.

    Raises UserError for a storage that cannot be opened, and for a study of other directions.
    """
    for attempt in range(_ATTEMPTS):
        try:
            study = optuna.create_study(
                study_name=name,
                storage=open_storage(url),
                directions=list(directions),
                sampler=sampler,
                pruner=pruner or optuna.pruners.NopPruner(),
                load_if_exists=True,
            )
            study.get_trials(deepcopy=False)  # a damaged file is read here
            break
        except Exception as error:  # of the storages' own kinds, each with another
            if attempt == _ATTEMPTS - 1:
                raise UserError(f"{_KEY}={url}: the study {name} cannot be opened: {reason(error)}") from None
            time.sleep(0.3 * (attempt + 1))
    if [direction.name.lower() for direction in study.directions] != list(directions):
        raise UserError(f"{_KEY}={url}: the study {name} has other objectives; name another study")
    return study


def load_study(url: str, name: str, pruner: BasePruner | None = None) -> Study:
    """One that is there. Raises UserError where it is not, or cannot be read."""
    path = Path(url.partition(":///")[2])
    if url.startswith(("sqlite:///", "journal:///")) and not path.is_file():
        raise UserError(f"there is no study in {path}; begin one with `python -m slu.train search=NAME`")
    try:
        # A sampler that draws nothing: whoever loads a study does not ask it for settings.
        study = optuna.load_study(
            study_name=name,
            storage=open_storage(url),
            sampler=optuna.samplers.RandomSampler(),
            pruner=pruner or optuna.pruners.NopPruner(),
        )
        study.get_trials(deepcopy=False)
    except KeyError:
        raise UserError(f"there is no study {name} in {url}") from None
    except Exception as error:
        raise UserError(f"{_KEY}={url}: the study {name} cannot be read: {reason(error)}") from None
    return study


def require_space(study: Study, space: Mapping[str, BaseDistribution], always: Sequence[str]) -> None:
    """Raises UserError where trials of the study were drawn from another space than `space`.

    `always`: those of its parameters that every trial has.
    """
    for trial in study.get_trials(deepcopy=False):
        known = trial.distributions
        if not known:  # its process was killed before anything was drawn
            continue
        differing = [key for key, drawn in known.items() if key not in space or facts(space[key]) != facts(drawn)]
        differing += [key for key in always if key not in known]
        if differing:
            raise UserError(
                f"hydra.sweeper.params: {differing[0]} was searched otherwise in the study {study.study_name} "
                "(another range, or not at all); name another study (hydra.sweeper.study_name), or take the settings "
                "that it was begun with"
            )


def facts(distribution: BaseDistribution) -> tuple[object, ...]:
    """What two distributions have to share to be the same, whichever class of Optuna's describes them."""
    if isinstance(distribution, CategoricalDistribution):
        return tuple(distribution.choices)
    names = ("low", "high", "step", "log")
    return tuple(getattr(distribution, name, None) for name in names)


def reason(error: BaseException) -> str:
    """In a line; of a missing driver also the cure."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return f"{said}; pip install 'psycopg[binary]'" if "psycopg" in said and isinstance(error, ImportError) else said

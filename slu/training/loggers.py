"""The loggers of a run, built before anything is computed: what cannot be tracked is said while nothing is lost."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, WandbLogger

from slu.common.errors import UserError
from slu.training.mlflow_tracker import MlflowTracker
from slu.training.recording import flatten

_INSTALL = "`.venv/bin/uv pip install --python .venv/bin/python {}`"


def start_loggers(
    builders: Mapping[str, Callable[..., Logger]], settings: Mapping[str, Any], run: Path
) -> list[Logger]:
    """Each is built for the folder `run`, and told the settings where it shows them from the start.

    Raises UserError for one whose package is not installed, whose server does not answer, or with wrong settings.
    """
    loggers = [_build(name, builder, run) for name, builder in builders.items()]
    for logger in loggers:
        if isinstance(logger, MlflowTracker):
            logger.log_settings(flatten(settings))
    return loggers


def _build(name: str, builder: Callable[..., Logger], run: Path) -> Logger:
    try:
        logger = builder(save_dir=str(run))
        if isinstance(logger, WandbLogger):
            _ = logger.experiment  # it logs in here
    except Exception as error:  # Hydra's around what the logger raised, which may be of any package
        cause = error.__cause__ or error
        if isinstance(cause, UserError):
            raise cause from None
        if isinstance(cause, ModuleNotFoundError):
            raise UserError(f"logger={name} needs {name}: install it with {_INSTALL.format(name)}") from None
        raise UserError(f"logger.{name}: {' '.join(str(cause).split())[:300]}") from None
    return logger

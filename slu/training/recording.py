"""What a finished run leaves where it is tracked: settings with the best metrics, confusion matrices, some audio."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from slu.audio.decode import AudioLimits, decode
from slu.training.mlflow_tracker import MlflowTracker

_LISTEN = AudioLimits(truncate=True)
"""Half a minute of a recording is enough to hear who speaks."""


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as `model.dropout: 0.1`; lists become text, because hparams are scalars."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}."))
        else:
            flat[name] = value if isinstance(value, (int, float, str, bool)) else str(value)
    return flat


def record(
    loggers: Sequence[Logger],
    settings: Mapping[str, Any],
    best: Mapping[str, float],
    figures: Mapping[str, Figure],
    clips: Mapping[str, Path],
    sample_rate: int,
) -> None:
    """Log once, after the fit: hparams appear with the best metrics in TensorBoard's table only so."""
    best = {name.replace("val/", "best/", 1): value for name, value in best.items()}
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            _record_hparams(Path(logger.log_dir, "hparams"), flatten(settings), best)
            for name, figure in figures.items():
                logger.experiment.add_figure(name, figure)
            for name, path in clips.items():
                audio = decode(path, sample_rate, _LISTEN)[None, :]
                logger.experiment.add_audio(name, audio, sample_rate=sample_rate)
            logger.finalize("success")
        elif isinstance(logger, MlflowTracker):
            logger.log_metrics(best)
            logger.log_figures(figures)
        elif isinstance(logger, WandbLogger):
            logger.log_hyperparams(flatten(settings))
            logger.experiment.summary.update(best)
            for name, figure in figures.items():
                logger.log_image(name, [figure])
            logger.experiment.finish()  # the next run of a grid begins its own


def publish(loggers: Sequence[Logger], bundle: Path, task: str) -> list[tuple[str, str]]:
    """Of a bundle that is registered: where else it is now, as facts to show."""
    return [("mlflow", logger.publish(bundle, task)) for logger in loggers if isinstance(logger, MlflowTracker)]


def _record_hparams(folder: Path, settings: Mapping[str, Any], best: Mapping[str, float]) -> None:
    """In a folder of its own, and without the list of columns that torch and Lightning write beside them.

    TensorBoard takes the first such list that it finds for all runs, and a grid over models would show the settings of
    one of them; without, it makes the columns of what the runs have, here the settings and the best metrics.
    """
    with SummaryWriter(str(folder)) as writer:
        for name, value in best.items():
            writer.add_scalar(name, value)
        _, start, end = hparams(dict(settings), dict(best))  # type: ignore[no-untyped-call]
        for summary in (start, end):
            writer.file_writer.add_summary(summary)

"""What a finished run leaves in TensorBoard: settings with the best metrics, confusion matrices, some audio."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from matplotlib.figure import Figure

from slu.audio.decode import AudioLimits, decode

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
    """Log once, after the fit: hparams with the best metrics appear in TensorBoard's table only so."""
    for logger in loggers:
        if not isinstance(logger, TensorBoardLogger):
            continue
        logger.log_hyperparams(flatten(settings), {name.replace("val/", "best/", 1): v for name, v in best.items()})
        for name, figure in figures.items():
            logger.experiment.add_figure(name, figure)
        for name, path in clips.items():
            logger.experiment.add_audio(name, decode(path, sample_rate, _LISTEN)[None, :], sample_rate=sample_rate)
        logger.finalize("success")

"""What a person sees while a fit runs: a bar on a terminal, one line per epoch in a log."""

import logging
import sys
import time
import warnings

import lightning as L
from lightning.pytorch.callbacks import Callback, RichProgressBar

from slu.training.classifier import OBJECTIVE


def quiet_lightning() -> None:
    """Keep warnings that a user cannot act on, and advertisements, out of the output."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for text in (
        ".*LeafSpec.*",
        ".*does not have many workers.*",
        ".*Total length of.*",
        ".*logging interval.*",
        ".*sync_dist=True.*",  # of metrics that are the same in every process already
    ):
        warnings.filterwarnings("ignore", text)


class EpochLines(Callback):
    """One line per epoch, for logs and pipes."""

    def __init__(self) -> None:
        self.start = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.start = time.monotonic()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        values = trainer.callback_metrics
        line = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: loss {float(values['train/loss']):.3f}"
        if OBJECTIVE in values:
            line += f", validation objective {float(values[OBJECTIVE]):.4f}"
        print(f"{line} ({time.monotonic() - self.start:.0f} s)", flush=True)


def progress_callback() -> Callback:
    return RichProgressBar() if sys.stdout.isatty() else EpochLines()

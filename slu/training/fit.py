"""One fit: a table of features and typed settings in, the best recogniser out."""

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, LearningRateMonitor
from lightning.pytorch.loggers import Logger
from torch.optim.lr_scheduler import ReduceLROnPlateau

from slu.common.errors import UserError
from slu.features import FrontEnd, build_front_end
from slu.features.augment import AugmentSettings
from slu.models import Recogniser
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.spec import TaskSpec
from slu.training.alignment import AlignRecordings, frame_targets, learn_priors
from slu.training.checkpoints import BestCheckpoint, last_checkpoint
from slu.training.classifier import OBJECTIVE, LossSettings, UtteranceClassifier
from slu.training.datamodule import LoaderSettings, UtteranceDataModule
from slu.training.ranks import STRATEGIES, Followed, Ranks, require_ranks, run_ranks
from slu.training.reporting import progress_callback, quiet_lightning
from slu.training.settings import require_epochs


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    model: Mapping[str, Any]
    loss: LossSettings
    loader: LoaderSettings
    augment: AugmentSettings
    optimizer: Callable[..., Any]
    scheduler: Callable[..., Any]
    trainer: Mapping[str, Any]
    """Keyword arguments of lightning.Trainer."""
    patience: int
    """Epochs without a better objective before stopping; 0 never stops early."""
    seed: int
    progress: bool = True
    loggers: Sequence[Logger] = field(default_factory=tuple)
    callbacks: Sequence[Callback] = field(default_factory=tuple)


@dataclass(frozen=True)
class Fitted:
    recogniser: Recogniser
    objective: float | None
    """Best validation objective; None when there was nothing to validate on and the last weights were kept."""
    validation: Mapping[str, float]
    """Validation metrics at the best epoch."""
    checkpoint: Path
    epochs: int
    cpu_s: float
    """CPU seconds in the fit, validation included, of all processes of this node."""
    fit_s: float
    """The same on the clock, in the first of them, without their start."""
    parameters: int


def fit(
    table: pd.DataFrame, spec: TaskSpec, settings: FitSettings, folder: Path, resume_from: Path | None = None
) -> Fitted:
    """Train on the table's train rows, keep the best epoch by the val rows (the last where there are none).

    `folder` gets the checkpoints. Raises UserError for settings that do not fit together, and Followed on other nodes
    than the first.
    """
    ranks = require_ranks(settings.trainer)
    _refuse_unusable(settings, spec, table, ranks)
    arguments = (table, spec, settings, folder, resume_from, ranks)
    if ranks.count == 1:
        fitted, cpu_s = _fit(*arguments)
    else:
        (fitted, first_s), *others = run_ranks(ranks, _fit, *arguments)
        cpu_s = first_s + sum(seconds for _, seconds in others)
    if fitted is None:
        raise Followed
    return replace(fitted, cpu_s=cpu_s)


def _fit(
    table: pd.DataFrame, spec: TaskSpec, settings: FitSettings, folder: Path, resume_from: Path | None, ranks: Ranks
) -> tuple[Fitted | None, float]:
    """In this process: what came of it, which is None in all but the first, and the CPU seconds that it took."""
    quiet_lightning()
    monitored = bool((table["split"] == "val").any())
    front_end = build_front_end(spec.front_end)
    data = UtteranceDataModule(
        table,
        spec,
        loader=settings.loader,
        augment=settings.augment,
        front_end=front_end,
        seed=settings.seed,
        frames=frame_targets(table, spec),
    )
    L.seed_everything(settings.seed, verbose=False)
    train = data.tables["train"]
    labels = {head.name: train[head.name].value_counts() for head in spec.heads}
    try:
        classifier = UtteranceClassifier(
            settings.model,
            spec,
            front_end.size,
            settings.loss,
            settings.optimizer,
            settings.scheduler,
            seed=settings.seed,
            class_counts={h.name: [int(labels[h.name].get(c, 0)) for c in h.classes] for h in spec.heads},
        )
    except ValueError as error:
        raise UserError(f"model: {error}") from None
    if isinstance(classifier.network, HybridRecogniser):
        learn_priors(classifier.network, data.datasets["train"])
    best, last = BestCheckpoint(folder / "checkpoints"), last_checkpoint(folder / "checkpoints")
    at_best = _MetricsAtBest()
    callbacks: list[Callback] = [best, at_best, last] if monitored else [last]
    if isinstance(classifier.network, HybridRecogniser):
        callbacks.append(AlignRecordings())
    if settings.loggers:
        callbacks.append(LearningRateMonitor("step"))
    if monitored and settings.patience:
        callbacks.append(EarlyStopping(OBJECTIVE, mode="max", patience=settings.patience))
    if settings.progress:
        callbacks.append(progress_callback())
    callbacks += settings.callbacks
    try:
        trainer = L.Trainer(
            **_trainer_arguments(settings.trainer, ranks),
            callbacks=callbacks,
            logger=list(settings.loggers) or False,
            enable_progress_bar=settings.progress and sys.stdout.isatty(),
            enable_model_summary=False,
            default_root_dir=folder,
            num_sanity_val_steps=0,
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"trainer: {' '.join(str(error).split())}") from None
    start, begun = time.process_time(), time.monotonic()
    try:
        trainer.fit(classifier, datamodule=data, ckpt_path=resume_from, weights_only=True)
    except SystemExit:  # Lightning's answer to Ctrl-C, and it leaves the signal ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from None
    cpu_s, fit_s = time.process_time() - start, time.monotonic() - begun
    if not trainer.is_global_zero:
        return None, cpu_s
    kept = Path(best.best_model_path if monitored else last.best_model_path)
    if resume_from is not None and not kept.exists():  # the earlier run's folder was moved
        kept = resume_from.parent / kept.name
    classifier.load_state_dict(torch.load(kept, map_location="cpu", weights_only=True)["state_dict"])
    score = best.best_model_score
    network = classifier.recogniser().cpu().eval()
    fitted = Fitted(
        recogniser=network,
        objective=float(score) if monitored and score is not None else None,
        validation=at_best.metrics,
        checkpoint=kept,
        epochs=trainer.current_epoch,
        cpu_s=cpu_s,
        fit_s=fit_s,
        parameters=sum(p.numel() for p in network.parameters()),
    )
    return fitted, cpu_s


def _trainer_arguments(trainer: Mapping[str, Any], ranks: Ranks) -> dict[str, Any]:
    """For lightning.Trainer: `trainer`, as one of the processes that `run_ranks` started, whatever cluster this is.

    One alone has nobody to share with, and leaves no trace of a process group in the user's process.
    """
    shared = {**trainer, "use_distributed_sampler": False}  # the data module shares the clips itself
    if ranks.count > 1:
        return {"strategy": "ddp", "plugins": [LightningEnvironment()], **shared}
    return {**shared, "strategy": "auto"} if trainer.get("strategy") in STRATEGIES else shared


def _refuse_unusable(settings: FitSettings, spec: TaskSpec, table: pd.DataFrame, ranks: Ranks) -> None:
    """Raises UserError for settings that would only fail, or silently do nothing, in the middle of a fit."""
    require_epochs(settings.trainer)
    rows = {split: int((table["split"] == split).sum()) for split in ("train", "val")}
    if settings.loader.batch_size % ranks.count:
        raise UserError(
            f"loader.batch_size={settings.loader.batch_size} must be a multiple of the {ranks.count} processes, which "
            "share every batch"
        )
    for split, count in rows.items():
        if 0 < count < ranks.count:
            raise UserError(f"{ranks.count} processes cannot share {count} {split} clips; set fewer trainer.devices")
    refuse_unaugmentable(build_front_end(spec.front_end), settings.augment, settings.loader)
    for key in ("head_weights", "objective_weights"):
        weights = getattr(settings.loss, key)
        for name in sorted(set(weights) - set(spec.head_names)):
            raise UserError(f"loss.{key}.{name}: there is no such head; heads are {', '.join(spec.head_names)}")
        if any(weight < 0 for weight in weights.values()):
            raise UserError(f"loss.{key}: weights are not negative, got {weights}")
    if not sum(settings.loss.objective_weights.get(name, 1.0) for name in spec.head_names):
        raise UserError("loss.objective_weights: one head at least has to count")
    try:
        optimizer = settings.optimizer([torch.nn.Parameter(torch.zeros(1))])
    except (TypeError, ValueError) as error:
        raise UserError(f"optimizer: {error}") from None
    try:
        scheduler = settings.scheduler(optimizer, total_steps=1)
    except (TypeError, ValueError) as error:
        raise UserError(f"scheduler: {error}") from None
    if isinstance(scheduler, ReduceLROnPlateau) and not rows["val"]:
        raise UserError(
            "scheduler: a plateau is one of the validation objective, and there are no val rows; mark some speakers "
            "as val, or take scheduler=cosine"
        )


def refuse_unaugmentable(front_end: FrontEnd, augment: AugmentSettings, loader: LoaderSettings) -> None:
    """Raises UserError where noise or distortion is asked for of features that are no powers per band."""
    if front_end.band_hz is None and (augment != AugmentSettings() or loader.validation_snr_db is not None):
        raise UserError(
            "features: this front end gives no powers per band, so it can neither be augmented nor get noise in "
            "validation; train with augment=none loader.validation_snr_db=null"
        )


class _MetricsAtBest(Callback):
    """Remembers the validation metrics of the best epoch, for the hparams table."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        now = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        if now.get(OBJECTIVE, 0.0) > self.metrics.get(OBJECTIVE, -1.0):
            self.metrics = now

    def state_dict(self) -> dict[str, Any]:
        return {"metrics": self.metrics}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.metrics = state_dict["metrics"]

"""One fit: a table of features and typed settings in, the best recogniser out."""

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from torch.optim.lr_scheduler import ReduceLROnPlateau

from slu.common.errors import UserError
from slu.features import FrontEnd, build_front_end
from slu.features.augment import AugmentSettings
from slu.models import Recogniser
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.spec import TaskSpec
from slu.training.alignment import AlignRecordings, frame_targets, learn_priors
from slu.training.classifier import OBJECTIVE, LossSettings, UtteranceClassifier
from slu.training.datamodule import LoaderSettings, UtteranceDataModule
from slu.training.reporting import progress_callback, quiet_lightning


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
    """CPU seconds of this process in the fit, validation included."""
    parameters: int


class BestCheckpoint(ModelCheckpoint):
    """Keeps the best epoch, and takes an earlier run's record along on resuming.

    Lightning forgets the best score when the folder changed; a resumed run has its own folder, and must
    still end with the best epoch of both parts.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "best", OBJECTIVE, mode="max", enable_version_counter=False)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})


def last_checkpoint(folder: Path) -> ModelCheckpoint:
    """Every epoch's end, for resuming; written to a temporary name first, so a kill leaves the one before."""
    return ModelCheckpoint(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)


def fit(
    table: pd.DataFrame, spec: TaskSpec, settings: FitSettings, folder: Path, resume_from: Path | None = None
) -> Fitted:
    """Train on the table's train rows, keep the best epoch by the val rows (the last where there are none).

    `folder` gets the checkpoints. Raises UserError for model settings that do not fit together.
    """
    quiet_lightning()
    monitored = bool((table["split"] == "val").any())
    _refuse_unusable(settings, spec, monitored)
    front_end = build_front_end(spec.front_end)
    refuse_unaugmentable(front_end, settings.augment, settings.loader)
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
    try:
        classifier = UtteranceClassifier(
            settings.model,
            spec,
            front_end.size,
            settings.loss,
            settings.optimizer,
            settings.scheduler,
            seed=settings.seed,
            class_counts={h.name: [int((train[h.name] == c).sum()) for c in h.classes] for h in spec.heads},
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
            **settings.trainer,
            callbacks=callbacks,
            logger=list(settings.loggers) or False,
            enable_progress_bar=settings.progress and sys.stdout.isatty(),
            enable_model_summary=False,
            default_root_dir=folder,
            num_sanity_val_steps=0,
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"trainer: {' '.join(str(error).split())}") from None
    start = time.process_time()
    try:
        trainer.fit(classifier, datamodule=data, ckpt_path=resume_from, weights_only=True)
    except SystemExit:  # Lightning's answer to Ctrl-C, and it leaves the signal ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt from None
    cpu_s = time.process_time() - start
    kept = Path(best.best_model_path if monitored else last.best_model_path)
    if resume_from is not None and not kept.exists():  # the earlier run's folder was moved
        kept = resume_from.parent / kept.name
    classifier.load_state_dict(torch.load(kept, map_location="cpu", weights_only=True)["state_dict"])
    score = best.best_model_score
    network = classifier.recogniser().cpu().eval()
    return Fitted(
        recogniser=network,
        objective=float(score) if monitored and score is not None else None,
        validation=at_best.metrics,
        checkpoint=kept,
        epochs=trainer.current_epoch,
        cpu_s=cpu_s,
        parameters=sum(p.numel() for p in network.parameters()),
    )


def _refuse_unusable(settings: FitSettings, spec: TaskSpec, monitored: bool) -> None:
    """Raises UserError for settings that would only fail, or silently do nothing, in the middle of a fit."""
    if int(settings.trainer.get("max_epochs") or 0) < 1:
        raise UserError(f"trainer.max_epochs must be at least 1, got {settings.trainer.get('max_epochs')}")
    if settings.trainer.get("devices", 1) != 1:
        raise UserError("trainer.devices must be 1: training on several devices is not supported yet")
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
    if isinstance(scheduler, ReduceLROnPlateau) and not monitored:
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


def require_checkpoint(path: Path) -> None:
    """Raises UserError where there is none; cheap enough to ask before any data are prepared."""
    if not path.is_file():
        raise UserError(f"there is no checkpoint at {path}; look for outputs/runs/train/*/checkpoints/last.ckpt")


def check_checkpoint(path: Path, model: Mapping[str, Any], spec: TaskSpec) -> None:
    """Raises UserError when a checkpoint is missing, damaged, or of another model or task than the settings say."""
    require_checkpoint(path)
    try:
        trained = torch.load(path, map_location="cpu", weights_only=True)["hyper_parameters"]
    except Exception:  # torch raises many kinds for a damaged file, and none of them says more
        raise UserError(f"the checkpoint {path} is damaged or was not written by slu.train") from None
    for name, now in (("model", dict(model)), ("spec", spec.to_json())):
        if trained.get(name) != now:
            raise UserError(
                f"the checkpoint {path} was trained with other {name} settings; resume with the settings of its run, "
                f"which are in {path.parent.parent / '.hydra' / 'overrides.yaml'}"
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

"""`UtteranceClassifier`: the LightningModule around whichever encoder it is given."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassPrecision,
    MulticlassRecall,
)

from slu.common.errors import UserError
from slu.models import Recogniser, build_recogniser
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.models.speech_embedding import SpeechEmbedding
from slu.spec import TaskSpec
from slu.training.datamodule import NO_LABEL, Batch
from slu.training.frame_loss import frame_loss

OBJECTIVE = "val/objective"
"""Macro-F1, mean over the clean and, where there is one, the noisy validation pass and then, by `objective_weights`,
over the heads: what "best" means."""

_CONDITIONS = ("clean", "noisy")

Weight = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class LossSettings:
    head_weights: dict[str, Weight] = field(default_factory=dict)
    """Weight of a head's cross-entropy in the sum; 1 where none is given."""
    objective_weights: dict[str, Weight] = field(default_factory=dict)
    """Weight of a head in the validation objective; 1 where none is given."""
    class_weights: bool = False
    """Weight classes by inverse training frequency."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    unlabelled: Literal["ignore", "uniform"] = "ignore"
    """Clips without a label for a head teach nothing, or that every class is as probable as another: outlier
    exposure (Hendrycks et al., 2019) for clips that hold nothing to answer, such as music to a detector of voices."""
    frames: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Weight of the frames' cross-entropies (phones and words), for models that hear frames."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Exponential moving average of the weights, per step; 0 switches it off."""


class UtteranceClassifier(L.LightningModule):
    """Sum of the heads' cross-entropies; validation with the averaged weights where averaging is on."""

    def __init__(
        self,
        model: Mapping[str, Any],
        spec: TaskSpec,
        n_features: int,
        loss: LossSettings,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler],
        *,
        seed: int = 0,
        class_counts: Mapping[str, list[int]] | None = None,
    ) -> None:
        super().__init__()
        self.spec, self.loss_settings, self.seed = spec, loss, seed
        self.make_optimizer, self.make_scheduler = optimizer, scheduler
        self.network = build_recogniser(model, n_features, spec)
        for module in self.network.modules():
            if isinstance(module, SpeechEmbedding):
                module.start_from_published()
        self.average: AveragedModel | None = None
        if loss.ema_decay:
            average = get_ema_multi_avg_fn(loss.ema_decay)  # type: ignore[no-untyped-call]
            self.average = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True).requires_grad_(False)
        self.class_weights = {
            name: torch.tensor([sum(counts) / (len(counts) * max(c, 1)) for c in counts])
            for name, counts in (class_counts or {}).items()
            if loss.class_weights
        }
        self._finite = torch.tensor(True)
        """Whether every loss was a number: looked at once an epoch, for a GPU would be waited for."""
        self.scores = torch.nn.ModuleDict({c: self._metrics() for c in _CONDITIONS})
        self.save_hyperparameters({"model": dict(model), "spec": spec.to_json(), "loss": asdict(loss), "seed": seed})

    def _metrics(self) -> torch.nn.ModuleDict:
        heads: dict[str, torch.nn.Module] = {"joint": MeanMetric(), "loss": MeanMetric()}
        for head in self.spec.heads:
            arguments: dict[str, Any] = {"num_classes": len(head.classes), "ignore_index": NO_LABEL}
            heads[f"head_{head.name}"] = MetricCollection(
                {
                    "accuracy": MulticlassAccuracy(average="micro", **arguments),
                    "macro_precision": MulticlassPrecision(average="macro", **arguments),
                    "macro_recall": MulticlassRecall(average="macro", **arguments),
                    "macro_f1": MulticlassF1Score(average="macro", **arguments),
                }
            )
        return torch.nn.ModuleDict(heads)

    def recogniser(self) -> Recogniser:
        """The network to keep: averaged if averaging is on."""
        return self.network if self.average is None else self.average.module  # type: ignore[return-value]

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Dropout draws from the global generator: seeding it per batch makes a resumed run equal a whole one.
        # Each process drops other units.
        rank = [self.global_rank] if self.global_rank else []
        state = np.random.SeedSequence([self.seed, self.current_epoch, batch_idx, *rank]).generate_state(2)
        torch.manual_seed(int(state[0]) << 32 | int(state[1]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(batch)
        self._finite = self._finite.to(loss.device) & loss.detach().isfinite()
        if torch.distributed.is_initialized():
            # Processes wait for each other's gradient of every weight: one whose clips have no label for a head, and
            # so none of that head's weights, gives zeros.
            loss = loss + 0.0 * torch.stack([p.sum() for p in self.network.parameters() if p.requires_grad]).sum()
        size = len(batch.lengths)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=size, prog_bar=True, sync_dist=True)
        return loss

    def on_train_epoch_end(self) -> None:
        if not self._finite:
            raise UserError(
                f"the loss of epoch {self.current_epoch + 1} is no number any more: the training has diverged; try a "
                "smaller optimizer.lr"
            )

    def loss(self, batch: Batch) -> Tensor:
        """Of one batch, with the gradients of the network that is trained."""
        if not isinstance(self.network, HybridRecogniser):
            return self._loss(self.network(batch.features, batch.lengths), batch.labels)
        total = torch.zeros((), device=self.device)
        for heard in self.network.listen(batch.features, batch.lengths):
            of_frames = frame_loss(heard, batch.frame_labels, self.network.stride)
            total = total + self._loss(heard.heads, batch.labels) + self.loss_settings.frames * of_frames
        return total

    def _loss(self, logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
        total = torch.zeros((), device=self.device)
        for name, target in labels.items():
            loss = self._head_loss(name, logits[name], target)
            if loss is not None:
                total = total + self.loss_settings.head_weights.get(name, 1.0) * loss
        return total

    def _head_loss(self, name: str, logits: Tensor, target: Tensor) -> Tensor | None:
        """None where no clip teaches anything."""
        labelled, weight, loss = target != NO_LABEL, self.class_weights.get(name), None
        if labelled.any():
            loss = F.cross_entropy(
                logits,
                target,
                weight=None if weight is None else weight.to(self.device),
                ignore_index=NO_LABEL,
                label_smoothing=self.loss_settings.label_smoothing,
            )
        if self.loss_settings.unlabelled == "ignore" or labelled.all():
            return loss
        doubt = -F.log_softmax(logits[~labelled], dim=1).mean()  # cross-entropy against equal probabilities
        if loss is None:
            return doubt
        share = labelled.float().mean()  # every clip weighs the same, labelled or not
        return share * loss + (1 - share) * doubt

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        if self.average is not None:
            self.average.update_parameters(self.network)

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        condition = _CONDITIONS[dataloader_idx]
        if not len(batch.lengths):  # the last batch may be too small for every process to get a share
            return
        logits = self.recogniser().eval()(batch.features, batch.lengths)
        scores = self.scores[condition]
        right = torch.ones_like(batch.lengths, dtype=torch.bool)
        known = torch.ones_like(right)
        for name, target in batch.labels.items():
            scores[f"head_{name}"].update(logits[name], target)  # type: ignore[index]
            right &= logits[name].argmax(1) == target
            known &= target != NO_LABEL
        scores["joint"].update(right.float(), known.float())  # type: ignore[index]
        # Not by `self.log`, which divides by a whole number of clips: by 7, where two processes have 8 and 7.
        scores["loss"].update(self._loss(logits, batch.labels), len(batch.lengths))  # type: ignore[index]

    def on_validation_epoch_end(self) -> None:
        """Metrics over the clips of all processes: `compute` adds up their counts, so it is what one would get."""
        f1: dict[str, list[Tensor]] = {name: [] for name in self.spec.head_names}
        for condition in _CONDITIONS[: len(self.trainer.num_val_batches)]:  # the noisy pass can be switched off
            scores = self.scores[condition]
            for name in self.spec.head_names:
                values = scores[f"head_{name}"].compute()  # type: ignore[index]
                for metric, value in values.items():
                    self.log(f"val/{condition}/{name}_{metric}", value)
                f1[name].append(values["macro_f1"])
                scores[f"head_{name}"].reset()  # type: ignore[index]
            for name, metric in (("joint_accuracy", "joint"), ("loss", "loss")):
                value = scores[metric].compute()  # type: ignore[index]
                if not value.isnan():  # as the joint accuracy is when no clip has every label
                    self.log(f"val/{condition}/{name}", value)
                scores[metric].reset()  # type: ignore[index]
        of_heads = {name: torch.stack(values).mean() for name, values in f1.items()}
        for name, value in of_heads.items():
            self.log(f"val/{name}_macro_f1", value)
        weights = {name: self.loss_settings.objective_weights.get(name, 1.0) for name in of_heads}
        weighted = torch.stack([weights[name] * value for name, value in of_heads.items()])
        self.log(OBJECTIVE, weighted.sum() / sum(weights.values()), prog_bar=True)

    def configure_optimizers(self) -> Any:
        """What `conf/optimizer` and `conf/scheduler` have to build.

        The optimizer is called with two parameter groups. The scheduler is called as `scheduler(optimizer,
        total_steps=…)` and steps with every batch, unless it is a ReduceLROnPlateau: that one steps once per epoch,
        on OBJECTIVE.
        """
        # Biases, norms and other vectors are not decayed: shrinking them regularises nothing.
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        vectors = [p for p in self.network.parameters() if p.ndim <= 1]
        optimizer = self.make_optimizer([{"params": matrices}, {"params": vectors}])
        if "weight_decay" in optimizer.defaults:
            optimizer.param_groups[1]["weight_decay"] = 0.0
        scheduler = self.make_scheduler(optimizer, total_steps=int(self.trainer.estimated_stepping_batches))
        steps: dict[str, Any] = {"scheduler": scheduler, "interval": "step"}
        if isinstance(scheduler, ReduceLROnPlateau):
            # Lightning's own interval of an epoch steps after the last checkpoint is written: a resumed run would have
            # missed a step. The last batch of an epoch steps after validation and before that checkpoint.
            steps |= {"frequency": int(self.trainer.num_training_batches), "monitor": OBJECTIVE}
        return {"optimizer": optimizer, "lr_scheduler": steps}

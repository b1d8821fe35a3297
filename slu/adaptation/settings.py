"""How a bundle is adapted, checked before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.features import FrontEnd
from slu.features.augment import AugmentSettings
from slu.spec import TaskSpec
from slu.training.classifier import LossSettings

Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class AdaptSettings:
    """The `adapt` group."""

    seconds: Annotated[float, Field(gt=0)] = 60.0
    """CPU seconds of one fine-tuning, which then ends early; a cross-validation and every round have one each."""
    steps: Annotated[int, Field(ge=1)] = 120
    batch_size: Annotated[int, Field(ge=2)] = 32
    recorded_share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Of every batch; the rest replays what the bundle was trained on."""
    copies: Annotated[float, Field(gt=0)] = 2.0
    """Of one clip in a batch, at most on average: a single clip must not teach that there is but one class."""
    lr: Annotated[float, Field(gt=0)] = 5e-4
    """Of AdamW at its peak; it falls to zero by half a cosine."""
    trunk_lr: Annotated[float, Field(ge=0)] = 0.0
    """Likewise, of weights that the bundle's own training left as they were published; 0 leaves them so, too."""
    prior_clips: Annotated[float, Field(ge=0)] = 4.0
    """Batch statistics: n clips count as n, those of the bundle's training as this many."""
    folds: Annotated[int, Field(ge=0)] = 3
    """Of the cross-validation over labelled clips; 0 leaves it out."""
    min_clips: Annotated[int, Field(ge=2)] = 20
    """Labelled clips from which there is a cross-validation."""
    rounds: Annotated[int, Field(ge=0)] = 2
    """Of self-training on clips without labels; 0 adapts the batch statistics alone."""
    keep: tuple[Share, Share] = (0.5, 0.8)
    """Of every class, the most confident share that is believed in the first and in the last round."""
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Confidence below which no answer is believed."""
    seed: Annotated[int, Field(ge=0)] = 0
    force: bool = False
    """Register what the frozen check speaks against."""

    def __post_init__(self) -> None:
        if self.folds == 1:
            raise ValueError("folds: one fold has nothing left to train on; 0 leaves the cross-validation out")


@dataclass(frozen=True)
class Recipe:
    """What the bundle's own training says about how it learns."""

    model: Mapping[str, Any]
    spec: TaskSpec
    front_end: FrontEnd
    loss: LossSettings
    augment: AugmentSettings

    @classmethod
    def of(cls, bundle: Bundle) -> "Recipe":
        """Raises UserError for a bundle whose configuration does not say it in today's terms."""
        config = bundle.config
        try:
            loss = parse_settings(LossSettings, {**(config.get("loss") or {}), "ema_decay": 0.0}, "loss")
            augment = parse_settings(AugmentSettings, config.get("augment") or {}, "augment")
        except UserError as error:
            raise UserError(f"{bundle.folder / 'config.yaml'}: {error}; train the bundle again") from None
        return cls(config["model"], bundle.spec, bundle.front_end, loss, augment)

"""The plain settings of a run, checked before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from slu.common.errors import UserError
from slu.common.problems import NAME
from slu.corpus.splits import SplitSettings
from slu.spec import LABEL_MAP
from slu.training.feature_store import StoreKind

Count = Annotated[int, Field(ge=1)]
Decibels = Annotated[float, Field(ge=-100, le=200)]


@dataclass(frozen=True)
class DataSettings:
    """The `data` group."""

    task: Annotated[str, Field(pattern=NAME)]
    manifest: str | None
    synthetic_speech: bool
    min_duration_s: Annotated[float, Field(ge=0)]
    max_duration_s: Annotated[float, Field(gt=0)]
    on_bad_audio: Literal["error", "skip"]
    heads: tuple[str, ...] = ()
    label_maps: dict[str, Annotated[str, Field(pattern=LABEL_MAP)]] = field(default_factory=dict)
    display_names: dict[str, dict[str, str]] = field(default_factory=dict)
    """By head, what people are shown instead of a class."""
    not_for: str = ""
    """Said in the model card of what is trained on these data."""
    segment_s: Annotated[float, Field(ge=0)] = 0.0
    """Longer recordings are cut into segments of this length, in training as in prediction; 0 hears clips whole."""
    segment_overlap_s: Annotated[float, Field(ge=0)] = 0.0
    split: SplitSettings = SplitSettings()


@dataclass(frozen=True)
class RunSettings:
    """The settings of `conf/train.yaml` that belong to no group."""

    seed: Annotated[int, Field(ge=0)]
    threads: Count
    patience: Annotated[int, Field(ge=0)]
    noise_test_snr_db: tuple[Decibels, ...]
    cross_validation: Literal["leave_one_speaker_out"] | None
    ckpt_path: str | None
    trial: Annotated[int, Field(ge=0)] | None = None
    """Its number in a search: compared by its validation objective, and never tested or registered."""
    objectives: tuple[str, ...] = ()
    """Validation metrics that a search compares trials by, each for itself; none: the one that epochs are chosen by."""


@dataclass(frozen=True)
class PrepareSettings:
    """The settings that `train` and `preprocess` share."""

    workers: Count
    min_confidence: Annotated[float, Field(ge=0, le=1)]
    features_store: StoreKind = "shards"


def require_epochs(trainer: Mapping[str, Any]) -> None:
    """Of keyword arguments of lightning.Trainer. Raises UserError for what is no number of epochs."""
    epochs = trainer.get("max_epochs")
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise UserError(f"trainer.max_epochs must be a whole number, at least 1, got {epochs}")

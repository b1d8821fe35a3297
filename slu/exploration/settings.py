"""What counts as too few, too quiet or too alike. The defaults are in conf/eda.yaml, with their reasons."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from slu.exploration.duplicates import SAME_RECORDING

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Limits:
    clips_per_class: Annotated[int, Field(ge=1)] = 20
    speakers_per_class: Annotated[int, Field(ge=1)] = 3
    few_speakers: Annotated[int, Field(ge=2)] = 10
    """With fewer, one test person more or less decides the result: every speaker is held out in turn."""
    imbalance: Annotated[float, Field(ge=1)] = 3.0
    """Clips of the commonest class over those of the rarest, from which classes are weighted."""
    clipped_share: Share = 0.01
    """Of the samples, cut off flat."""
    silent_db: float = -80.0
    """RMS, dB full scale: 16-bit samples are then a few steps high, and there is no speech left in them."""
    quiet_db: float = -60.0
    same_recording: Share = SAME_RECORDING
    """Correlation of two waveforms."""


@dataclass(frozen=True)
class ExplorationSettings:
    min_duration_s: Annotated[float, Field(ge=0)]
    """The limits that training has today."""
    max_duration_s: Annotated[float, Field(gt=0)]
    group_columns: tuple[str, ...] = ()
    """Columns beside `speaker` whose values must stay on one side of a split."""
    limits: Limits = Limits()

"""What is looked at, and from where on it counts as wrong. The defaults are in conf/validate.yaml, with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from slu.audio.decode import MAX_RATE, MIN_RATE
from slu.exploration.clips import LONGEST_S
from slu.exploration.settings import Share


@dataclass(frozen=True)
class Limits:
    sample_rate: Annotated[int, Field(ge=MIN_RATE, le=MAX_RATE)]
    """Hz, of the file; what lies above half of it was not recorded."""
    min_duration_s: Annotated[float, Field(ge=0)]
    max_duration_s: Annotated[float, Field(gt=0, le=LONGEST_S)]
    silent_db: float
    """RMS, dB full scale."""
    quiet_db: float
    silent_share: Share
    """Of the 20 ms frames, more than 40 dB below the loudest one."""
    clipped_share: Share
    same_recording: Share
    """Correlation of two waveforms."""


def fill_durations(limits: Mapping[str, Any], accepted_s: tuple[float, float]) -> dict[str, Any]:
    """The settings of `Limits`, with the shortest and longest clip of `accepted_s` where none is set (null)."""
    least_s, most_s = accepted_s
    accepted = {"min_duration_s": least_s, "max_duration_s": min(most_s, LONGEST_S)}
    return {**limits, **{name: value for name, value in accepted.items() if limits.get(name) is None}}


@dataclass(frozen=True)
class ValidateSettings:
    manifest: str | tuple[str, ...] | None
    audio: str | tuple[str, ...] | None
    heads: tuple[str, ...] | None
    spec: str | None
    group_columns: tuple[str, ...]
    limits: Limits
    annotations: Literal["none", "github"]
    fail_on: Literal["error", "warning"]
    outputs: str

    @property
    def manifests(self) -> tuple[str, ...]:
        return _several(self.manifest)

    @property
    def folders(self) -> tuple[str, ...]:
        return _several(self.audio)


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value

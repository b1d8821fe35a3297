"""What an ingest is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from slu.audio.decode import MAX_RATE, MIN_RATE
from slu.audio.segment import Rest, SegmentSettings
from slu.corpus.clips import Label
from slu.spec import LABEL_MAP


@dataclass(frozen=True)
class SegmentCut:
    """How recordings are cut into clips, see slu.audio.segment; without a length they are not."""

    length_s: float | None = None
    overlap_s: float = 0.0
    rest: Rest = "pad"
    min_rest_s: float = 0.5
    max_recording_s: Annotated[float, Field(gt=0)] = 1200.0

    def __post_init__(self) -> None:
        _ = self.settings

    @property
    def settings(self) -> SegmentSettings | None:
        if self.length_s is None:
            return None
        return SegmentSettings(self.length_s, self.overlap_s, self.rest, self.min_rest_s)


@dataclass(frozen=True)
class IngestSettings:
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", coerce_numbers_to_str=True)]
    heads: Annotated[tuple[str, ...], Field(min_length=1)]
    label_maps: Mapping[str, Annotated[str, Field(pattern=LABEL_MAP)]] | None = None
    classes: Mapping[str, tuple[Label, ...]] | None = None
    """Fixed classes, in order, of some heads; the classes of the others are the labels that occur."""
    min_duration_s: Annotated[float, Field(ge=0)] = 0.5
    max_duration_s: Annotated[float, Field(gt=0)] = 5.0
    sample_rate: Annotated[int, Field(ge=MIN_RATE, le=MAX_RATE)] = 16_000
    format: Literal["flac", "wav"] = "flac"
    segment: SegmentCut = SegmentCut()

    @property
    def longest_s(self) -> float:
        """Of a recording. What is cut into segments may be longer than a clip."""
        return self.max_duration_s if self.segment.length_s is None else self.segment.max_recording_s

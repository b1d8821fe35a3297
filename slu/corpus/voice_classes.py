"""Classes that are heard in the voice and not in the words, such as its gender: whose voices they are, how they sound.

Every combination of the classes of all voice heads is a group of speakers.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from slu.common.errors import UserError

Hertz = Annotated[float, Field(ge=60, le=420)]
Factor = Annotated[float, Field(ge=0.7, le=1.4)]


@dataclass(frozen=True)
class VoiceClass:
    __pydantic_config__ = ConfigDict(extra="forbid")

    families: tuple[str, ...]
    """The shipped variants that are of this class, by family."""
    pitch_hz: tuple[Hertz, Hertz]
    """Lowest and highest median fundamental of its speakers."""
    tract: tuple[Factor, Factor]
    """Formants of its invented variants, as a factor of those of espeak-ng's plain (male) voice."""


Labels = Mapping[str, Mapping[str, VoiceClass]]


@dataclass(frozen=True)
class VoiceGroup:
    labels: Mapping[str, str]
    families: frozenset[str]
    pitch_hz: tuple[float, float]
    tract: tuple[float, float]

    @property
    def name(self) -> str:
        return " and ".join(self.labels.values())


def voice_groups(labels: Labels) -> list[VoiceGroup]:
    """One per combination of classes; none without labels. Raises UserError for classes that no voice can be of."""
    for head, classes in labels.items():
        if len(classes) < 2:
            raise UserError(f"voices.labels.{head} needs at least two classes")
        for one, other in itertools.combinations(classes, 2):
            if both := sorted({*classes[one].families} & {*classes[other].families}):
                raise UserError(f"voices.labels.{head}: '{both[0]}' cannot be both {one} and {other}")
    choices = [[(head, name, voice) for name, voice in classes.items()] for head, classes in labels.items()]
    return [_group(combination) for combination in itertools.product(*choices) if combination]


def _group(parts: Iterable[tuple[str, str, VoiceClass]]) -> VoiceGroup:
    heads, names, voices = zip(*parts, strict=True)
    group = VoiceGroup(
        labels=dict(zip(heads, names, strict=True)),
        families=frozenset.intersection(*(frozenset(voice.families) for voice in voices)),
        pitch_hz=(max(voice.pitch_hz[0] for voice in voices), min(voice.pitch_hz[1] for voice in voices)),
        tract=(max(voice.tract[0] for voice in voices), min(voice.tract[1] for voice in voices)),
    )
    for setting, (low, high) in (("pitch_hz", group.pitch_hz), ("tract", group.tract)):
        if not low < high:
            raise UserError(f"voices.labels: the {setting} of {group.name} goes from {low:g} to {high:g}")
    return group

"""The numbers of an answered clip that are followed over time, and how a change of each is told.

Every fact has a fixed grid of bins, the same for every recogniser, window and machine: counts of any two logs can be
added and compared, memory does not depend on the length of a log, and a quantile is right to the width of a bin.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BINS = 200


@dataclass(frozen=True)
class Fact:
    name: str
    """In a line of the log."""
    title: str
    unit: str
    low: float
    high: float
    """What lies outside is counted in the first or the last bin."""
    less: str
    more: str
    """What clips are when the fact has fallen, or risen."""
    look: str
    """What to look at first when it has changed."""
    ratio: bool = False
    """Bins of equal ratio instead of equal width; changes are told as factors."""
    digits: int = 1

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """(BINS + 1,), ascending."""
        return (np.geomspace if self.ratio else np.linspace)(self.low, self.high, BINS + 1)

    def shown(self, value: float) -> str:
        return f"{value:.{self.digits}f}{' ' + self.unit if self.unit else ''}"


_MICROPHONE = "the microphone, its distance, and the gain of the sound card"
_LINE = "what lies between microphone and server: a telephone line, a codec, a resampler"
_ROOM = "the room (machines, music, an open door), and whether something takes noise away (a gate, a headset)"
_PEOPLE = "who speaks, and in which language"

FACTS = (
    Fact("duration_s", "duration", "s", 0.05, 60.0, "shorter", "longer", "how recordings are started and stopped",
         ratio=True, digits=2),
    Fact("level_db", "level", "dB", -100.0, 0.0, "quieter", "louder", _MICROPHONE),
    Fact("noise_db", "noise floor", "dB", -140.0, 0.0, "quieter in the pauses", "noisier in the pauses",
         _ROOM),
    Fact("snr_db", "speech over noise", "dB", 0.0, 120.0, "less clear of the noise", "clearer of the noise", _ROOM),
    Fact("crest_db", "crest factor", "dB", 0.0, 50.0, "flatter at their peaks (cut off, or compressed)",
         "more peaked (clicks, or knocks)", "whether the recording is overdriven: lower the gain"),
    Fact("clipped_share", "clipped samples", "", 1e-6, 1.0, "cut off less", "cut off more",
         "whether the recording is overdriven: lower the gain", ratio=True, digits=4),
    Fact("speech_s", "speech", "s", 0.02, 60.0, "shorter from first to last word", "longer from first to last word",
         "whether beginnings and ends are cut off, and how fast people speak", ratio=True, digits=2),
    Fact("pace_hz", "pace", "peaks/s", 0.0, 20.0, "spoken more slowly", "spoken faster",
         "whether the sample rate is told rightly, and how fast people speak"),
    Fact("rolloff_hz", "end of the band", "Hz", 50.0, 24_000.0, "narrower in band", "wider in band", _LINE, ratio=True,
         digits=0),
    Fact("tilt_db", "spectral tilt", "dB/octave", -40.0, 20.0, "duller", "sharper", _MICROPHONE),
    Fact("pitch_hz", "pitch", "Hz", 50.0, 500.0, "lower in voice", "higher in voice", _PEOPLE, ratio=True, digits=0),
    Fact("mel_mean", "mean of the features", "", -40.0, 20.0, "weaker in their features", "stronger in their features",
         _MICROPHONE, digits=2),
    Fact("mel_std", "spread of the features", "", 0.0, 20.0, "less varied in their features",
         "more varied in their features", _LINE + "; noise", digits=2),
    Fact("confidence", "confidence", "", 0.0, 1.0, "answered with less confidence", "answered with more confidence",
         "the answers themselves: listen to some, and correct them", digits=2),
)  # fmt: skip
"""Not `frames`, which is the duration once more."""

LATENCY = Fact("ms", "latency", "ms", 0.1, 1e6, "faster", "slower", "the load of the server", ratio=True, digits=0)
NAMES = tuple(fact.name for fact in FACTS)
EDGES = np.stack([fact.edges for fact in FACTS])
"""(facts, BINS + 1)."""


def bins_of(values: NDArray[np.float64], fact: Fact) -> NDArray[np.int64]:
    """Of finite values, from 0 to BINS - 1."""
    if fact.ratio:
        place = np.log(np.maximum(values, fact.low) / fact.low) / np.log(fact.high / fact.low)
    else:
        place = (values - fact.low) / (fact.high - fact.low)
    return np.asarray(np.clip((place * BINS).astype(np.int64), 0, BINS - 1))

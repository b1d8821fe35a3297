"""Generated noise for tests: seeded, so that a rerun gives the same number.

Four kinds take turns over the clips, at the stated SNR over the whole clip: white, pink and brown noise
with a wandering level, and babble of six other clips of the same test.
"""

from collections.abc import Sequence

import numpy as np

from slu.audio.decode import Waveform
from slu.audio.noise import coloured_noise, fluctuating, mix

_SLOPES = (0.0, 3.0, 6.0)
_VOICES = 6


class TestNoise:
    __test__ = False  # a name that pytest would otherwise collect

    def __init__(self, bank: Sequence[Waveform], sample_rate: int, seed: int = 1) -> None:
        """`bank`: clips to make babble of; they are kept in memory, so pass a few dozen."""
        self.bank, self.sample_rate, self.seed = bank, sample_rate, seed

    def add(self, speech: Waveform, snr_db: float, index: int) -> Waveform:
        """`index` is the clip's number in the test: it chooses the kind and seeds the noise."""
        rng = np.random.default_rng([self.seed, index])
        kind = index % (len(_SLOPES) + 1)
        if kind < len(_SLOPES) or not self.bank:
            noise = coloured_noise(len(speech), _SLOPES[kind % len(_SLOPES)], rng)
            return mix(speech, fluctuating(noise, self.sample_rate, 3.0, rng), snr_db)
        babble = np.zeros(len(speech), np.float32)
        for voice in rng.choice(len(self.bank), min(_VOICES, len(self.bank)), replace=False):
            other = np.roll(self.bank[voice], rng.integers(len(self.bank[voice])))
            babble += np.resize(other, len(speech)) / max(float(np.sqrt(np.mean(other**2))), 1e-9)
        return mix(speech, babble, snr_db)

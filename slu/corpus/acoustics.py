"""How a spoken utterance becomes a recording: the pauses around it, the room, the noise floor and the level."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from slu.audio.decode import Waveform
from slu.audio.noise import coloured_noise, mix, reverberate, room_response


@dataclass(frozen=True)
class Acoustics:
    """Ranges are drawn uniformly per clip."""

    pause_s: tuple[float, float] = (0.05, 0.5)
    """Room tone before and after each sentence."""
    level_db: tuple[float, float] = (-35.0, -15.0)
    floor_snr_db: tuple[float, float] = (30.0, 55.0)
    room_share: float = 0.0
    """Share of the training clips that get a generated room; validation and test get none."""
    room_rt60_s: tuple[float, float] = (0.1, 0.5)
    room_direct_db: tuple[float, float] = (0.0, 12.0)

    def pauses(self, sample_rate: int, rng: Generator) -> tuple[int, int]:
        """In samples, before and after."""
        before, after = (int(rng.uniform(*self.pause_s) * sample_rate) for _ in range(2))
        return before, after

    def recorded(self, samples: Waveform, sample_rate: int, rng: Generator, *, in_rooms: bool) -> Waveform:
        """The same length, within [-1, 1]."""
        if in_rooms and rng.random() < self.room_share:
            response = room_response(
                sample_rate, rng.uniform(*self.room_rt60_s), rng.uniform(*self.room_direct_db), rng
            )
            samples = reverberate(samples, response)
        floor = coloured_noise(len(samples), rng.uniform(0.0, 6.0), rng)
        samples = mix(samples, floor, rng.uniform(*self.floor_snr_db))
        level = 10 ** (rng.uniform(*self.level_db) / 20)
        samples *= level / max(float(np.sqrt(np.mean(samples**2))), 1e-9)
        return samples / max(1.0, float(np.abs(samples).max()))

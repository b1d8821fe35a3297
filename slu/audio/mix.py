"""Which channel to hear where the mean of all of them is next to nothing: a microphone wired against its twin."""

import numpy as np
from numpy.typing import NDArray

_CANCELLED = 0.01
"""Power of the mean, of the loudest channel's: 20 dB less. One of eight channels alone leaves 18 dB less."""


class ChannelPowers:
    """Energies of the channels and of their mix, added up block by block."""

    def __init__(self, channels: int) -> None:
        self._channels = np.zeros(channels)
        self._mix = 0.0

    def add(self, block: NDArray[np.float32], mix: NDArray[np.float32]) -> None:
        """`block` has the shape (samples, channels), `mix` (samples,)."""
        if len(self._channels) > 1:
            self._channels += np.einsum("ij,ij->j", block, block, dtype=np.float64)
            self._mix += float(np.einsum("i,i->", mix, mix, dtype=np.float64))

    @property
    def instead(self) -> int | None:
        """The loudest channel where the channels cancel in the mix; None where the mix can be heard."""
        loudest = int(self._channels.argmax())
        return loudest if self._mix < _CANCELLED * self._channels[loudest] else None

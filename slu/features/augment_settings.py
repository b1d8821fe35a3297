"""What can happen to a batch of features, and how often."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

Probability = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class AugmentSettings:
    """A range is (low, high), drawn uniformly; a probability of 0 switches the part off."""

    crop_prob: Probability = 0.0
    crop_s: tuple[float, float] = (0.3, 3.0)
    """Only a part of the clip of this duration, anywhere in it: people also say a single word."""
    warp_prob: Probability = 0.0
    stretch: tuple[float, float] = (0.85, 1.18)
    """Duration factor: 1.1 is 10 % slower."""
    vtlp: tuple[float, float] = (0.88, 1.14)
    """Frequency factor (vocal tract length perturbation, Jaitly and Hinton, 2013)."""
    time_jitter_s: float = 0.0
    """Standard deviation of a smooth random shift along time: sounds grow and shrink, as no two people time alike."""
    band_jitter: float = 0.0
    """The same along frequency, in bands: formants move on their own, as vowels differ between accents."""
    equaliser_prob: Probability = 0.0
    equaliser_db: float = 6.0
    """Standard deviation of a smooth random curve over the mel bands, plus a tilt of the same size."""
    loudness_prob: Probability = 0.0
    loudness_db: float = 4.0
    """Standard deviation of a smooth random gain over the clip: people's voices drop towards the end of a sentence, and
    they turn away; a synthesiser's do not."""
    smooth_prob: Probability = 0.0
    """Blur over neighbouring bands, which hides the synthesiser's sharp formants."""
    fill_prob: Probability = 0.0
    fill_db: tuple[float, float] = (-20.0, -3.0)
    """Power that leaks from each band into those around it, so that the valleys between formants are as shallow as in
    people's voices; a synthesiser's reach down to the floor."""
    noise_prob: Probability = 0.0
    noise_snr_db: tuple[float, float] = (-3.0, 25.0)
    babble_share: Probability = 0.35
    """Share of the noise that is other clips of the batch; the rest is coloured noise."""
    babble_voices: tuple[int, int] = (3, 3)
    """Clips of the batch that are heard in it at a time: few are words beside the words, many are a full room."""
    reverb_prob: Probability = 0.0
    reverb_rt60_s: tuple[float, float] = (0.1, 0.6)
    band_prob: Probability = 0.0
    """Telephone or cheap microphone: everything above a random cut-off falls into the floor."""
    low_cut_prob: Probability = 0.0
    low_cut_hz: tuple[float, float] = (120.0, 450.0)
    """24 dB an octave below this corner: the fundamental is missing on a telephone."""
    high_cut_prob: Probability = 0.0
    high_cut_hz: tuple[float, float] = (2000.0, 3900.0)
    """96 dB an octave above this corner."""
    mask_prob: Probability = 0.0
    mask_frames: int = 15
    mask_bands: int = 8
    masks: int = 2
    """SpecAugment (Park et al., 2019): rectangles replaced by the clip's mean."""

    def __post_init__(self) -> None:
        for name in ("crop_s", "stretch", "vtlp", "reverb_rt60_s", "low_cut_hz", "high_cut_hz"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} must be a range of positive factors, got {[low, high]}")
        fewest, most = self.babble_voices
        if not 1 <= fewest <= most:
            raise ValueError(f"babble_voices must be a range from at least 1, got {[fewest, most]}")

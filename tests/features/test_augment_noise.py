"""Noise that is mixed into features: as loud as was asked for, and of as many voices."""

import pytest
import torch

from slu.features.augment import AugmentSettings
from tests.features.test_augment import apply, batch


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
@pytest.mark.parametrize("babble", [0.0, 1.0])
def test_noise_adds_the_power_that_was_asked_for(snr_db: float, babble: float) -> None:
    features, _ = batch()
    features = features[:, :40]
    out, _ = apply(
        3, (features, torch.full((4,), 40)), noise_prob=1.0, noise_snr_db=(snr_db, snr_db), babble_share=babble
    )
    assert (out >= features - 1e-4).all()
    ratio = out.exp().mean((1, 2)) / features.exp().mean((1, 2))
    torch.testing.assert_close(ratio, torch.full((4,), 1 + 10 ** (-snr_db / 10)), atol=2e-3, rtol=2e-3)


def test_babble_is_of_as_many_voices_as_are_asked_for() -> None:
    """Of one voice it has that clip's pauses; of all the others, hardly any."""
    time = torch.arange(40)
    features = torch.stack(
        [torch.where((time // 5) % 8 == clip, 0.0, -20.0).unsqueeze(1).expand(40, 8) for clip in range(8)]
    )
    quiet = torch.full((1, 40, 8), -20.0)
    loud = {}
    for voices in (1, 7):
        out, _ = apply(
            5, (torch.cat([features, quiet]), torch.full((9,), 40)), noise_prob=1.0, noise_snr_db=(0.0, 0.0),
            babble_share=1.0, babble_voices=(voices, voices),
        )  # fmt: skip
        added = (out[:8].exp() - features.exp()).mean(2)
        loud[voices] = float((added > 0.1 * added.amax(1, keepdim=True)).float().mean())
    assert loud[1] < 0.3 < 0.5 < loud[7]
    with pytest.raises(ValueError, match="babble_voices must be a range from at least 1"):
        AugmentSettings(babble_voices=(0, 3))

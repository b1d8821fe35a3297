"""Augmentation: reproducible, harmless to padding, and each part does what its name says."""

import math
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from slu.common.settings import parse_settings
from slu.features import LogMel
from slu.features.augment import DB, IGNORE, Augment, AugmentSettings
from tests.conftest import ROOT, tone

HOP_S = 0.01
HZ = LogMel().band_hz
PARTS: dict[str, dict[str, Any]] = {
    "crop": {"crop_prob": 1.0, "crop_s": (0.1, 0.3)},
    "warp": {"warp_prob": 1.0},
    "jitter": {"warp_prob": 1.0, "time_jitter_s": 0.02, "band_jitter": 1.0},
    "equaliser": {"equaliser_prob": 1.0},
    "smooth": {"smooth_prob": 1.0},
    "coloured noise": {"noise_prob": 1.0, "babble_share": 0.0},
    "babble": {"noise_prob": 1.0, "babble_share": 1.0},
    "few or many voices": {"noise_prob": 1.0, "babble_share": 1.0, "babble_voices": (1, 12)},
    "loudness": {"loudness_prob": 1.0},
    "reverb": {"reverb_prob": 1.0},
    "band": {"band_prob": 1.0},
    "low cut": {"low_cut_prob": 1.0},
    "high cut": {"high_cut_prob": 1.0},
    "mask": {"mask_prob": 1.0},
}


def batch() -> tuple[Tensor, Tensor]:
    """Four clips of log-mel features, padded with zeros as the data module does."""
    clips = [LogMel()(torch.from_numpy(tone(200.0 * (i + 1), 0.4 + 0.1 * i, seed=i))) for i in range(4)]
    lengths = torch.tensor([len(clip) for clip in clips])
    return torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), lengths


def apply(seed: int = 0, inputs: tuple[Tensor, Tensor] | None = None, **settings: Any) -> tuple[Tensor, Tensor]:
    features, lengths = inputs or batch()
    return Augment(AugmentSettings(**settings), HOP_S, HZ)(features, lengths, torch.Generator().manual_seed(seed))


def valid(features: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(features.shape[1]) < lengths[:, None]


def test_with_all_parts_off_nothing_changes() -> None:
    features, lengths = batch()
    out, new_lengths = apply()
    torch.testing.assert_close(out, features, atol=0, rtol=0)
    torch.testing.assert_close(new_lengths, lengths)


@pytest.mark.parametrize("part", PARTS)
def test_every_part(part: str) -> None:
    features, lengths = batch()
    before = features.clone()
    out, new_lengths = apply(1, (features, lengths), **PARTS[part])
    torch.testing.assert_close(features, before, atol=0, rtol=0)  # the cache is not written to
    again, again_lengths = apply(1, **PARTS[part])
    torch.testing.assert_close(out, again, atol=0, rtol=0)
    torch.testing.assert_close(new_lengths, again_lengths)
    assert out.isfinite().all()
    assert out.shape == (4, int(new_lengths.max()), 64)
    assert (out[~valid(out, new_lengths)] == 0).all()
    for clip in range(4):
        frames = min(int(lengths[clip]), int(new_lengths[clip]))
        assert not torch.allclose(out[clip, :frames], features[clip, :frames], atol=1e-3), clip
    other, _ = apply(2, **PARTS[part])
    assert other.shape != out.shape or not torch.allclose(other, out)
    if part not in ("crop", "warp", "jitter"):
        torch.testing.assert_close(new_lengths, lengths)


@pytest.mark.parametrize("part", PARTS)
def test_labels_move_with_their_frames(part: str) -> None:
    features, lengths = batch()
    augment = Augment(AugmentSettings(**PARTS[part]), HOP_S, HZ)
    numbers = torch.arange(features.shape[1]).view(1, -1, 1).repeat(4, 1, 2)
    out, new_lengths, labels = augment.with_labels(features, lengths, numbers, torch.Generator().manual_seed(1))
    same, _ = apply(1, **PARTS[part])
    torch.testing.assert_close(out, same, atol=0, rtol=0)
    assert labels is not None
    assert labels.shape == (4, out.shape[1], 2)
    heard = valid(out, new_lengths)
    assert (labels[~heard] == IGNORE).all()
    for clip in range(4):
        own = labels[clip, : new_lengths[clip], 0]
        assert 0 <= own.min() <= own.max() < lengths[clip]
        if part not in ("crop", "warp", "jitter"):
            assert own.tolist() == list(range(int(lengths[clip])))
        elif part == "crop":
            torch.testing.assert_close(out[clip, : new_lengths[clip]], features[clip, own], atol=0, rtol=0)


def test_labels_follow_the_stretch() -> None:
    features, lengths = torch.zeros(1, 100, 8), torch.tensor([100])
    augment = Augment(AugmentSettings(warp_prob=1.0, stretch=(1.5, 1.5)), HOP_S, HZ)
    labels = (torch.arange(100) >= 40).long().view(1, -1, 1)
    _, _, moved = augment.with_labels(features, lengths, labels, torch.Generator().manual_seed(0))
    assert moved is not None
    assert int((moved == 1).sum()) == pytest.approx(90, abs=1)
    assert moved[0, 70, 0] == 1 > moved[0, 50, 0]


def test_the_standard_settings() -> None:
    settings = yaml.safe_load((ROOT / "conf" / "augment" / "standard.yaml").read_text())
    augment = Augment(parse_settings(AugmentSettings, settings, "augment"), HOP_S)
    generator = torch.Generator().manual_seed(0)
    seen = []
    for _ in range(5):
        out, lengths = augment(*batch(), generator)
        assert out.isfinite().all()
        assert (out[~valid(out, lengths)] == 0).all()
        seen.append(float(out.sum()))
    assert len(set(seen)) == 5  # the generator moves on


def test_one_clip_alone() -> None:
    features, lengths = batch()
    every = {key: value for part in PARTS.values() for key, value in part.items()}
    out, new_lengths = apply(0, (features[:1, : lengths[0]], lengths[:1]), **every)
    assert out.isfinite().all()
    assert out.shape[1] == new_lengths[0]


def test_a_probability_is_per_clip() -> None:
    features = torch.randn(400, 20, 16)
    out, _ = apply(0, (features, torch.full((400,), 20)), equaliser_prob=0.3)
    changed = (out != features).flatten(1).any(1).float().mean()
    assert float(changed) == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize("stretch", [0.8, 1.5])
def test_lengths_follow_the_stretch(stretch: float) -> None:
    features, lengths = batch()
    out, new_lengths = apply(warp_prob=1.0, stretch=(stretch, stretch), vtlp=(1.0, 1.0))
    torch.testing.assert_close(new_lengths, (lengths * stretch).round().long())
    frame = 20  # what was heard at frame 20 is now heard at 20 * stretch
    torch.testing.assert_close(out[:, round(frame * stretch)], features[:, frame], atol=1e-3, rtol=1e-3)


def test_vtlp_moves_frequencies_and_keeps_time() -> None:
    features = torch.zeros(1, 10, 64)
    features[:, :, 20] = 5.0
    lengths = torch.tensor([10])
    out, new_lengths = apply(0, (features, lengths), warp_prob=1.0, stretch=(1.0, 1.0), vtlp=(1.5, 1.5))
    assert int(new_lengths) == 10
    assert (out.argmax(2) == 30).all()


def test_the_equaliser_is_constant_over_time() -> None:
    features, _ = batch()
    features = features[:, :40]
    change = apply(0, (features, torch.full((4,), 40)), equaliser_prob=1.0, equaliser_db=6.0)[0] - features
    assert float(change.std(1).max()) < 1e-4
    assert 2 < float(change[:, 0].std() / DB) < 14


def test_reverberation_only_looks_back_and_fills_pauses() -> None:
    features = torch.full((1, 60, 8), -10.0)
    features[:, 20:25] = 3.0
    out, _ = apply(0, (features, torch.tensor([60])), reverb_prob=1.0, reverb_rt60_s=(0.5, 0.5))
    torch.testing.assert_close(out[:, :20], features[:, :20], atol=0.7, rtol=0)
    assert (out[:, 25:35] > features[:, 25:35] + 2).all()
    assert (out[:, 26:55].diff(dim=1) < 0).all()  # it dies away


def test_smoothing_keeps_the_sum_over_bands_and_flattens() -> None:
    features = torch.randn(2, 10, 64)
    out, _ = apply(0, (features, torch.tensor([10, 10])), smooth_prob=1.0)
    assert float(out.diff(dim=2).std()) < 0.6 * float(features.diff(dim=2).std())
    assert abs(float(out.mean() - features.mean())) < 0.05


def test_a_telephone_has_no_treble() -> None:
    features, lengths = batch()
    out, _ = apply(0, **PARTS["band"])
    for clip, length in enumerate(lengths):
        changed = (out[clip, :length] != features[clip, :length]).any(0)
        first = int(changed.int().argmax())
        assert first > 0.6 * 64
        assert changed[first:].all()
        floor = features[clip, :length].min()
        assert float(out[clip, :length, first:].max()) < float(floor) + 2.0


def test_masks_hold_the_mean_and_leave_most_of_the_clip() -> None:
    features, lengths = batch()
    out, _ = apply(0, mask_prob=1.0, mask_frames=8, mask_bands=6, masks=2)
    for clip, length in enumerate(lengths):
        changed = out[clip, :length] != features[clip, :length]
        assert 0 < float(changed.float().mean()) < 0.75
        torch.testing.assert_close(
            out[clip, :length][changed], features[clip, :length].mean().expand(int(changed.sum())), atol=1e-3, rtol=0
        )


def test_one_decibel() -> None:
    assert math.exp(10 * DB) == pytest.approx(10.0)


def test_a_crop_is_a_part_of_the_clip() -> None:
    features = torch.arange(60.0).view(1, 60, 1).expand(3, 60, 4)
    out, lengths = apply(0, (features, torch.tensor([60, 40, 5])), crop_prob=1.0, crop_s=(0.1, 0.2))
    assert lengths.tolist()[2] == 5  # shorter clips stay whole
    for clip, (length, whole) in enumerate(zip(lengths.tolist(), (60, 40, 5), strict=True)):
        frames = out[clip, :length, 0]
        assert 10 <= length <= 20 or length == whole
        assert (frames.diff() == 1).all()
        assert frames[0] >= 0
        assert frames[-1] < whole


@pytest.mark.parametrize(("part", "corner"), [("low_cut", 400.0), ("high_cut", 2000.0)])
def test_cuts_fall_off_outside_their_corner(part: str, corner: float) -> None:
    features, lengths = torch.zeros(1, 10, 64), torch.tensor([10])
    out, _ = apply(0, (features, lengths), **{f"{part}_prob": 1.0, f"{part}_hz": (corner, corner)})
    inside = corner <= HZ if part == "low_cut" else corner >= HZ
    assert (out[0, 0, inside] == 0).all()
    assert (out[0, 0, ~inside] < 0).all()
    octave = float(out[0, 0, (HZ - (corner / 2 if part == "low_cut" else corner * 2)).abs().argmin()]) / DB
    assert octave == pytest.approx(-24 if part == "low_cut" else -80, rel=0.2)


def test_cuts_need_bands_with_frequencies() -> None:
    with pytest.raises(ValueError, match="frequencies"):
        Augment(AugmentSettings(low_cut_prob=1.0), HOP_S)


def test_loudness_wanders_over_time_alone() -> None:
    features = torch.zeros(2, 50, 8)
    out, _ = apply(3, (features, torch.tensor([50, 50])), loudness_prob=1.0, loudness_db=4.0)
    torch.testing.assert_close(out, out[:, :, :1].expand_as(out))
    assert out.std(1).min() > 0.1

"""Noise at the SNR that the public benchmark means, the same in every run."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from slu.benchmarks.noise import Babble, RecordedNoise, loudest_frame, mix_by_loudest_frames, noisy_conditions
from slu.common.errors import UserError
from tests.conftest import RATE, tone


def test_the_snr_is_that_of_the_loudest_frames() -> None:
    speech = np.concatenate([np.zeros(RATE, np.float32), tone(200, 0.5), np.zeros(RATE, np.float32)])
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    mixed = mix_by_loudest_frames(speech, noise, 6.0, RATE)
    assert np.abs(mixed).max() == pytest.approx(0.5)
    # Taken apart again: the mixture is a * speech + b * noise.
    (a, b), *_ = np.linalg.lstsq(np.stack([speech, noise], axis=1), mixed, rcond=None)
    frames = len(speech) // 2048
    energies = [((x[: frames * 2048].reshape(frames, 2048)) ** 2).sum(axis=1).max() for x in (a * speech, b * noise)]
    assert 10 * np.log10(energies[0] / energies[1]) == pytest.approx(6.0, abs=0.01)
    over_the_clip = 10 * np.log10(np.mean((a * speech) ** 2) / np.mean((b * noise) ** 2))
    assert over_the_clip < 0, "the pauses would have made it another figure"


def test_a_clip_shorter_than_a_frame_and_silence() -> None:
    short = tone(200, 0.05)
    assert loudest_frame(short, RATE) == pytest.approx(float(np.square(short, dtype=float).sum()))
    assert mix_by_loudest_frames(short, np.zeros_like(short), 6.0, RATE) is short


def test_draws_differ_and_runs_agree(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    (tmp_path / "readme.txt").write_text("no audio")
    files = sorted(tmp_path.iterdir())
    speech = tone(300, 0.4)

    def heard(seed: int = 0) -> dict[tuple[str, float, int], np.ndarray]:
        noise = RecordedNoise("kitchen", files, RATE)
        conditions = noisy_conditions([noise], [6.0, 12.0], 2, RATE, seed)
        return {key: condition.change(speech, 5) for key, condition in conditions.items()}

    first, again = heard(), heard()
    assert list(first) == [("kitchen", 6.0, 0), ("kitchen", 6.0, 1), ("kitchen", 12.0, 0), ("kitchen", 12.0, 1)]
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["kitchen", 6.0, 0], first["kitchen", 6.0, 1])
    assert not np.array_equal(first["kitchen", 6.0, 0], heard(seed=1)["kitchen", 6.0, 0])
    keys = {c.key for c in noisy_conditions([RecordedNoise("kitchen", files, RATE)], [6.0], 2, RATE, 0).values()}
    assert len(keys) == 2, "answers are kept by key"


def test_noise_that_is_shorter_than_the_clip_goes_round(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", tone(500, 0.1), RATE)
    noise = RecordedNoise("tick", [tmp_path / "a.wav"], RATE)
    assert len(noise.stretch(RATE, 0, np.random.default_rng(0))) == RATE
    with pytest.raises(UserError, match="noise: tick holds no audio"):
        RecordedNoise("tick", [tmp_path / "none.wav"], RATE)


def test_no_clip_is_heard_in_its_own_babble() -> None:
    loud, quiet = np.ones(RATE, np.float32), tone(300, 1.0)
    babble = Babble([(0, loud), (1, quiet)], ["a", "b"])
    others = babble.stretch(RATE, 0, np.random.default_rng(0))
    everybody = babble.stretch(RATE, 7, np.random.default_rng(0))
    assert abs(others.mean()) < 0.2 < everybody.mean()

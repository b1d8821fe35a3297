"""What is different is found, what is not is left alone, and both are told in plain words."""

import json

import numpy as np
import pytest

from slu.monitoring.distance import Sample, classes_apart, holm, numbers_apart, stability
from slu.monitoring.drift import REASONS, drift
from slu.monitoring.reference import Reference, intraclass, read_reference
from slu.monitoring.settings import DriftSettings
from tests.monitoring.helpers import PRODUCTS, lines, reference, sketch_of

SETTINGS = DriftSettings(clips_per_speaker=1)


def sample(values: np.ndarray, bins: int = 20) -> Sample:
    counts = np.bincount(values, minlength=bins)
    return Sample(counts, float(counts.sum()))


def drifted(records: list, **settings: object) -> list[str]:
    chosen = DriftSettings(**{"clips_per_speaker": 1, **settings})
    return [change.name for change in drift(sketch_of(records), reference(), chosen) if change.drifted]


def test_p_values_of_equal_samples_are_even_and_their_stability_is_nothing() -> None:
    rng = np.random.default_rng(0)
    before = rng.binomial(19, 0.5, 400)
    found = [numbers_apart(sample(rng.binomial(19, 0.5, 60)), sample(before)) for _ in range(200)]
    assert np.mean([one.p < 0.05 for one in found]) <= 0.05
    assert np.mean([one.psi for one in found]) < 0.05
    classes = [classes_apart(sample(rng.integers(0, 5, 60), 5), sample(rng.integers(0, 5, 400), 5)) for _ in range(60)]
    assert np.mean([one.p < 0.05 for one in classes]) <= 0.06


def test_the_distances_are_those_of_the_textbook() -> None:
    now, before = Sample(np.array([10, 90]), 1e9), Sample(np.array([50, 50]), 1e9)
    index = (0.1 - 0.5) * np.log(0.1 / 0.5) + (0.9 - 0.5) * np.log(0.9 / 0.5)
    assert stability(now, before, np.arange(2)) == pytest.approx(index, abs=1e-6)
    assert numbers_apart(now, before).ks == pytest.approx(0.4)
    assert holm([0.01, 0.04, 0.02]) == pytest.approx([0.03, 0.04, 0.04])


def test_nothing_has_drifted_where_nothing_has_changed() -> None:
    assert sum(bool(drifted(lines(60, seed=seed))) for seed in range(10)) == 0


def test_quieter_clips_are_found_and_told() -> None:
    changes = drift(sketch_of(lines(60, level_db=-33.0)), reference(), SETTINGS)
    assert [change.name for change in changes if change.drifted] == ["level_db"]
    assert changes[0].sentence.startswith("Clips are quieter than those it was tested on: level -")
    assert "microphone" in changes[0].look


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"labels": {"product": "tea"}}, "product", ["more 'tea'", "100% against"]),
        ({"reason": "silence"}, REASONS, ["Fewer clips are understood", "silence 100% against 0%"]),
        ({"pitch_hz": 300.0}, "pitch_hz", ["higher in voice", "times 1."]),
        ({"confidence": 0.5}, "confidence", ["less confidence"]),
        ({"level_db": -25.0}, "level_db", ["differ less in level", "half of them lie between"]),
    ],
)
def test_each_kind_of_change_is_told_in_its_own_words(changes: dict, name: str, words: list[str]) -> None:
    records = [record | changes for record in lines(60)]
    found = {change.name: change for change in drift(sketch_of(records), reference(), SETTINGS)}
    assert found[name].drifted
    assert all(word in found[name].sentence for word in words), found[name].sentence


def test_a_rare_reason_that_was_never_there_is_found() -> None:
    silent = lines(10, reason="silence") + lines(50, seed=1)
    assert drifted(silent) == [REASONS]


def test_small_windows_and_small_differences_say_nothing() -> None:
    assert drift(sketch_of(lines(29, level_db=-60.0)), reference(), SETTINGS) == []
    slightly = lines(2000, level_db=-26.0)
    (level,) = [c for c in drift(sketch_of(slightly), reference(2000), SETTINGS) if c.name == "level_db"]
    assert level.p < 0.01
    assert not level.drifted


def test_facts_can_be_left_out() -> None:
    assert drifted(lines(60, level_db=-40.0), ignore=("level_db",)) == []
    assert drifted(lines(60, labels={"product": "tea"}), ignore=("product",)) == []


def test_clips_of_few_speakers_count_for_less() -> None:
    one_person = sketch_of(lines(60, pitch_hz=240.0))
    surely, perhaps = (
        next(c for c in drift(one_person, reference(pitch_hz=0.9), settings) if c.name == "pitch_hz")
        for settings in (SETTINGS, DriftSettings(clips_per_speaker=30))
    )
    assert surely.drifted
    assert not perhaps.drifted
    assert reference(pitch_hz=0.5).independent(100, "pitch_hz", 5) == pytest.approx(100 / 3)


def test_the_likeness_of_a_speakers_clips_is_measured() -> None:
    rng, owners = np.random.default_rng(0), np.repeat(np.arange(40), 10)
    people = rng.normal(0, 1, 40)[owners]
    assert intraclass(rng.normal(0, 1, 400), owners.tolist()) < 0.1
    assert intraclass(people + rng.normal(0, 1, 400), owners.tolist()) == pytest.approx(0.5, abs=0.12)
    assert intraclass(people, owners.tolist()) == pytest.approx(1.0)
    assert intraclass(np.full(400, np.nan), owners.tolist()) == 0.0


def test_a_reference_survives_its_file_and_facts_of_other_bins_are_left_out(tmp_path) -> None:
    document = reference(pitch_hz=0.9).to_json()
    path = tmp_path / "reference.json"
    path.write_text(json.dumps(document))
    (tmp_path / "a bundle without one").mkdir()
    read = read_reference(path)
    assert read is not None
    assert read.to_json() == document
    document["grids"]["level_db"][0] = -90.0
    assert Reference.from_json(document).sketch.known("level_db") == 0
    assert read_reference(tmp_path / "a bundle without one") is None


def test_labels_of_a_head_are_those_of_answers() -> None:
    assert set(reference().sketch.labels["product"]) == set(PRODUCTS)

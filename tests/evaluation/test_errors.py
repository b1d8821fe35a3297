from pathlib import Path

import numpy as np

from slu.evaluation.errors import confident_mistakes, confusions, gathering, reading, slices, unsure_hits
from slu.evaluation.evaluation import Evaluation
from tests.evaluation.helpers import made_up

TEA2 = {"product": "tea", "quantity": "2"}


def test_the_surest_mistakes_and_the_least_sure_hits_come_first(tmp_path: Path) -> None:
    heard = [("tea", "2"), ("milk", "2"), ("tea", "1"), ("tea", "2"), ("tea", "2")]
    result = made_up(tmp_path, [TEA2] * 5, heard, confidence=[0.9, 0.6, 0.8, 0.5, 0.7])
    assert confident_mistakes(result) == [2, 1]
    assert confident_mistakes(result, 1) == [2]
    assert unsure_hits(result) == [3, 4, 0]
    assert [(c.said, c.heard, c.count, c.of) for c in confusions(result, result.spec.head("product"))] == [
        ("tea", "milk", 1, 5)
    ]


def test_a_clip_with_a_missing_label_is_wrong_only_in_what_is_known(tmp_path: Path) -> None:
    rows = [{"product": "tea", "quantity": ""}, {"product": "tea", "quantity": ""}]
    result = made_up(tmp_path, rows, [("tea", "1"), ("milk", "1")])
    assert result.right.tolist() == [True, False]
    assert result.complete.tolist() == [False, False]
    assert unsure_hits(result) == []


def _many(folder: Path, wrong: np.ndarray, speakers: list[str] | None = None, **facts: object) -> Evaluation:
    rows = [TEA2 | ({"speaker": speakers[i]} if speakers else {}) for i in range(len(wrong))]
    return made_up(folder, rows, [("milk" if miss else "tea", "2") for miss in wrong], **facts)  # type: ignore[arg-type]


def test_errors_of_one_speaker_are_found_to_gather(tmp_path: Path) -> None:
    speakers = [f"s{i % 10}" for i in range(100)]
    wrong = np.array([s == "s3" for s in speakers])
    found = gathering(_many(tmp_path, wrong, speakers))
    assert found is not None
    assert (found.worst, found.errors, found.of) == ("s3", 10, 10)
    assert found.p < 0.01
    assert any("Errors gather in speakers: s3 has 10 of the 10" in s for s in reading(_many(tmp_path, wrong, speakers)))


def test_evenly_spread_errors_are_not_found_to_gather(tmp_path: Path) -> None:
    speakers = [f"s{i % 10}" for i in range(100)]
    wrong = np.arange(100) < 20  # two of each speaker
    text = reading(_many(tmp_path, wrong, speakers))
    assert any(s.startswith("No sign that errors gather in speakers") for s in text)


def test_short_clips_that_fail_are_named_and_nothing_else_is(tmp_path: Path) -> None:
    duration = np.linspace(0.3, 2.0, 80)
    result = _many(tmp_path, duration < 0.6, None, duration_s=duration)
    found = {s.name: s for s in slices(result)}
    assert found["short clips"].p < 0.001
    assert found["short clips"].rest == 0
    sentence = reading(result)[-1]
    assert sentence.startswith("Short clips (the quarter up to 0.7 s)")
    assert "quiet" not in sentence
    # Levels and SNR are all equal: the quarter is everybody, so there is nothing to compare.
    assert set(found) == {"short clips"}


def test_random_errors_have_no_pattern(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    result = _many(tmp_path, rng.random(200) < 0.1, None, duration_s=rng.uniform(0.3, 2.0, 200))
    assert reading(result)[-1].startswith("No sign that short")


def test_few_errors_and_none(tmp_path: Path) -> None:
    assert reading(_many(tmp_path, np.arange(50) < 2))[-1].startswith("These are too few errors")
    assert reading(_many(tmp_path, np.zeros(50, bool))) == [
        "None of the 50 clips is wrong; the interval says how much that proves."
    ]

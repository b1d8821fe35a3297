"""The same segments under several splits: what is planned, what is made, what is made again, and what is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.corpus.splits import SplitSettings, leaking_recordings, leaking_speakers
from slu.studies.split_effect import TrialResult, plan, split_effect_settings, split_rows
from slu.studies.split_report import make_report, seed_interval, split_table
from slu.training.stages import Prepared
from tests.conftest import RATE, tone
from tests.studies.helpers import M1
from tests.studies.test_decision import SETTINGS
from tests.studies.test_fits import data  # noqa: F401 (a fixture)

VALUES: dict[str, Any] = {"methods": ["random", "speaker"], "seeds": [0], "models": {}, "jobs": 1}
COMMAND = [
    *(s for s in SETTINGS if not s.startswith(("trainer.max_epochs", "loss.unlabelled", "+data.display"))),
    "trainer.max_epochs=1",
    "data.segment_s=0.5",
    "data.split.test=0.25",
    "split_effect={methods: [random, speaker], seeds: [0], models: {}, jobs: 1}",
]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen recordings of eight people, of three segments each."""
    folder = tmp_path_factory.mktemp("recordings")
    rows = []
    for index in range(16):
        high, speaker = index // 2 % 2, index // 2
        sf.write(folder / f"{index}.wav", tone(300 * (1 + high) + 20 * speaker, 1.5, seed=index), RATE)
        rows.append({"file_name": f"{index}.wav", "pitch": ("low", "high")[high], "speaker": f"s{speaker}"})
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


def test_the_study_is_one_table_that_goes_on_where_it_was_cut_short(
    recordings: Path, tmp_path: Path, printed: Callable[..., tuple[int, str]]
) -> None:
    code, text = printed("train", f"data.manifest={recordings}", *COMMAND)
    assert code == 0, text
    assert "features: 48 segments of 16 recordings, 16 computed now" in text
    assert "fit 2 of 2: m1, speaker, seed 0" in text
    (study,) = (tmp_path / "out/studies").iterdir()
    assert study.name.startswith("split_effect-")
    assert sorted(path.name for path in study.iterdir()) == ["m1-random-0.json", "m1-speaker-0.json"]
    (run,) = (tmp_path / "out/runs/train").iterdir()
    facts = json.loads((run / "split_effect.json").read_text())
    at_random, by_speaker = facts["fits"]
    assert (at_random["sides"]["test"]["segments"], by_speaker["sides"]["test"]["segments"]) == (12, 12)
    assert by_speaker["sides"]["test"] == {"segments": 12, "recordings": 4, "speakers": 2}
    assert at_random["leaking_recordings"] > 4
    assert (by_speaker["leaking_recordings"], by_speaker["split"]) == (0, "speaker-disjoint")
    assert [row["tests"] for row in facts["rows"]] == ["recordings it has heard", "new people"]
    assert "of a single seed" in facts["answer"]
    page = (run / "report.html").read_text()
    assert "What a leak is worth" in page
    assert not (tmp_path / "out/registry").exists()

    (study / "m1-speaker-0.json").unlink()
    again, text = printed("train", f"data.manifest={recordings}", *COMMAND)
    assert again == 0, text
    assert "0 computed now" in text
    assert "study: 2 fits" in text
    assert "1 of them done before" in text
    assert "fit 2 of 2: m1, speaker" in text
    assert "fit 1 of 2" not in text
    assert json.loads((study / "m1-speaker-0.json").read_text())["accuracy"] == by_speaker["accuracy"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["by_luck"]}, r"split_effect\.methods\.0: .*'random', 'recording' or 'speaker'"),
        ({"methods": []}, r"split_effect\.methods: "),
        ({"methods": ["random", "random"]}, r"split_effect\.methods: .*twice"),
        ({"seeds": []}, r"split_effect\.seeds: "),
        ({"seeds": [1, 1]}, r"split_effect\.seeds: .*twice"),
        ({"jobs": 0}, r"split_effect\.jobs: "),
        ({"models": {"a/b": M1}}, r"split_effect\.models\."),
        ({"method": "random"}, r"split_effect\.method: there is no such setting"),
    ],
)
def test_bad_settings_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        split_effect_settings(VALUES | change, "m1", M1)


def test_the_runs_own_model_stands_in_where_none_is_named() -> None:
    assert split_effect_settings(VALUES, "m1", M1).models == {"m1": M1}
    assert list(split_effect_settings(VALUES | {"models": {"a": M1}}, "m1", M1).models) == ["a"]


def test_what_cannot_be_compared_is_refused_before_anything_is_trained(data: Prepared) -> None:  # noqa: F811
    settings = split_effect_settings(VALUES, "m1", M1)
    shares = SplitSettings(val=0.2, test=0.2)
    with pytest.raises(UserError, match=r"a split by recording is the one at random; .*data\.segment_s=3"):
        plan(replace(settings, methods=("recording",)), data, shares)
    few = data.features.table
    few = few[(few["pitch"] == "low") | (few["speaker"] == "s0")]
    one_sided = replace(data, features=replace(data.features, table=few))
    with pytest.raises(UserError, match=r"split_effect\.methods=speaker with seed \d: 'high' of head 'pitch'"):
        plan(replace(settings, methods=("speaker",), seeds=tuple(range(9))), one_sided, shares)


def test_synthetic_voices_that_train_along_have_no_part_in_it(data: Prepared) -> None:  # noqa: F811
    table = data.features.table
    along = table.assign(synthetic=np.where(table["speaker"] == "s0", "yes", ""), recording=table["speaker"])
    segments = replace(data, features=replace(data.features, table=pd.concat([along, along]).sort_index()))
    rows = {m: split_rows(segments, SplitSettings(m, val=0.2, test=0.2)) for m in ("random", "recording", "speaker")}
    assert all(set(part["speaker"]) == {f"s{n}" for n in range(1, 6)} for part in rows.values())
    assert {len(part) for part in rows.values()} == {160}
    assert leaking_speakers(rows["random"])
    assert leaking_recordings(rows["recording"]) == leaking_speakers(rows["speaker"]) == []


def made_up(accuracies: dict[str, list[float]]) -> list[TrialResult]:
    leaks = {"random": (6, 8), "recording": (6, 0), "speaker": (0, 0)}
    words = {
        "random": "speakers leak",
        "recording": "speakers leak, recordings disjoint",
        "speaker": "speaker-disjoint",
    }
    sizes = {"segments": 40, "recordings": 8, "speakers": 6}
    return [
        TrialResult("", "lstm", m, seed, words[m], *leaks[m], {"train": sizes, "test": sizes}, value, value, 9, 3.0, 99)
        for m, values in accuracies.items() for seed, value in enumerate(values)
    ]  # fmt: skip


def test_the_sentence_says_what_the_leak_is_worth(data: Prepared) -> None:  # noqa: F811
    results = made_up({"random": [1.0, 0.98, 0.99], "recording": [0.92, 0.84, 0.94], "speaker": [0.9, 0.88, 0.89]})
    report = make_report(results, data, synthetic=True)
    assert "lstm: 89.0 % of the segments of new people are right." in report.answer
    assert (
        "Split at random it seems to be 99.0 %, for other pieces of the same recordings have trained: "
        "the leak is worth 10.0 points with every seed." in report.answer
    )
    assert (
        "other recordings of the same people have trained: +1.0 points (95 % interval over 3 seeds -" in report.answer
    )
    assert report.answer.count("which the seeds cannot tell from none") == 1
    assert any("synthetic" in note for note in report.method)
    assert [row.tests for row in report.rows] == ["recordings it has heard", "people it has heard", "new people"]
    assert split_table(report.rows).row_count == 3
    alone = make_report(made_up({"random": [1.0]}), data, synthetic=False)
    assert "nothing to compare" in alone.answer


def test_intervals_over_seeds() -> None:
    assert seed_interval([0.5]) is None
    assert seed_interval([0.5, 0.5]) is None
    low, high = seed_interval([0.8, 0.9, 1.0], 0.0) or (0.0, 0.0)
    assert (low, high) == pytest.approx((0.9 - 4.3027 * 0.1 / 3**0.5, 1.0), abs=1e-4)

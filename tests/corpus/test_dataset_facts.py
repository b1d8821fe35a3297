"""What a data set says of itself."""

import json
from pathlib import Path

import pandas as pd

from slu.corpus.dataset_facts import write_dataset_facts

TABLE = pd.DataFrame(
    {
        "gender": ["female", "female", "male", ""],
        "speaker": ["ana", "ana", "budi", "citra"],
        "split": ["train", "train", "test", "train"],
        "duration_s": [1.0, 3.0, 2.0, 2.0],
    }
)


def test_counts_durations_settings_and_versions(tmp_path: Path) -> None:
    write_dataset_facts(tmp_path, TABLE, ["gender"], {"front_end": {"name": "mfcc"}}, "abc")
    facts = json.loads((tmp_path / "metadata.json").read_text())
    assert (facts["clips"], facts["recordings"], facts["speakers"]) == (4, None, 3)
    assert facts["classes"] == {"gender": {"female": 2, "male": 1}}
    assert facts["classes_by_split"] == {"test": {"gender": {"male": 1}}, "train": {"gender": {"female": 2}}}
    assert facts["clips_per_speaker"] == {"ana": 2, "budi": 1, "citra": 1}
    assert facts["duration_s"] == {"total": 8.0, "mean": 2.0, "min": 1.0, "max": 3.0}
    assert facts["split"] == "speaker-disjoint"
    assert (facts["settings"], facts["content_hash"]) == ({"front_end": {"name": "mfcc"}}, "abc")
    assert facts["versions"]["python"].startswith("3.")


def test_a_table_without_speakers_and_splits(tmp_path: Path) -> None:
    write_dataset_facts(tmp_path, TABLE[["duration_s"]].assign(word="x"), ["word", "absent"], {}, "abc")
    facts = json.loads((tmp_path / "metadata.json").read_text())
    assert (facts["speakers"], facts["split"], facts["clips_per_split"]) == (None, None, {})
    assert facts["classes"] == {"word": {"x": 4}, "absent": {}}

"""What is known of two real data sets is found in them: splits that share their speakers."""

from dataclasses import replace
from pathlib import Path

import pytest

from slu.corpus.retail_tables import read_retail
from slu.corpus.splits import SplitSettings
from slu.exploration.dataset import from_manifest
from slu.exploration.decisions import decide, settings_of
from slu.exploration.sources import from_source
from slu.exploration.warnings import warn
from tests.conftest import SHARED
from tests.exploration.helpers import findings_of

FSDD = SHARED / "data" / "fsdd"
RETAIL = SHARED / "data" / "retail_sources"
RETAIL_SETTINGS = {
    "folder": str(RETAIL),
    "tables": ["metadata-google-tts-split.csv", "metadata-google-tts.csv", "label_final_revisi-manual.csv"],
    "label_columns": {"product": ["product_id", "produk", "product"], "quantity": ["quantity"]},
    "ignored_words": ["catat"],
    "keep": ["tipe"],
}


@pytest.mark.skipif(not FSDD.is_dir(), reason=f"the Free Spoken Digit Dataset is not at {FSDD}")
def test_the_digits_own_split_shares_all_six_speakers(tmp_path: Path) -> None:
    split = SplitSettings(method="column", column="source_split")
    dataset = from_manifest(FSDD / "metadata.csv", ["digit"], split)
    few = dataset.table.index % 10 == 0
    dataset = replace(
        dataset,
        table=dataset.table[few].reset_index(drop=True),
        audio=tuple(path for path, chosen in zip(dataset.audio, few, strict=True) if chosen),
    )
    findings = findings_of(dataset, tmp_path)
    assert warn(findings)[0].startswith(
        "Leak: 6 of 6 speakers (george, jackson, lucas, nicolas, theo, yweweler) stand on more than one side of the "
        "split (train and test)."
    )
    decided = settings_of(decide(findings))
    assert "cross_validation=leave_one_speaker_out" in decided
    assert "model.normalise=tilt" in decided
    assert findings.pairs == []
    assert findings.correlations
    assert set(findings.heard["sample_rate"]) == {8000}


@pytest.mark.skipif(not RETAIL.is_dir(), reason=f"the owners' tables are not at {RETAIL}")
def test_the_retail_owners_split_shares_its_speakers(tmp_path: Path) -> None:
    heads = ["product", "quantity"]
    findings = findings_of(from_source(read_retail(RETAIL_SETTINGS, heads), "retail", heads), tmp_path)
    warnings = warn(findings)
    assert warnings[0].startswith("The audio of all 1000 clips is missing")
    assert warnings[0].endswith("source.audio=FOLDER.")
    assert warnings[1].startswith("Leak: 4 of 4 speakers (speaker_a, speaker_b, speaker_c, tts_google) stand on more")
    assert "(train, val and test)" in warnings[1]
    assert findings.dataset.notes[0].startswith("3000 rows of 3 tables describe 1000 clips (1000 clips in 3 rows)")
    assert findings.others["tipe"]["clips"].to_dict() == {"synt": 550, "manual": 450}
    assert [head.occurring for head in findings.heads] == [10, 5]
    assert findings.joint is not None
    assert (findings.joint.to_numpy() > 0).all()
    assert findings.repeats is not None
    assert findings.repeats.across > 0
    assert "cross_validation=leave_one_speaker_out" in settings_of(decide(findings))

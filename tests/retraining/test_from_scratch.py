"""A challenger that is trained anew: on everything, as its champion was, and from settings that can be trusted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from slu.bundles import load_bundle
from slu.common.errors import UserError
from slu.common.files import read_json, write_json
from slu.feedback.schema import USED
from slu.retraining.base import base_corpus, frozen_test
from slu.retraining.from_scratch import ScratchSettings
from tests.adaptation.helpers import new_person, train_bundle
from tests.retraining.helpers import GATE, accept_all, correct, live, registry_of, retraining
from tests.retraining.test_cycle import right

TRAINED: dict[str, Any] = {
    "optimizer": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 5e-3},
    "scheduler": {"_target_": "slu.training.schedule.constant", "_partial_": True},
    "trainer": {"max_epochs": 8, "accelerator": "cpu", "devices": 1},
    "loader": {"batch_size": 16},
    "loss": {"label_smoothing": 0.0},
    "workers": 1,
    "min_confidence": 0.0,
    "patience": 0,
}


def trained_by(folder: Path, tones: Path, **changed: Any) -> None:
    """Write into the bundle how it was trained, as slu.train does."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    data = {
        "task": "tones", "manifest": str(tones), "synthetic_speech": False, "min_duration_s": 0.1,
        "max_duration_s": 10.0, "on_bad_audio": "error", "heads": ["pitch", "length"],
    }  # fmt: skip
    spec = read_json(folder / "spec.json")
    (folder / "config.yaml").write_text(
        yaml.safe_dump({**config, **TRAINED, "features": spec["front_end"], "data": data, **changed})
    )


def test_it_learns_what_the_champion_knew_and_the_corrections(tones: Path, tmp_path: Path) -> None:
    registry = registry_of(tones, tmp_path, lambda bundle: trained_by(bundle, tones))
    clips = new_person(tmp_path / "new", 32)
    few = replace(GATE, max_ece_rise=0.1)  # 16 test clips say little of a calibration
    how = {"method": "from_scratch", "scratch": ScratchSettings(max_epochs=24), "test": None, "gate": few}
    work = retraining(tones, tmp_path, **how)
    correct(work.store, registry, clips, tmp_path / "out")
    accept_all(work.store)
    before = live(registry)
    assert right(before, clips) < 0.7
    outcome = work.run()
    assert outcome.version is not None, outcome.said
    assert outcome.work is not None
    made = load_bundle(live(registry))
    assert made.version == outcome.version
    assert right(live(registry), clips) > 0.9
    assert made.metrics["parent"] == before.name
    assert made.metrics["manifest"] == str(tones), "the base of the next generation is that of the first"
    assert (live(registry) / "reference.json").is_file()
    decision = read_json(outcome.work / "decision.json")
    assert decision["method"] == "from scratch"
    sides = pd.read_csv(outcome.work / "scratch.csv", dtype=str)["split"].value_counts()
    base = pd.read_csv(tones)["split"].value_counts()
    assert (sides["val"], sides["test"]) == (base["val"], base["test"])
    assert sides["train"] == base["train"] + decision["corrections learnt from"]
    assert {row.state for row in work.store.rows()} == {USED}


def test_a_fit_that_was_cut_short_goes_on(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = registry_of(tones, tmp_path, lambda bundle: trained_by(bundle, tones))
    clips = new_person(tmp_path / "new", 32)
    work = retraining(tones, tmp_path, method="from_scratch", scratch=ScratchSettings(max_epochs=3))
    correct(work.store, registry, clips, tmp_path / "out")
    accept_all(work.store)

    def cut_short(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr("slu.retraining.from_scratch.choose_decision", cut_short)
        with pytest.raises(KeyboardInterrupt):
            work.run()
    assert "epoch 3/3" in capsys.readouterr().out
    work.run()
    assert "epoch 3/3" not in capsys.readouterr().out, "the epochs that were done are not done again"


def test_settings_of_a_bundle_from_anywhere_run_no_code(tones: Path, tmp_path: Path) -> None:
    registry, clips = registry_of(tones, tmp_path), new_person(tmp_path / "new", 32)
    work = retraining(tones, tmp_path, method="from_scratch")
    correct(work.store, registry, clips, tmp_path / "out")
    accept_all(work.store)
    with pytest.raises(UserError, match=r"does not say how to train it anew .*; use method=fine_tune"):
        work.run()
    trained_by(live(registry), tones, optimizer={"_target_": "os.system", "command": f"touch {tmp_path / 'oops'}"})
    with pytest.raises(UserError, match=r"'os\.system' in the bundle's configuration is no optimizer"):
        work.run()
    assert not (tmp_path / "oops").exists()


def test_the_frozen_test_is_the_side_that_the_champion_never_trained_on(tones: Path, tmp_path: Path) -> None:
    table = pd.read_csv(tones, dtype=str).drop(columns="split")
    (tmp_path / "audio").symlink_to(tones.parent / "audio")
    table.to_csv(tmp_path / "unsplit.csv", index=False)
    bundle = train_bundle(tones, tmp_path)
    trained_by(bundle, tmp_path / "unsplit.csv")
    metrics = read_json(bundle / "metrics.json") | {"manifest": str(tmp_path / "unsplit.csv")}
    write_json(bundle / "metrics.json", metrics)
    champion = load_bundle(bundle)
    base, test = base_corpus(champion), frozen_test(champion, None)
    assert set(base.table["split"]) == {"train", "val", "test"}
    assert list(test.table["file_name"]) == list(base.table["file_name"][base.table["split"] == "test"])
    assert not set(test.table["speaker"]) & set(base.table["speaker"][base.table["split"] == "train"])
    (tmp_path / "unsplit.csv").unlink()
    with pytest.raises(UserError, match=r"are not there any more; name others to test on: test=path/metadata\.csv"):
        frozen_test(champion, None)

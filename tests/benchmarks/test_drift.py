"""The study of drift: what it plants, and that it reads its own logs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from slu.audio.decode import rms_db
from slu.benchmark import take_name
from slu.benchmarks import drift, sound_shifts
from slu.benchmarks.drift import DriftStudySettings, conditions, study
from slu.benchmarks.drift_report import drift_table, summary
from slu.common.errors import UserError
from slu.common.files import write_json
from slu.common.settings import parse_settings
from slu.corpus.manifest import read_manifest
from slu.corpus.synthesised import ensure_synthesised, synthesis_settings
from slu.inference.onnx_runtime import open_predictor
from slu.monitoring.reference import hear_reference
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, ROOT, tone

KEEP_LEVEL = ("noisier", "telephone", "other_microphone", "overdriven", "by_another_rate")


def settings(**changes: Any) -> DriftStudySettings:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("benchmark/drift", [])
    values = OmegaConf.to_container(OmegaConf.masked_copy(config, [k for k in config if k != "hydra"]), resolve=True)
    return parse_settings(DriftStudySettings, {**values, **changes}, "settings")


def plain(chosen: DriftStudySettings):
    return synthesis_settings(chosen.synthesis, chosen.voices)


def test_ten_shifts_and_ten_other_draws_of_the_same() -> None:
    chosen = settings()
    found = conditions(chosen, plain(chosen))
    shifted, same = ([one for one in found if one.shifted == which] for which in (True, False))
    assert (len(shifted), len(same)) == (10, 10)
    assert len({one.name for one in found}) == 20
    assert len({one.synthesis.seed for one in same}) == 10
    assert plain(chosen).seed not in {one.synthesis.seed for one in found}  # nothing that was trained or tested on
    assert {len(one.menu.heads["product"].classes) for one in shifted if "class mix" in one.name} == {3}


@pytest.mark.parametrize("name", KEEP_LEVEL)
def test_what_is_no_change_of_level_keeps_it(name: str) -> None:
    clip, rng = tone(500, 1.0, noise=0.02), np.random.default_rng(0)
    changed = getattr(sound_shifts, name)(clip, RATE, rng)
    assert changed.shape == clip.shape
    assert changed.dtype == np.float32
    assert rms_db(changed) == pytest.approx(rms_db(clip), abs=0.1)


def test_levels_change_as_they_say_and_silence_comes_now_and_then() -> None:
    clip, rng = tone(500, 0.5), np.random.default_rng(0)
    assert rms_db(sound_shifts.quieter(clip, RATE, rng)) == pytest.approx(rms_db(clip) - 10, abs=0.01)
    levels = [rms_db(sound_shifts.sometimes_silent(clip, RATE, rng)) for _ in range(200)]
    assert np.mean(np.array(levels) < -60) == pytest.approx(0.3, abs=0.08)


def test_a_small_study_finds_a_quieter_shop_and_leaves_the_same_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tiny_bundle(tmp_path / "bundle")
    chosen = settings(bundle=str(bundle), outputs=str(tmp_path / "out"), clips=40, windows=(20, 40),
                      drift={"min_clips": 20, "ignore": ["confidence", "reasons", "product", "quantity"]})  # fmt: skip
    quiet = conditions(chosen, plain(chosen))[0]
    both = [quiet, replace(quiet, name="the same", shifted=False, change=sound_shifts.unchanged)]
    table, _ = ensure_synthesised(quiet.menu, quiet.synthesis, tmp_path / "out")
    monkeypatch.setattr(drift, "conditions", lambda *_: both)
    with pytest.raises(UserError, match="reference_file=FILE"):
        study(chosen, plain(chosen), tmp_path)
    predictor = open_predictor(bundle)
    assert predictor is not None
    write_json(bundle / "reference.json", hear_reference(predictor, read_manifest(table)).to_json())
    found = study(chosen, plain(chosen), tmp_path)
    assert [one.flagged for one in found] == [{20: (2, 2), 40: (1, 1)}, {20: (0, 2), 40: (0, 1)}]
    assert found[0].names[0] == "level_db"
    assert found[0].told[0].startswith("Clips are quieter")
    assert summary(found)["40 clips"]["false alarms"].startswith("0 of 1 windows")
    assert drift_table(found).row_count == 2


def test_the_command_knows_its_name() -> None:
    assert take_name(["drift", "clips=100"]) == ("drift", ["clips=100"])

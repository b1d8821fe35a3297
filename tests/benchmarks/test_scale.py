"""Growing corpora: clips that are all different, steps that count what they say, and what is made of the figures."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from slu.benchmarks.repeated import repeat
from slu.benchmarks.scale import growth, measure
from slu.benchmarks.scale_report import scale_table, write_scale
from slu.benchmarks.scale_steps import STEPS, ScaleSettings
from slu.common.errors import UserError
from slu.common.files import content_hash, read_json
from slu.corpus.alignments import read_alignments
from slu.corpus.manifest import read_manifest
from slu.training.alignment import find_alignments
from tests.benchmarks.test_benchmarks import MODELS
from tests.conftest import ROOT
from tests.training.test_preprocessing import LOGMEL


def group(name: str) -> dict[str, object]:
    return dict(yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text()))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ScaleSettings:
    return ScaleSettings(
        menu=group("menu/warung"),
        voices={**group("voices/espeak"), "speakers": {"train": 4, "val": 1, "test": 1}},
        synthesis=group("synthesis/espeak"),
        features=LOGMEL,
        augment=group("augment/standard"),
        model=MODELS["m1"],
        outputs=str(tmp_path_factory.mktemp("outputs")),
        sizes=(130,),
        spoken=100,
        train_up_to=0,
        batch_size=8,
    )


@pytest.fixture(scope="module")
def found(settings: ScaleSettings, tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, float]]:
    """One step in a process of its own, as all are in a measurement, and the other steps in this one."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slu.benchmarks.scale.STEPS", {"preprocess": STEPS["preprocess"]})
        figures = measure(settings, folder)
    assert not list(folder.iterdir()), "gigabytes would be left behind"
    repeat(spoken(settings), 130, folder)
    for name in ("preprocess", "again", "epoch"):
        figures[130] = STEPS[name](settings, folder) | figures[130]
    return figures


def spoken(settings: ScaleSettings) -> Path:
    return next(Path(settings.outputs).glob("corpus/*/metadata.csv"))


def test_every_step_is_measured(found: dict[int, dict[str, float]]) -> None:
    figures = found[130]
    assert (figures["computed"], figures["again_computed"], figures["features_files"]) == (130, 0, 5)
    assert "train_cpu_ms" not in figures
    for name in ("preprocess_cpu_ms", "again_cpu_ms", "read_cpu_ms", "augmented_cpu_ms", "epoch_peak_mb", "clips_kb"):
        assert figures[name] > 0, name
    assert figures["epoch_peak_mb"] >= figures["epoch_start_mb"]


def test_repeated_clips_are_all_different_and_keep_their_times(settings: ScaleSettings, tmp_path: Path) -> None:
    path = repeat(spoken(settings), 210, tmp_path)
    manifest, original = read_manifest(path), read_manifest(spoken(settings))
    files = [str(manifest.audio_path(row)) for row in range(210)]
    assert len({content_hash(Path(file)) for file in files}) == 210
    assert set(manifest.table["split"]) == {"train"}
    assert (
        manifest.table["text"].tolist()[:102]
        == manifest.table["text"].tolist()[102:204]
        == original.table["text"].tolist()
    )
    assert list(find_alignments(files).values())[:102] == list(read_alignments(spoken(settings)).values())


def test_a_trained_epoch_is_one_of_the_steps(settings: ScaleSettings, tmp_path: Path) -> None:
    repeat(spoken(settings), 110, tmp_path)
    figures = STEPS["train"](settings, tmp_path)
    assert figures["train_cpu_ms"] > 0
    assert figures["train_peak_mb"] >= figures["train_end_mb"] > 0


def test_growth_is_a_ratio_of_times_and_kilobytes_per_further_clip() -> None:
    figures = {100: {"a_ms": 2.0, "b_mb": 500.0, "files": 3.0}, 1124: {"a_ms": 3.0, "b_mb": 502.0, "c_ms": 1.0}}
    assert growth(figures) == {"a_ms": 1.5, "b_mb": 2.0}
    assert growth({100: figures[100]}) == {}


@pytest.mark.slow
def test_figures_are_shown_and_written(
    found: dict[int, dict[str, float]], settings: ScaleSettings, tmp_path: Path
) -> None:
    larger = {**found, 500: found[130]}
    assert scale_table(larger).row_count == scale_table(found).row_count > 10
    write_scale(larger, settings, tmp_path)
    assert read_json(tmp_path / "scale.json")["clips"]["500"]["computed"] == 130
    assert "all cached, CPU ms / clip" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_an_ended_measurement_is_a_sentence_and_leaves_nothing(settings: ScaleSettings, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the measurement of clips-102 ended early"):
        measure(replace(settings, features={"name": "no such front end"}, sizes=(102,)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_sizes_that_do_not_hold_what_is_spoken_are_refused(settings: ScaleSettings) -> None:
    with pytest.raises(ValueError, match="at least 102"):
        replace(settings, sizes=(500, 50))

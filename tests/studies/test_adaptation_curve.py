"""The adaptation curve: who is drawn, what is made again, what is shown."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from slu.adaptation.clips import Clips, labelled_clips
from slu.adaptation.replay import Replay
from slu.adaptation.settings import AdaptSettings
from slu.bundles import load_bundle
from slu.common.errors import UserError
from slu.studies.adaptation_curve import AdaptationCurveSettings, mistakes, plan, run_adaptation_curve
from slu.studies.adaptation_curve_report import curve_table, write_report
from tests.adaptation.helpers import SPEC, new_person, train_bundle

SETTINGS = AdaptationCurveSettings((4, 0), (0, 1))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    folder = tmp_path_factory.mktemp("people")
    tables = [pd.read_csv(new_person(folder, 8, name)) for name in ("ana", "budi")]
    pd.concat(tables).to_csv(folder / "metadata.csv", index=False)
    return labelled_clips(folder / "metadata.csv", SPEC, 0.01, folder / "outputs", "error", 1)


def test_draws_are_nested_and_one_test_serves_all_numbers(people: Clips) -> None:
    draws = plan(SETTINGS, people)
    assert [(d.speaker, d.seed, d.count) for d in draws[:4]] == [
        ("ana", 0, 0),
        ("ana", 0, 4),
        ("budi", 0, 0),
        ("budi", 0, 4),
    ]
    none, four = draws[:2]
    assert (none.learnt, len(four.learnt), none.heard) == ((), 4, four.heard)
    assert not set(four.learnt) & set(four.heard)
    assert len(four.heard) == 4
    labels = people.table.set_index("file_name").loc[list(four.learnt)]
    assert sorted(labels["pitch"]) == ["high", "high", "low", "low"]
    assert draws[5].learnt != four.learnt


def test_corrections_are_the_mistakes_of_one_half_and_the_other_half_is_heard_whole(people: Clips) -> None:
    wrong = set(people.files[:5])  # of ana's eight
    draws = plan(replace(SETTINGS, of="mistakes"), people, wrong)
    ana, budi = (next(d for d in draws if (d.speaker, d.seed, d.count) == (name, 0, 4)) for name in ("ana", "budi"))
    assert set(ana.learnt) < wrong
    assert 1 <= len(ana.learnt) <= 4
    assert len(ana.heard) == 4
    assert set(ana.heard) & wrong == wrong - set(ana.learnt), "whatever is not learnt from is heard"
    assert (budi.learnt, len(budi.heard)) == ((), 4)


def test_a_speaker_with_too_few_clips_is_named(people: Clips) -> None:
    with pytest.raises(UserError, match="speaker 'ana' has 8 clips with labels, and none would be left"):
        plan(replace(SETTINGS, counts=(8,)), people)
    with pytest.raises(UserError, match="none twice"):
        AdaptationCurveSettings((1, 1), (0,))


def test_the_curve_is_kept_and_shown(people: Clips, tones: Path, tmp_path: Path) -> None:
    bundle = load_bundle(train_bundle(tones, tmp_path))
    replay, quick = Replay(people, people), AdaptSettings(steps=2, batch_size=4)
    curve = run_adaptation_curve(SETTINGS, bundle, people, replay, quick, tmp_path)
    assert [(p.count, sorted(p.by_speaker)) for p in curve.points] == [(0, ["ana", "budi"]), (4, ["ana", "budi"])]
    stored = {path: path.stat().st_mtime_ns for path in Path(curve.folder).iterdir()}
    assert len(stored) == 8
    assert run_adaptation_curve(SETTINGS, bundle, people, replay, quick, tmp_path) == curve
    assert stored == {path: path.stat().st_mtime_ns for path in Path(curve.folder).iterdir()}
    other = run_adaptation_curve(SETTINGS, bundle, people, replay, replace(quick, lr=1e-5), tmp_path)
    assert other.folder != curve.folder
    write_report(tmp_path, curve)
    written = json.loads((tmp_path / "adaptation_curve.json").read_text())
    assert [point["count"] for point in written["points"]] == [0, 4]
    assert (tmp_path / "adaptation_curve.png").read_bytes().startswith(b"\x89PNG")
    assert curve_table(curve).row_count == 2
    corrected = run_adaptation_curve(replace(SETTINGS, of="mistakes"), bundle, people, replay, quick, tmp_path)
    wrong = mistakes(bundle, people)
    assert wrong < set(people.files)
    for result in corrected.results:
        assert result.learnt <= min(result.count, len(wrong))
    assert str(next(iter(curve_table(corrected).columns)).header) == "corrections"

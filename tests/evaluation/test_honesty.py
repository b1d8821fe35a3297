from dataclasses import replace
from pathlib import Path
from typing import Any

from slu.bundles import Predictor
from slu.corpus.splits import speaker_hash
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.honesty import Overlap, find_overlap, warnings
from tests.evaluation.helpers import made_up


def result(folder: Path, count: int = 40, speakers: int = 12, **columns: str) -> Evaluation:
    rows = [{"product": "tea", "quantity": "1", "speaker": f"s{i % speakers}", **columns} for i in range(count)]
    return made_up(folder, rows, [("tea", "1")] * count)


CLEAR = Overlap(recorded=True)


def said(evaluation: Evaluation, overlap: Overlap = CLEAR, **facts: Any) -> list[str]:
    return warnings(evaluation, facts.pop("whole", evaluation.manifest), overlap, **facts)


def test_an_honest_set_has_nothing_to_confess(tmp_path: Path) -> None:
    assert said(result(tmp_path)) == []


def test_a_speaker_on_both_sides_is_named_first(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    table = evaluation.manifest.table.assign(split=["train", "test"] * 20)
    table.loc[table["speaker"] == "s0", "split"] = "test"
    table.loc[0, "split"] = "train"
    whole = replace(evaluation.manifest, table=table[table["speaker"] == "s0"])
    first = said(evaluation, whole=whole)[0]
    assert first.startswith("LEAK: 1 speaker (s0) stand on more than one side")


def test_a_split_that_cuts_through_recordings_is_a_leak(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    table = evaluation.manifest.table.assign(split=["train", "test"] * 20, recording=[f"r{i // 4}" for i in range(40)])
    first = said(evaluation, whole=replace(evaluation.manifest, table=table))[0]
    assert first.startswith("LEAK: the split cuts through 10 recordings (r0, r1, r2, r3, r4, …)")


def test_clips_and_names_that_trained_are_found_by_the_bundles_record(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    digests = [f"hash{i}" for i in range(40)]
    record = {"clips": ["hash3", "hash5", "other"], "speakers": [speaker_hash("s7"), speaker_hash("zed")]}
    bundle = replace(evaluation.predictor.bundle, training=record)
    overlap = find_overlap(bundle, evaluation.manifest, digests)
    assert overlap == Overlap(True, 2, ("s7",))
    text = said(evaluation, overlap)
    assert text[0].startswith("LEAK: 2 of the 40 clips were trained on")
    assert text[1].startswith("LEAK: 1 speaker (s7) bear the name")


def test_the_held_out_figure_stands_beside_a_leaky_one(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    folds = {"mean": 0.87, "interval_95": [0.8, 0.91], "worst": 0.72, "worst_speaker": "nicolas"}
    bundle = replace(evaluation.predictor.bundle, metrics={"test": {"leave_one_speaker_out": folds}})
    evaluation = replace(evaluation, predictor=Predictor(bundle))
    assert said(evaluation) == []
    leaky = said(evaluation, Overlap(True, 3))
    assert leaky[0].startswith("LEAK")
    assert "87.0% right on average (95 % interval 80.0% to 91.0%) and 72.0% for nicolas" in leaky[1]


def test_a_bundle_without_a_record_says_so(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    overlap = find_overlap(evaluation.predictor.bundle, evaluation.manifest, [])
    assert not overlap.recorded
    assert "no record" in said(evaluation, overlap)[0]


def test_synthetic_speech_few_speakers_and_few_clips_are_said(tmp_path: Path) -> None:
    text = " ".join(said(result(tmp_path, 20, 3, source="espeak-ng id")))
    assert "Every clip was spoken by a synthesiser" in text
    assert "Only 3 speakers" in text
    assert "20 clips are too few" in text


def test_unknown_speakers_unknown_labels_and_broken_clips_are_said(tmp_path: Path) -> None:
    evaluation = made_up(tmp_path, [{"product": "tea", "quantity": "1"}] * 40, [("tea", "1")] * 40)
    evaluation = replace(
        evaluation,
        answers=replace(evaluation.answers, broken_rows=evaluation.answers.rows[:1], broken=("it is noise",)),
    )
    text = " ".join(said(evaluation, left_out={"the model does not know product 'cola'": 4}))
    assert "over clips (speakers unknown)" in text
    assert "4 labels were not scored: the model does not know product 'cola'" in text
    assert "1 of 41 clips cannot be read" in text


def test_a_split_that_leaks_in_a_foreign_table_is_not_said_to_have_trained(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    whole = replace(
        evaluation.manifest, table=evaluation.manifest.table.assign(split=["train", "test", "test"] * 13 + ["test"])
    )
    first = said(evaluation, whole=whole)[0]
    assert "If the other rows of this table trained the model" in first
    own = replace(evaluation.predictor.bundle, metrics={"manifest": str(whole.path)})
    known = said(replace(evaluation, predictor=Predictor(own)), whole=whole)[0]
    assert "so the model is asked about people it was trained on" in known


def test_a_head_without_a_column_and_empty_cells_are_said(tmp_path: Path) -> None:
    rows = [{"product": "tea" if i < 5 else "", "speaker": f"s{i}"} for i in range(40)]
    evaluation = made_up(tmp_path, rows, [("tea", "1")] * 40)
    text = " ".join(said(evaluation))
    assert "Nothing is said of quantity: the table has no column of that name" in text
    assert "35 of 40 clips have no label for product" in text
    assert "5 clips with all labels, of 40, are too few" in text
    assert "Only 5 speakers" in text


def test_silent_clips_and_copies_are_said(tmp_path: Path) -> None:
    evaluation = result(tmp_path)
    level = evaluation.answers.level_db.copy()
    level[:3] = -120
    evaluation = replace(evaluation, answers=replace(evaluation.answers, level_db=level))
    text = " ".join(said(evaluation, digests=["a", "a", "b", "c", ""]))
    assert "3 of 40 clips are silent" in text
    assert "2 clips share 1 recording" in text

from typing import Any

from slu.bundles.card import model_card
from slu.spec import Head
from tests.bundles.helpers import make_spec

CLEAN: dict[str, Any] = {
    "joint_accuracy": 0.91,
    "joint_interval": [0.88, 0.94],
    "interval": "95 % bootstrap over 24 speakers",
    "joint_ece": 0.05,
    "n": 500,
    "heads": {"product": {"accuracy": 0.95, "accuracy_interval": [0.93, 0.97]}},
    "speakers": {"ana": {"joint_accuracy": 0.7}, "budi": {"joint_accuracy": 0.95}},
}
NOISE = {**CLEAN, "joint_accuracy": 0.5, "joint_interval": None}
SYNTHETIC = {"data": {"synthetic_speech": True, "manifest": None}}
METRICS = {"split": "speaker-disjoint", "test": {"clean": CLEAN, "0 dB": NOISE}}


def test_the_card_gives_use_data_metrics_with_intervals_failures_and_licence() -> None:
    card = model_card(make_spec(), SYNTHETIC, METRICS, {"clips": ["a"] * 3, "speakers": ["x"], "split": ""})
    for heading in ("Intended use", "Data", "Results", "Known failures", "Licence notes"):
        assert f"## {heading}" in card
    assert "| clean | 0.910 (0.880 to 0.940) | 0.950 (0.930 to 0.970) | 500 |" in card
    assert "Trained on 3 clips of 1 speakers" in card
    assert "Hardest tested condition: 0 dB, 0.500" in card
    assert "Worst of 2 test speakers: 0.700" in card
    assert "synthetic voices only" in card
    assert "Warning" not in card
    assert "ana" not in card  # bundles travel, names should not


def test_a_leaky_split_is_named_before_anything_else() -> None:
    metrics = {**METRICS, "split": "speakers leak: 2 on both sides", "leaking_speakers": ["george", "theo"]}
    card = model_card(make_spec(), {}, metrics, {})
    assert card.splitlines()[2].startswith("> **Warning: the split is not speaker-disjoint: speakers leak: 2 on both")
    assert "george, theo" in card.splitlines()[2]


def test_leave_one_speaker_out_stands_beside_the_leaky_figure() -> None:
    folds = {
        "mean": 0.87, "worst": 0.72, "worst_speaker": "n", "interval_95": [0.8, 0.91],
        "speakers": {"n": {"joint_accuracy": 0.72, "n": 500}}, "leaky_split": {"joint_accuracy": 0.99},
    }  # fmt: skip
    metrics = {"split": "speaker-disjoint", "test": {"leave_one_speaker_out": folds}}
    card = model_card(make_spec(), {"data": {"manifest": "x.csv"}}, metrics, {})
    assert "mean 0.870 (95 % interval over speakers 0.800 to 0.910), worst 0.720 (n)" in card
    assert "the same recipe shows 0.990" in card
    assert "recordings' own licence" in card


def test_what_was_not_measured_is_said_to_be_unknown() -> None:
    card = model_card(make_spec(), {}, {}, {})
    assert "Not tested." in card
    assert "Split: unknown." in card
    assert "not speaker-disjoint: unknown" in card


def test_the_card_says_how_it_decides() -> None:
    head = Head("gender", ("female", "male"), display={"female": "Perempuan"}, temperature=1.5, threshold=0.4)
    chosen = {
        "validation": {"clips": 80, "speakers": 4, "conditions": ["clean"]},
        "heads": {"gender": {"clips": 80, "temperature": {"value": 1.5}}},
        "notes": ["gender: temperature 1.50"],
    }
    values = {"accuracy": 0.9, "balanced_accuracy": 0.8, "classes": {"female": {"n": 9}, "male": {"n": 1}}}
    test = {"clean": {**CLEAN, "heads": {"gender": values}}}
    card = model_card(make_spec(heads=(head,)), {}, {"decision": chosen, "test": test}, {})
    assert "- `gender`: female (shown as Perempuan), male; male from a score of 0.400 on" in card
    assert "Chosen on 80 validation clips of 4 speakers: gender: temperature 1.50." in card
    assert "| clean | 0.910 (0.880 to 0.940) | 0.900 | 0.800 | 500 |" in card
    assert "calibrated on validation clips" in card
    assert "not calibrated" not in card


def test_what_the_data_are_not_for_is_said() -> None:
    assert "decisions about people. Not for doors." in model_card(
        make_spec(), {"data": {"not_for": "Not for doors."}}, {}, {}
    )


def test_an_adapted_bundle_names_where_it_comes_from() -> None:
    row = {"name": "frozen check", "before": 0.9, "interval": [0.85, 0.94], "after": 0.91, "clips": 300}
    row["difference_interval"] = None
    adaptation = {"lineage": ["v1", "v2"], "labelled": 10, "unlabelled_clips": 40, "changes": [row]}
    card = model_card(make_spec(), {}, {"adaptation": adaptation, "test": {}}, {})
    assert "Adapted from `v2` from `v1`, to 10 clips with labels and 40 without." in card
    assert "| frozen check | 0.900 (0.850 to 0.940) | 0.910 | +0.010 | 300 |" in card
    assert "Not tested." not in card

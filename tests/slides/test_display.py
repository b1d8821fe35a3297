"""Slides show the names that people are shown; what they are counted from keeps the class names."""

from pathlib import Path

import pandas as pd

from slu.slides.breakdown import pair_sentences
from slu.slides.data import DataFacts
from slu.slides.display import show_data, show_metrics, show_predictions
from slu.slides.predictions import Predictions
from slu.spec import Head

HEADS = {"gender": Head("gender", ("female", "male"), display={"female": "Perempuan", "male": "Laki-laki"})}
GENDER = {"accuracy": 0.75, "classes": {"female": {"n": 3}, "male": {"n": 1}}, "confusion": [[2, 1], [0, 1]]}
WORD = {"classes": {"female": {"n": 4}}}


def test_metrics_and_their_conditions() -> None:
    metrics = {"heads": {"gender": GENDER, "word": WORD}, "conditions": {"5 dB": {"heads": {"gender": GENDER}}}}
    shown = show_metrics(metrics, HEADS)
    assert pair_sentences(shown["heads"], 1)[0] == "gender: Perempuan heard as Laki-laki (1 of 3)."
    assert list(shown["conditions"]["5 dB"]["heads"]["gender"]["classes"]) == ["Perempuan", "Laki-laki"]
    assert shown["heads"]["word"] == WORD  # a head of its own, with a class of the same name
    assert list(metrics["heads"]["gender"]["classes"]) == ["female", "male"]


def test_answers() -> None:
    table = pd.DataFrame({"file_name": ["a.wav", "b.wav"], "gender": ["female", ""], "heard_gender": ["male", "male"]})
    shown = show_predictions(Predictions(Path("p.csv"), table, ("gender",)), HEADS)
    assert shown.labels(0) == "gender Perempuan"
    assert shown.labels(1, heard=True) == "gender Laki-laki"
    assert shown.labels(1) == "gender (no label)"
    assert shown.wrong_heads(0) == ["gender"]
    assert table["gender"].iloc[0] == "female"


def test_counts_of_the_data() -> None:
    counts = {"gender": pd.DataFrame({"train": [3, 1]}, index=["female", "male"])}
    data = DataFacts(Path("m.csv"), 4, {"train": 4}, {}, 0, 0, counts, (1.0,), {})
    assert show_data(data, HEADS).rarest("gender") == ("Laki-laki", 1)
    assert show_data(data, {}).rarest("gender") == ("male", 1)

"""The paragraph says what the numbers say, whatever they say."""

import re
from dataclasses import replace

from slu.studies.answer import answer
from slu.studies.curve import build_curve
from tests.studies.helpers import made_up

QUESTION = "Does it help?"


def said(m1: dict[str, list[float]], m2: dict[str, list[float]], *, synthetic: bool = False) -> str:
    return answer(build_curve(made_up({"m1": m1, "m2": m2})), QUESTION, synthetic=synthetic)


def test_the_first_model_is_better() -> None:
    text = said({"clean": [0.8, 0.9, 0.95]}, {"clean": [0.4, 0.7, 0.95]})
    assert text.startswith("Does it help? Yes: with 5 and 10 voices m1 is ahead of m2 in 2 of 2 comparisons, ")
    assert re.search(r"In clean speech, m1 is ahead with 5 voices by 40\.0 points \(\d+\.\d to \d+\.\d\)", text)
    assert re.search(r"and 10 voices by 20\.0 points \(.*\); with 100 voices no difference can be told\.", text)
    assert "m1 minus m2 is larger with 5 voices than with 100, by 40.0 points" in text
    assert "m2 is ahead with" not in text


def test_the_second_model_is_better() -> None:
    text = said({"clean": [0.4, 0.7, 0.95]}, {"clean": [0.8, 0.9, 0.95]})
    assert "Does it help? No, on the contrary: with 5 and 10 voices m1 is ahead of m2 in 0 of 2 comparisons" in text
    assert "m2 of m1 in 2." in text
    assert re.search(r"In clean speech, m2 is ahead with 5 voices by 40\.0 points \(\d+\.\d to \d+\.\d\)", text)
    assert "m1 minus m2 is smaller with 5 voices than with 100, by 40.0 points" in text
    assert "m1 is ahead with" not in text


def test_no_difference() -> None:
    same = {"clean": [0.5, 0.6, 0.7], "5 dB": [0.3, 0.4, 0.5]}
    text = said(same, same)
    assert "It cannot be told: with 5 and 10 voices no difference between m1 and m2 excludes zero." in text
    assert "In clean speech, with 5, 10 and 100 voices no difference can be told." in text
    assert "In noise at 5 dB, with 5, 10 and 100 voices no difference can be told." in text
    assert "it cannot be told whether 5 or 100 voices make the larger difference" in text
    assert "ahead" not in text


def test_mixed_results_are_not_called_a_yes() -> None:
    flat = {"clean": [0.5, 0.5, 0.5], "5 dB": [0.5, 0.5, 0.5]}
    part = said({"clean": [0.8, 0.8, 0.5], "5 dB": [0.5, 0.5, 0.5]}, flat)
    assert "In part: with 5 and 10 voices m1 is ahead of m2 in 2 of 4 comparisons, and m2 of m1 in none." in part
    both = said({"clean": [0.8, 0.8, 0.5], "5 dB": [0.2, 0.5, 0.5]}, flat)
    assert "It depends: with 5 and 10 voices m1 is ahead of m2 in 2 of 4 comparisons, and m2 of m1 in 1." in both


def test_a_lead_with_all_voices_only_is_no_answer_about_little_data() -> None:
    text = said({"clean": [0.5, 0.5, 0.9]}, {"clean": [0.5, 0.5, 0.5]})
    assert "It cannot be told: with 5 and 10 voices" in text
    assert "m1 is ahead with 100 voices by 40.0 points" in text


def test_a_seed_that_disagrees_is_named() -> None:
    results = made_up({"m1": {"clean": [0.9]}, "m2": {"clean": [0.4]}}, seeds=(0, 1))
    results = [replace(r, right={"clean": "1" * 200}) if (r.model, r.seed) == ("m2", 1) else r for r in results]
    curve = build_curve([r for r in results if r.share == 0.05])
    assert curve.differences["clean"][0.05].sign == 1
    assert "though not with every seed" in answer(curve, QUESTION, synthetic=False)
    assert "though not" not in said({"clean": [0.8, 0.9, 0.95]}, {"clean": [0.4, 0.7, 0.95]})


def test_caveats() -> None:
    same = {"clean": [0.5, 0.6, 0.7]}
    text = said(same, same)
    assert "cover who is tested, not which voices were drawn for training: the 2 seeds show" in text
    assert "bootstrap over 20 speakers" in text
    assert "synthetic" not in text
    assert "All these voices are synthetic" in said(same, same, synthetic=True)
    alone = build_curve(made_up({"m1": same, "m2": same}, seeds=(0,)))
    assert "a single seed does not show" in answer(alone, QUESTION, synthetic=False)


def test_one_or_three_models_are_described_without_a_verdict() -> None:
    models = {name: {"clean": [0.5, 0.6, value]} for name, value in (("a", 0.7), ("b", 0.8), ("c", 0.9))}
    text = answer(build_curve(made_up(models)), QUESTION, synthetic=False)
    assert "b has all labels right: in clean speech 0.500 with 5 and 0.800 with 100 voices." in text
    assert "ahead" not in text

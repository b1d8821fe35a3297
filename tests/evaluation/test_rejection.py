"""The confidence fitted to evidence, the threshold for a rate of false accepts, and what evaluation says of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.common.errors import UserError
from slu.documents.page import Page, Section
from slu.evaluation.decision import DecisionSettings, Heard, choose
from slu.evaluation.fitted_confidence import confidence_for, fit_confidence
from slu.evaluation.off_menu import OffMenu, names_of, read_off_menu, rejection, threshold_for, trade_off
from slu.evaluation.off_menu_section import off_menu_parts, off_menu_table
from slu.inference.decision import SURE, confidence
from slu.inference.evidence import VOICED
from slu.spec import BIAS, Head, TaskSpec
from tests.conftest import RATE, tone
from tests.evaluation.helpers import made_up

SPEC = TaskSpec("digits", (Head("digit", ("1", "2", "3")),))


def clips(n: int = 600) -> Heard:
    """Of the menu with a good fit, and of other speech with a bad one; the heads are as sure of either."""
    rng = np.random.default_rng(0)
    other = np.arange(n) % 3 == 0
    truth = np.where(other, -1, rng.integers(3, size=n))
    scores = np.full((n, 3), 0.05, np.float32)
    scores[np.arange(n), np.where(other, 0, truth)] = 0.9
    fit = np.where(other, rng.normal(-3, 1, n), rng.normal(-0.5, 0.5, n)).astype(np.float32)
    evidence = {"fit": fit, "noise": rng.normal(size=n).astype(np.float32), VOICED: np.full(n, 9, np.float32)}
    return Heard({"digit": truth}, {"digit": scores}, np.ones(n, bool), evidence=evidence, off_menu=other)


def test_evidence_is_weighed_by_what_it_says() -> None:
    rng = np.random.default_rng(1)
    useful, useless = rng.normal(size=4000), rng.normal(size=4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-(1 + 2 * useful)))
    found = fit_confidence({"useful": useful, "useless": useless, "against": -useful, "same": useful * 0}, right)
    assert found[BIAS] == pytest.approx(1, abs=0.2)
    assert found["useful"] == pytest.approx(2, abs=0.2)
    assert found.get("useless", 0) < 0.15
    assert "against" not in found, "more evidence never speaks against an answer"
    assert "same" not in found
    stated = confidence(found, np.ones(4000), {"useful": useful, "useless": useless})
    assert stated.mean() == pytest.approx(right.mean(), abs=0.01)


def test_without_coefficients_the_confidence_is_the_product() -> None:
    assert confidence({}, np.array([0.25, 1.0]), {}).tolist() == [0.25, 1.0]
    assert confidence({BIAS: 0.0, SURE: 1.0}, np.array([0.5, 1.0]), {}) == pytest.approx([1 / 3, 0.5])


def test_no_more_than_the_share_is_answered_with_one_more_than_was_seen() -> None:
    values = np.arange(100) / 100
    others, menu = values < 0.5, values >= 0.5
    found = confidence_for(0.1, values, others, menu)
    assert found.false_accepts == pytest.approx(4 / 50)  # (4 + 1) / (50 + 1) is the most that 10 % allow
    assert found.true_accepts == 1.0
    assert found.clips == (50, 50)
    assert confidence_for(0.01, values, others, menu).false_accepts == 0.0
    assert confidence_for(0.01, np.ones(60), np.arange(60) < 40, np.arange(60) >= 40).true_accepts == 0.0


def test_the_decision_learns_what_is_not_on_the_menu() -> None:
    heard = clips()
    chosen = choose(SPEC, heard, DecisionSettings(false_accepts=0.05))
    assert chosen.spec.confidence["fit"] > 0.5
    assert VOICED not in chosen.spec.confidence
    assert chosen.facts["rejection"]["false_accepts"] <= 0.05
    assert chosen.facts["rejection"]["true_accepts"] > 0.9
    assert chosen.facts["min_confidence"] == chosen.spec.min_confidence
    assert "that are not on the menu" in chosen.sentences[0]
    assert TaskSpec.from_json(chosen.spec.to_json()) == chosen.spec
    surer = choose(SPEC, heard, DecisionSettings(false_accepts=0.05, min_accuracy=0.999)).spec
    assert surer.min_confidence >= chosen.spec.min_confidence


def test_without_clips_off_the_menu_nothing_is_chosen() -> None:
    heard = clips()
    none = Heard(heard.truth, heard.scores, heard.answerable, evidence=heard.evidence)
    chosen = choose(SPEC, none, DecisionSettings(false_accepts=0.05))
    assert chosen.spec == SPEC
    assert "synthesis=with_other" in chosen.sentences[0]


def test_recordings_are_a_folder_a_table_or_what_a_corpus_marks(tmp_path: Path) -> None:
    for name in ("talk/a/1.wav", "talk/2.wav", "noise/3.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        sf.write(tmp_path / name, tone(300, 0.3), RATE)
    assert read_off_menu(tmp_path / "talk").table["file_name"].tolist() == ["2.wav", "a/1.wav"]
    pd.DataFrame({"file_name": ["3.wav"]}).to_csv(tmp_path / "noise" / "metadata.csv", index=False)
    assert len(read_off_menu(tmp_path / "noise").table) == 1
    corpus = pd.DataFrame({"file_name": ["1.wav", "2.wav"], "source": ["espeak-ng en", "other speech: backwards"]})
    corpus.to_csv(tmp_path / "corpus.csv", index=False)
    assert read_off_menu(tmp_path / "corpus.csv").table["file_name"].tolist() == ["2.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no audio"):
        read_off_menu(tmp_path / "empty")
    assert names_of([tmp_path / "talk", tmp_path / "noise" / "metadata.csv"]) == ["talk", "noise"]
    assert names_of([Path("/x/a/noise"), Path("/x/b/noise")]) == ["a/noise", "b/noise"]
    with pytest.raises(UserError, match="twice"):
        names_of([tmp_path / "talk"] * 2)


def test_false_accepts_stand_beside_true_ones(tmp_path: Path) -> None:
    said = [{"product": "tea", "quantity": "1"}] * 100
    sure = [*np.linspace(0.5, 0.99, 97), 0.1, 0.1, 0.1]
    clean = made_up(tmp_path / "on", said, [("tea", "1")] * 100, confidence=sure)
    talk = made_up(
        tmp_path / "off", [{}] * 10, [("tea", "1")] * 10, confidence=[0.9, 0.6, *[0.3] * 8], duration_s=[1] * 9 + [9]
    )
    sets = [OffMenu("talk", talk)]
    facts = rejection(clean, sets)
    assert facts["clips"] == 100
    assert facts["confidence_there"] == pytest.approx(0.5, abs=1e-6)
    of = facts["sets"]["talk"]
    assert of["false_accepts"] == 0.9  # the bundle answers whatever its confidence; one clip is too long
    assert of["false_accepts_there"] == 0.2
    assert of["reasons"] == {"too long": 1}
    page = Page("t", "s", [Section("Rejection", off_menu_parts(clean, sets, facts))])
    assert page.sections[0].parts
    assert off_menu_table(facts).row_count == 1


def test_true_accepts_that_no_confidence_reaches() -> None:
    assert threshold_for(0.97, np.array([0.9] * 95 + [-1.0] * 5)) is None
    assert threshold_for(0.9, np.array([0.9] * 95 + [-1.0] * 5)) == 0.9
    true, false = trade_off(np.array([0.9, 0.8, -1.0]), np.array([0.85, 0.1]))
    assert true.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert false.tolist() == [0.0, 0.5, 0.5, 1.0]

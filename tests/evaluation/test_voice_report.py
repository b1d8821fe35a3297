"""A head of two classes with a threshold, names to show, silent clips and clips with nothing to answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from slu.bundles import Predictor
from slu.corpus.manifest import Manifest
from slu.documents.page import Page, Picture, Table, Text, write_page
from slu.evaluation.answers import Answers
from slu.evaluation.conditions import CLEAN
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.report import ReportFacts, report_page
from slu.evaluation.tables import metrics_table
from slu.evaluation.text_report import classification_report
from slu.spec import Head
from tests.bundles.helpers import make_bundle

HEAD = Head("gender", ("female", "male"), display={"female": "Perempuan", "male": "Laki-laki"}, threshold=0.3)
SAID = ["female"] * 20 + ["male"] * 10 + [""] * 4
SCORE = [*[0.1] * 17, 0.35, 0.9, 0.2, *[0.95] * 8, 0.4, 0.2, *[0.98, 0.5, 0.5, 0.98]]
"""Of the second class."""
LEVEL = [-25.0] * 33 + [-100.0]


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("voices")
    predictor = Predictor(make_bundle(folder / "bundle", heads=(HEAD,), min_confidence=0.6))
    table = pd.DataFrame(
        {
            "file_name": [f"{i}.wav" for i in range(34)],
            "gender": SAID,
            "speaker": [f"{label or 'nobody'}-{i // 5}" for i, label in enumerate(SAID)],
        }
    )
    second = np.array(SCORE, np.float32)
    answers = Answers(
        rows=np.arange(34),
        scores={"gender": np.stack([1 - second, second], axis=1)},
        duration_s=np.ones(34),
        level_db=np.array(LEVEL),
        snr_db=np.full(34, 30.0),
        broken_rows=np.zeros(0, np.int64),
        broken=(),
        cpu_s=1.0,
    )
    return Evaluation(CLEAN, Manifest(folder / "metadata.csv", table), predictor.bundle.spec, answers, predictor)


@pytest.fixture(scope="module")
def page(voices: Evaluation) -> Page:
    # Mistakes and unsure hits are players of real clips; the parts of the page without them are looked at here.
    import slu.evaluation.report as report

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "clip_cards", lambda *_: [])
        return report_page({"clean": voices}, ReportFacts([]))


def parts(page: Page, title: str) -> list[Any]:
    found = next(section for section in page.sections if section.title == title).parts
    return [p for part in found for p in (part, *getattr(part, "parts", ()))]


def texts(found: list[Any]) -> str:
    return " ".join(part.text for part in found if isinstance(part, Text))


def test_the_threshold_decides_everywhere(voices: Evaluation) -> None:
    assert [voices.prediction(i).labels["gender"] for i in (17, 28, 29)] == ["male", "male", "female"]
    assert voices.guess["gender"][[17, 28, 29]].tolist() == [1, 1, 0]
    head = voices.metrics["heads"]["gender"]
    assert head["confusion"] == [[18, 2], [1, 9]]
    assert head["balanced_accuracy"] == pytest.approx((0.9 + 0.9) / 2)
    np.testing.assert_allclose(voices.confidence[[17, 28, 0]], [0.35, 0.4, 0.9], atol=1e-6)
    assert voices.answer_table()["heard_gender"].iloc[17] == "male"


def test_metrics_and_tables_keep_the_class_names_and_people_read_the_others(voices: Evaluation, page: Page) -> None:
    assert set(voices.metrics["heads"]["gender"]["classes"]) == {"female", "male"}
    assert set(voices.answer_table()["heard_gender"]) == {"female", "male"}
    classes = next(p for p in parts(page, "Gender") if isinstance(p, Table))
    assert [row[0] for row in classes.rows] == ["Perempuan", "Laki-laki"]
    assert "Perempuan heard as Laki-laki (2 of 20)" in texts(parts(page, "Errors"))
    report = classification_report(voices.metrics, voices.heads)
    assert "said Perempuan: heard Perempuan 18, heard Laki-laki 2" in report
    assert "balanced accuracy 0.900 (" in report
    assert "Laki-laki from a score of 0.300 on" in report
    assert "female" not in report


def test_the_curve_says_where_the_threshold_and_a_half_stand(page: Page) -> None:
    picture = next(p for p in parts(page, "Gender") if isinstance(p, Picture) and "ROC" in p.alt)
    assert picture.caption == (
        "Positive is Laki-laki. "
        "In use: threshold 0.3: true positive rate 0.900, false positive rate 0.100, balanced accuracy 0.900. "
        "At 0.5: true positive rate 0.800, false positive rate 0.050, balanced accuracy 0.875."
    )


def test_what_it_cannot_tell_is_counted_apart_from_what_has_no_answer(voices: Evaluation, page: Page) -> None:
    assert voices.metrics["heads"]["gender"]["unlabelled"] == {"n": 4, "answered": 1}  # two unsure, one silent
    assert "1 of 4 were answered all the same" in texts(parts(page, "Gender"))
    assert "1 of 4 were answered" in classification_report(voices.metrics, voices.heads)
    confidence = texts(parts(page, "Confidence"))
    assert f"Of 30 clips {28 / 30:.1%} are answered; of the others it cannot tell (not sure 2)" in confidence
    assert f"Of what is answered {26 / 28:.1%} is right, against {27 / 30:.1%} if everything were" in confidence


def test_speakers_stand_with_what_they_are(voices: Evaluation, page: Page, tmp_path: Path) -> None:
    table = next(p for p in parts(page, "Speakers") if isinstance(p, Table))
    assert list(table.columns)[:2] == ["speaker", "gender"]
    assert {row[0].split("-")[0]: row[1] for row in table.rows} == {"female": "Perempuan", "male": "Laki-laki"}
    assert "nobody" not in {row[0].split("-")[0] for row in table.rows}
    write_page(tmp_path / "report.html", page)
    assert "Laki-laki" in (tmp_path / "report.html").read_text()


def test_the_terminal_shows_balanced_accuracy(voices: Evaluation) -> None:
    headers = [str(column.header) for column in metrics_table({"clean": voices.metrics}, "voices").columns]
    assert headers[1:4] == ["gender\naccuracy", "gender\nbalanced", "gender\nmacro-F1"]

"""The page says what the numbers say. How it looks is tested in a browser (tests/test_evaluate_command.py)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.bundles import Predictor
from slu.corpus.manifest import read_manifest
from slu.documents.page import Page, Picture, Players, Section, Table, Text, write_page
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.honesty import Overlap
from slu.evaluation.report import ReportFacts, report_page
from slu.evaluation.run import evaluate
from slu.evaluation.summary import metrics_document
from slu.evaluation.text_report import classification_report
from slu.evaluation.verdict import verdict
from slu.spec import Head
from tests.bundles.helpers import make_bundle
from tests.conftest import RATE, tone
from tests.evaluation.helpers import made_up


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluation]:
    """Of an untrained two-class recogniser on 24 tones."""
    folder = tmp_path_factory.mktemp("report")
    rows = []
    for i in range(24):
        sf.write(folder / f"{i}.wav", tone(200 + 40 * i, 0.4, seed=i), RATE)
        rows.append(
            {"file_name": f"{i}.wav", "voice": ("low", "high")[i % 2], "speaker": f"s{i % 4}", "text": f"<{i}>"}
        )
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    predictor = Predictor(make_bundle(folder / "bundle", heads=(Head("voice", ("low", "high")),)))
    settings = ConditionSettings(noise_snr_db=(10, 0), telephone=True)
    return evaluate(predictor, read_manifest(folder / "metadata.csv"), settings)


def parts(page: Page, title: str) -> list[Any]:
    return list(next(section for section in page.sections if section.title == title).parts)


def texts(found: list[Any]) -> str:
    return " ".join(part.text for part in found if isinstance(part, Text))


def test_every_section_is_there_and_the_page_stands_alone(results: dict[str, Evaluation], tmp_path: Path) -> None:
    page = report_page(results, ReportFacts(["LEAK: beware"], [("command", "python <b>")]))
    assert [section.title for section in page.sections] == [
        "Verdict", "Robustness", "Voice", "Speakers", "Confidence", "Errors", "How it was measured"
    ]  # fmt: skip
    write_page(tmp_path / "report.html", page)
    html = (tmp_path / "report.html").read_text()
    assert html.index("LEAK: beware") < html.index("Verdict</h2>")
    assert "python &lt;b&gt;" in html
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("<audio") == sum(len(p.players) for p in parts(page, "Errors") if isinstance(p, Players))


def test_a_two_class_head_has_its_curves_and_areas(results: dict[str, Evaluation]) -> None:
    page = report_page(results, ReportFacts([]))
    assert any(isinstance(p, Picture) and "ROC" in p.alt for p in parts(page, "Voice"))
    document = metrics_document(results, Overlap(False), [], {})
    assert 0 <= document["heads"]["voice"]["roc_auc"] <= 1
    assert set(document["conditions"]) == {"10 dB", "0 dB", "telephone"}
    assert document["worst_speaker"] in {"s0", "s1", "s2", "s3"}
    assert document["clips_per_cpu_second"] > 0


def test_players_hold_the_clip_as_it_was_heard(results: dict[str, Evaluation]) -> None:
    import io

    page = report_page(results, ReportFacts([]))
    players = [player for p in parts(page, "Errors") if isinstance(p, Players) for player in p.players]
    assert players
    samples, rate = sf.read(io.BytesIO(players[0].audio))
    assert rate == RATE
    assert len(samples) == pytest.approx(0.4 * RATE, abs=2)
    facts = dict(players[0].facts)
    assert {"said", "heard", "confidence", "voice", "file", "speaker"} <= set(facts)


def test_the_robustness_table_has_a_row_per_condition(results: dict[str, Evaluation]) -> None:
    page = report_page(results, ReportFacts([]))
    table = next(p for p in parts(page, "Robustness") if isinstance(p, Table))
    assert [row[0] for row in table.rows] == list(results)
    assert table.rows[0][1] == f"{results['clean'].metrics['joint_accuracy']:.3f}"


def test_one_class_only_and_no_speakers_make_a_page_too(results: dict[str, Evaluation], tmp_path: Path) -> None:
    clean = results["clean"]
    table = clean.manifest.table[clean.manifest.table["voice"] == "low"].drop(columns="speaker")
    path = clean.manifest.folder / "one.csv"
    table.to_csv(path, index=False)
    one = evaluate(clean.predictor, read_manifest(path))
    page = report_page(one, ReportFacts([]))
    assert "these are of one" in texts(parts(page, "Voice"))
    assert "Speakers" not in [section.title for section in page.sections]
    write_page(tmp_path / "one.html", page)


@pytest.mark.parametrize(
    ("right", "grave", "answer"),
    [(400, False, "Yes, for people"), (400, True, "Not on this evidence"), (360, False, "Not without somebody")],
)
def test_the_verdict_follows_its_rule(tmp_path: Path, right: int, grave: bool, answer: str) -> None:
    rows = [{"product": "tea", "quantity": "1"}] * 400
    heard = [("tea", "1")] * right + [("milk", "1")] * (400 - right)
    result = made_up(tmp_path, rows, heard)
    assert answer in texts(list(verdict(result.metrics, {}, grave)))
    assert f"Of 100 clips like these, {100 - right / 4:g} are answered wrong" in texts(
        list(verdict(result.metrics, {}, grave))
    )


def test_no_complete_clip_has_no_verdict(tmp_path: Path) -> None:
    result = made_up(tmp_path, [{"product": "tea", "quantity": ""}] * 3, [("tea", "1")] * 3)
    assert "no answer as a whole can be judged" in texts(list(verdict(result.metrics, {}, False)))
    write_page(tmp_path / "page.html", Page("t", "s", [Section("V", verdict(result.metrics, {}, False))]))


def test_the_text_report_has_a_line_per_class(tmp_path: Path) -> None:
    rows = [{"product": "tea", "quantity": "1"}] * 8 + [{"product": "milk", "quantity": ""}] * 2
    result = made_up(tmp_path, rows, [("tea", "1")] * 7 + [("milk", "1")] * 3)
    report = classification_report(result.metrics)
    line = next(line for line in report.splitlines() if line.startswith("tea"))
    assert line.split() == ["tea", "1.000", "0.875", "0.933", "8"]
    assert "coffee" in report
    assert f"all labels right {7 / 8:.3f}" in report
    assert np.isclose(result.metrics["heads"]["product"]["accuracy"], 0.9)

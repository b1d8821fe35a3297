"""From counts to what somebody is told: alerts, rules, corrections, tables."""

import re
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, text

from slu.common.errors import UserError
from slu.feedback import Answered, Correction, FeedbackStore
from slu.monitoring.alerts import Alert, alerts
from slu.monitoring.feedback import read_feedback
from slu.monitoring.findings import Findings, answering_version, look_at
from slu.monitoring.log_files import Read
from slu.monitoring.reference import Reference
from slu.monitoring.rules import rules, write_rules
from slu.monitoring.settings import AlertSettings, DriftSettings, MonitorSettings
from slu.monitoring.tables import compared_sentence, read_sentence
from slu.serving.metrics import ServingMetrics
from slu.serving.models import Board
from slu.serving.seats import Seats
from tests.monitoring.helpers import VERSION, line, lines, log_of, reference

FAILED = {"status": 500, "labels": None}


def findings(records: list, known: Reference | None = None, **settings: object) -> Findings:
    chosen = MonitorSettings("x", "out", drift=DriftSettings(clips_per_speaker=1), **settings)  # type: ignore[arg-type]
    return look_at(log_of(records), Read(lines=len(records)), VERSION, known, "nothing", chosen)


def raised(records: list, **limits: object) -> list[str]:
    return [alert.kind for alert in alerts(findings(records, reference(), alerts=AlertSettings(**limits)))]  # type: ignore[arg-type]


def test_a_day_as_the_reference_raises_nothing() -> None:
    assert raised(lines(100)) == []


@pytest.mark.parametrize(
    ("records", "kinds"),
    [
        ([line(**FAILED)] * 10 + lines(40), ["failed"]),
        ([line(**FAILED), *lines(40)], []),  # one in forty-one is not surely more than one in a hundred
        ([line(**FAILED)] * 50, ["failed"]),  # nobody is answered any more
        ([line(status=422, labels=None)] * 20 + lines(40), ["unusable"]),
        (lines(60, ms=3000.0), ["latency"]),
        (lines(60, level_db=-45.0), ["drift level_db"]),
    ],
)
def test_each_limit_raises_its_alert(records: list, kinds: list[str]) -> None:
    assert raised(records) == kinds


def test_limits_can_be_set_and_switched_off() -> None:
    silent = lines(20, reason="silence") + lines(20)
    assert raised(silent, drift=False) == []
    assert raised(silent, drift=False, understood=0.8) == ["understood"]
    assert raised([line(**FAILED)] * 50, failed=None) == []
    assert raised(lines(60, ms=3000.0), latency_ms=None) == []


def test_only_the_newest_windows_raise_alerts_and_those_with_too_few_clips_are_passed_over() -> None:
    quiet = [record | {"time": line(3)["time"]} for record in lines(60, level_db=-45.0)]
    later = [record | {"time": line(day)["time"]} for day in (5, 6) for record in lines(40, seed=day)]
    assert [a.kind for a in alerts(findings([*quiet, *later], reference(), recent=2))] == []
    few = [record | {"time": line(7)["time"]} for record in lines(5)]
    (alert,) = alerts(findings([*quiet, *few], reference(), recent=1))
    assert (alert.kind, alert.window) == ("drift level_db", "2026-01-03")


def test_the_first_days_can_be_the_reference() -> None:
    records = [line(day) | record | {"time": line(day)["time"]} for day in (1, 2, 3) for record in lines(80, seed=day)]
    records += [record | {"time": line(4)["time"]} for record in lines(60, level_db=-45.0)]
    found = findings(records, reference_days=2)
    assert [one.is_reference for one in found.seen] == [True, True, False, False]
    assert [[change.name for change in one.drifted] for one in found.seen] == [[], [], [], ["level_db"]]
    assert "first 2 days" in compared_sentence(found)
    with pytest.raises(UserError, match="window=day"):
        look_at(log_of(records, "all"), Read(), VERSION, None, "", MonitorSettings("x", "out", reference_days=2))


def test_the_newest_version_is_looked_at_and_others_are_told() -> None:
    records = [line(1, model_version="old")] * 50 + [line(2)] * 3 + [line(2, model_version="old")]
    assert answering_version(log_of(records)) == VERSION
    found = findings(records)
    assert [one.sketch.clips for one in found.seen] == [0, 3]
    assert "51 clips were answered by other versions" in read_sentence(found)
    assert compared_sentence(found) == "nothing"


def exported() -> str:
    """What a server's /metrics says after an answer."""
    metrics = ServingMetrics(Board(), Seats(4))
    metrics.add(200, line() | {"timings_ms": {"decode": 1.0, "recognise": 2.0}}, 0.02)
    return metrics.text().decode()


def test_rules_are_of_metrics_that_a_server_exports(tmp_path: Path) -> None:
    write_rules(tmp_path / "slu.yml", AlertSettings(understood=0.8), None)
    (group,) = yaml.safe_load((tmp_path / "slu.yml").read_text())["groups"]
    known = set(re.findall(r"^# TYPE (\w+)", exported(), re.MULTILINE)) | set(
        re.findall(r"^(\w+)[{ ]", exported(), re.M)
    )
    assert {rule["alert"] for rule in group["rules"]} >= {"SluDown", "SluFailing", "SluSlow", "SluNotUnderstood"}
    for rule in group["rules"]:
        names = set(re.findall(r"slu_\w+", rule["expr"]))
        assert names
        assert names <= known, names - known
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}


def test_the_rule_on_answers_follows_the_reference() -> None:
    def expression(limits: AlertSettings, known: Reference | None) -> str:
        (group,) = rules(limits, known)["groups"]
        return " ".join(r["expr"] for r in group["rules"] if r["alert"] == "SluNotUnderstood")

    known = reference()
    share = known.sketch.reasons["understood"] / known.sketch.clips
    assert f"< {share - 0.1:.3f}".rstrip("0") in expression(AlertSettings(), known)
    assert "< 0.7 " in expression(AlertSettings(understood=0.7), known)
    assert expression(AlertSettings(), None) == ""


def corrections(path: Path) -> str:
    url = f"sqlite:///{path}"
    store = FeedbackStore(url)
    answered = Answered({"product": "tea", "quantity": "1"}, 0.9, VERSION)
    for number in range(12):
        labels = {"product": "coffee"} if number < 3 else {"product": "tea"}
        store.add(Correction(request_id=f"{number:032x}", labels=labels), answered)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE feedback SET state = 'accepted' WHERE id <= 8"))
        connection.execute(text("UPDATE feedback SET state = 'used' WHERE id = 9"))
        connection.execute(text("UPDATE feedback SET state = 'rejected' WHERE id = 10"))
    return url


def test_accuracy_is_of_reviewed_corrections_with_its_interval(tmp_path: Path) -> None:
    url = corrections(tmp_path / "feedback.sqlite")
    found = read_feedback(url, VERSION)
    assert found.states == {"accepted": 8, "used": 1, "rejected": 1, "new": 2}
    assert (found.joint.right, found.joint.clips) == (6, 9)
    assert found.joint.interval == pytest.approx((0.299, 0.925), abs=0.001)
    assert {head: a.right for head, a in found.heads.items()} == {"product": 6, "quantity": 9}
    assert read_feedback(str(tmp_path / "feedback.sqlite"), "other").joint.clips == 0
    assert read_feedback(url, None).joint.clips == 9


def test_a_table_with_more_columns_is_read_and_one_with_fewer_is_a_sentence(tmp_path: Path) -> None:
    url = corrections(tmp_path / "more.sqlite")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE feedback ADD COLUMN reviewer TEXT"))
    assert read_feedback(url, None).joint.clips == 9
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE feedback DROP COLUMN actual"))
    with pytest.raises(UserError, match="no column actual"):
        read_feedback(url, None)


def test_a_database_that_is_none_is_a_sentence_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    for url in (str(tmp_path / "nothing"), f"sqlite:///{tmp_path / 'nothing'}", str(tmp_path / "text"), "x://y"):
        with pytest.raises(UserError, match="feedback"):
            read_feedback(url, None)
    assert [path.name for path in tmp_path.iterdir()] == ["text"]
    create_engine(f"sqlite:///{tmp_path / 'empty'}").connect().close()
    (tmp_path / "empty").touch()
    assert read_feedback(str(tmp_path / "empty"), None).joint.clips == 0


def test_an_alarm_on_accuracy_needs_enough_corrections(tmp_path: Path) -> None:
    reviewed = read_feedback(corrections(tmp_path / "feedback.sqlite"), None)

    def of(limit: float) -> list[Alert]:
        found = findings(lines(40), reference(), alerts=AlertSettings(accuracy=limit))
        return alerts(Findings(**{**vars(found), "reviewed": reviewed}))

    assert [alert.kind for alert in of(0.95)] == ["accuracy"]
    assert of(0.9) == []  # 6 of 9: as much as 0.925 may be right

"""`python -m slu.monitor` on logs that a server could have written."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import soundfile as sf
import yaml

from slu.common.files import write_json
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone
from tests.monitoring.helpers import VERSION, line, lines, reference, write_log


@pytest.fixture
def monitor(run_here: Callable) -> Callable:
    return lambda *arguments: run_here("monitor", *arguments)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Of the version that the lines are of, with the reference of lines like them."""
    folder = tiny_bundle(tmp_path / "outputs" / "registry" / "drinks" / VERSION)
    write_json(folder / "reference.json", reference().to_json())
    return folder


def result(tmp_path: Path) -> dict:
    (found,) = (tmp_path / "outputs" / "runs" / "monitor").glob("*/monitor.json")
    assert (found.parent / "report.html").read_text().startswith("<!")
    return json.loads(found.read_text())


def test_a_quiet_log_ends_with_0_and_a_changed_one_with_1(monitor: Callable, bundle: Path, tmp_path: Path) -> None:
    same = [record | {"time": line(2)["time"]} for record in lines(60, seed=5)]
    write_log(tmp_path / "access.log", [*lines(60), *same], end=b'{"time": "2026-01-02T')
    done = monitor("log=access.log", "rules=slu.yml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no alerts" in done.stdout
    assert "the last one unfinished" in done.stdout
    found = result(tmp_path)
    assert [window["requests"] for window in found["windows"]] == [60, 60]
    assert (found["alerts"], found["version"], found["read"]["broken"]) == ([], VERSION, 0)
    (group,) = yaml.safe_load((tmp_path / "slu.yml").read_text())["groups"]
    assert any(rule["alert"] == "SluNotUnderstood" for rule in group["rules"])


def test_a_changed_shop_is_told_in_words_in_json_and_by_the_exit_code(
    monitor: Callable, bundle: Path, tmp_path: Path
) -> None:
    with gzip.open(tmp_path / "access.log.1.gz", "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in lines(60))
    quiet = [record | {"time": line(2)["time"]} for record in lines(60, level_db=-38.0)]
    write_log(tmp_path / "access.log", [*quiet, "no line of a server"])
    done = monitor("log=access.log")
    assert done.returncode == 1
    assert "ALERT 2026-01-02: Clips are quieter than those it was tested on: level -" in done.stdout
    (alert,) = result(tmp_path)["alerts"]
    assert (alert["kind"], alert["window"]) == ("drift level_db", "2026-01-02")


def test_without_a_reference_the_rest_is_told_and_what_to_do(monitor: Callable, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "outputs" / "registry" / "drinks" / VERSION)
    write_log(tmp_path / "access.log", lines(60))
    done = monitor("log=access.log")
    assert done.returncode == 0
    assert "has no reference.json" in done.stdout
    assert "reference_days=7" in done.stdout


def test_recordings_can_be_the_reference(monitor: Callable, tmp_path: Path) -> None:
    """The clips of the log are those of the manifest, so nothing has drifted but for what the log does not say."""
    folder = tiny_bundle(tmp_path / "mine")
    rows = []
    for number in range(40):
        name = f"{number}.wav"
        sf.write(tmp_path / name, tone(200 + 5 * number, 0.6, seed=number), RATE)
        rows.append({"file_name": name, "product": "tea", "quantity": "1", "speaker": f"s{number % 8}"})
    pd.DataFrame(rows).to_csv(tmp_path / "metadata.csv", index=False)
    write_log(tmp_path / "access.log", [line(level_db=-60.0, model_version="mine") for _ in range(40)])
    done = monitor("log=access.log", f"bundle={folder}", "reference_file=metadata.csv", "window=all")
    assert done.returncode == 1
    assert "Compared with 40 clips of 8 speakers" in done.stdout
    kept = next((tmp_path / "outputs").glob("runs/monitor/*/reference.json"))
    assert f"next time: reference_file={kept.relative_to(tmp_path)}" in done.stdout
    assert "drift level_db" in {alert["kind"] for alert in result(tmp_path)["alerts"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "log is not set"),
        (["log=nothing.log"], "there is no such file"),
        (["log=text.log"], "not one of 1 lines is of a server's request log"),
        (["log=access.log", "bundle=nowhere"], "there is no bundle at nowhere"),
        (["log=access.log", "reference_file=text.log"], "cannot be used"),
        (["log=access.log", "reference_file=metadata.csv"], "give bundle=FOLDER"),
        (["log=access.log", "feedback=nothing.sqlite"], "there is no file nothing.sqlite"),
        (["log=access.log", "drift.alpha=2"], "settings.drift.alpha"),
        (["log=access.log", "window=month"], "settings.window"),
        (["log=access.log", "reference_days=3", "window=all"], "set window=day"),
    ],
)
def test_mistakes_are_one_sentence(monitor: Callable, tmp_path: Path, arguments: list[str], words: str) -> None:
    write_log(tmp_path / "access.log", lines(5))
    (tmp_path / "text.log").write_text("hello\n")
    done = monitor(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("outputs/runs/monitor/*/report.html"))

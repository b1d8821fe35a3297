"""Runs side by side: what each came to, whether it was finished or not."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from slu.studies.runs import find_runs, runs_table


def write_run(home: Path, name: str, *overrides: str, task: str = "orders", **metrics: object) -> Path:
    folder = home / name
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text(f"data: {{task: {task}}}\n")
    (folder / ".hydra" / "overrides.yaml").write_text("".join(f"- {text}\n" for text in overrides) or "[]\n")
    if metrics:
        (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_the_best_comes_first_and_what_was_cut_short_last(tmp_path: Path) -> None:
    home = tmp_path / "runs" / "train"
    tests = {"clean": {"joint_accuracy": 0.9}, "10 dB": {"joint_accuracy": 0.6}, "0 dB": {"joint_accuracy": 0.4}}
    write_run(home, "2026-01-01_10-00-00.1", "model=m1", objective=0.8, test=tests, cpu_s=9.5, parameters=10, epochs=2)
    write_run(home, "2026-01-02_10-00-00.1/0", "model=m2", "seed=1", objective=0.9, test={})
    cut = write_run(home, "2026-01-03_10-00-00.1")
    (cut / "checkpoints").mkdir()
    (cut / "checkpoints" / "last.ckpt").touch()
    write_run(home, "2026-01-04_10-00-00.1", task="gender", objective=0.99)
    (write_run(home, "broken") / ".hydra" / "config.yaml").write_text("a: [")
    table = runs_table(find_runs(home), home, "orders", "objective")
    assert table["settings"].tolist() == ["model=m2 seed=1", "model=m1", ""]
    assert table["run"].tolist()[0] == "2026-01-02_10-00-00.1/0"
    assert table["state"].tolist() == ["done", "done", "cut short"]
    assert table["noisy"].tolist()[1] == 0.5
    everything = runs_table(find_runs(home), home, None, "cpu_s")
    assert len(everything) == 5
    assert everything.set_index("run").loc["broken", "settings"] == "(its files cannot be read)"


def test_the_task_of_a_menu_is_known_by_its_name(tmp_path: Path) -> None:
    home = tmp_path / "runs" / "train"
    folder = write_run(home, "2026-01-01_10-00-00.1", objective=0.8, test={})
    (folder / ".hydra" / "config.yaml").write_text("data: {task: '${menu.task}'}\nmenu: {task: orders}\n")
    assert runs_table(find_runs(home), home, "orders", "objective")["task"].tolist() == ["orders"]


def test_the_command_shows_them_and_writes_a_table(tmp_path: Path, printed: Callable[..., tuple[int, str]]) -> None:
    code, said = printed("runs")
    assert (code, "there is no training below" in said) == (2, True)
    write_run(tmp_path / "out" / "runs" / "train", "2026-01-01_10-00-00.1", "model=m1", objective=0.812, test={})
    code, said = printed("runs", f"csv={tmp_path / 'runs.csv'}")
    assert code == 0
    assert "0.812" in said
    assert pd.read_csv(tmp_path / "runs.csv")["settings"].tolist() == ["model=m1"]

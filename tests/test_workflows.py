"""The workflows: what they run exists and composes, what they use is pinned, what they may is little.

Their steps are targets of the Makefile, commands and scripts, so that each can be run here as well.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir

from slu.__main__ import commands
from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
MAY = {"contents": "read"}
MAY_MORE = {
    ("train", "report"): {"pull-requests": "write"},
    ("deploy", "image"): {"packages": "write"},
}
MATRIX = re.compile(r"\$\{\{ matrix\.(\w+) \}\}")


def load(path: Path) -> dict[str, Any]:
    """YAML 1.1 takes the key `on` for a truth value; quotes keep it a word."""
    text = re.sub(r"^on:", '"on":', path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(yaml.safe_load(text))


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield path.stem, name, job


def steps() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Where, the job, the step."""
    for workflow, name, job in jobs():
        for step in job.get("steps", []):
            yield f"{workflow}/{name}", job, step
    for path in ACTIONS:
        for step in load(path)["runs"]["steps"]:
            yield f"actions/{path.parent.name}", {}, step


RUNS = [(where, job, step["run"]) for where, job, step in steps() if "run" in step]
USES = [(where, step) for where, _, step in steps() if "uses" in step]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def commands_of(job: dict[str, Any], words: list[str]) -> Iterator[list[str]]:
    """Arguments of the slu command that a step runs, once per entry of a matrix; what a runner fills in is `x`."""
    for entry in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
        settings = " ".join(str(entry.get("settings", "")).split())
        filled = [w.replace("$SETTINGS", settings).replace("$GATE", "true").replace("$MENU", "warung") for w in words]
        yield [re.sub(r"\$\{?\w+\}?", "x", word) for word in filled]


def test_there_are_four() -> None:
    assert [path.stem for path in WORKFLOWS] == ["data-validation", "deploy", "test", "train"]


@pytest.mark.parametrize(("where", "job", "run"), RUNS, ids=[f"{where}: {run[:40]}" for where, _, run in RUNS])
def test_a_step_runs_what_is_here(where: str, job: dict[str, Any], run: str) -> None:
    words = shlex.split(run)
    if words[0] == "make":
        assert words[1] in targets()
        arguments = next((word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")), "")
        composed = ["train", *shlex.split(arguments)] if words[1] == "train" else []
    elif words[:2] == [".venv/bin/python", "-m"]:
        name = words[2].removeprefix("slu.")
        assert name in commands()
        composed = [name, *words[3:]]
    else:
        script = words[1] if words[0] in ("python3", ".venv/bin/python") else words[0]
        assert script.startswith("scripts/")
        assert (ROOT / script).is_file()
        assert words[0] != script or os.access(ROOT / script, os.X_OK)
        composed = []
    assert not set(run) & set(";|&`"), "one command a step"
    if composed:
        for arguments in commands_of(job, composed):
            with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
                compose(arguments[0], overrides=[part for word in arguments[1:] for part in word.split()])


@pytest.mark.parametrize(("where", "step"), USES, ids=[f"{where}: {step['uses'][:30]}" for where, step in USES])
def test_an_action_is_ours_or_pinned_by_its_hash(where: str, step: dict[str, Any]) -> None:
    if step["uses"].startswith("./"):
        assert (ROOT / step["uses"] / "action.yml").is_file()
        return
    assert re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
    if step["uses"].startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False


def test_an_action_has_one_hash_and_a_version_beside_it() -> None:
    found: dict[str, set[str]] = {}
    for path in [*WORKFLOWS, *ACTIONS]:
        for line in path.read_text().splitlines():
            if "uses: actions/" in line:
                match = re.search(r"uses: (actions/\w[\w-]*)[\w/-]*@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", line)
                assert match, line
                found.setdefault(match[1], set()).add(f"{match[2]} {match[3]}")
    assert len(found) == 5
    assert {name: len(pins) for name, pins in found.items()} == dict.fromkeys(found, 1)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_nothing_of_its_own(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert "cancel-in-progress" in workflow["concurrency"]
    assert "pull_request_target" not in workflow["on"]
    assert ("secrets." in path.read_text()) == (path.stem == "deploy")
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == MAY | MAY_MORE.get((path.stem, name), {})
        assert "uses" in job or 0 < job["timeout-minutes"] <= 300


def test_nothing_is_published_before_the_tests() -> None:
    deploy = load(ROOT / ".github/workflows/deploy.yml")
    assert set(deploy["on"]) == {"push"}
    assert set(deploy["on"]["push"]) == {"tags"}
    assert all(job.get("needs") == "test" for name, job in deploy["jobs"].items() if name != "test")
    assert deploy["jobs"]["test"]["uses"] == "./.github/workflows/test.yml"


def test_the_pythons_are_those_of_the_project() -> None:
    found = load(ROOT / ".github/workflows/test.yml")["jobs"]
    measured = found["coverage"]["steps"][1]["with"]["python-version"]
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()
    assert [*found["tests"]["strategy"]["matrix"]["python"], measured] == ["3.11", "3.12", "3.13"]


def test_what_is_trained() -> None:
    include = load(ROOT / ".github/workflows/train.yml")["jobs"]["train"]["strategy"]["matrix"]["include"]
    names = [entry["name"] for entry in include]
    assert names == ["orders-m1", "orders-m2", "gender-lstm", "gender-gru", "gender-rnn"]


@pytest.mark.parametrize("arguments", [["zizmor", "--offline", "--persona=pedantic", ".github"], ["actionlint"]])
def test_linters_find_nothing(arguments: list[str]) -> None:
    """`make workflows` runs both, and fetches the second where it can."""
    program = shutil.which(arguments[0], path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"{arguments[0]} is not installed")
    result = subprocess.run([program, *arguments[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_smoke_training(tmp_path: Path) -> None:
    """The target's own lines, in an empty folder: corpus, training, evaluation, validation."""
    asked = ["make", "-n", "-o", ".venv/.ready", "-o", ".venv/.ready-cpu", "smoke", f"PYTHON={sys.executable}"]
    lines = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "200 files: 200 ok, 0 warning, 0 error" in result.stdout
    assert (tmp_path / "outputs/smoke/registry/orders/latest/spec.json").is_file()

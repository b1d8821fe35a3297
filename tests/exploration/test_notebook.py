"""The notebooks run as they are committed, on corpora small enough for a test."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "notebooks" / name, as_version=4)


def execute(name: str, parameters: str) -> tuple[list[nbformat.NotebookNode], str]:
    """What its cells give, and what they print."""
    notebook = read(name)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source += f"\n{parameters}"
    where = {"metadata": {"path": str(ROOT / "notebooks")}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    return outputs, "".join(str(output.get("text", "")) for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_committed_without_outputs(path: Path) -> None:
    code = [cell for cell in read(path.name).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert code[0].metadata.tags == ["parameters"]


@pytest.mark.slow  # .ci/run executes them as well
def test_the_exploration_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    small = [
        f"outputs={tmp_path}",
        "synthesis.counts={train:60,val:20,test:20}",
        "voices.speakers={train:6,val:2,test:2}",
    ]
    outputs, shown = execute("eda.ipynb", f"overrides = {small!r}")
    assert "corpus: spoken now" in shown
    assert "product: 0 clips without a label" in shown
    assert "Split: Use it as it is." in shown
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) >= 8
    assert (tmp_path / "exploration").is_dir()


@pytest.mark.slow
def test_training_listening_own_recordings_and_results_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    where = f"outputs = {str(tmp_path)!r}"
    outputs, shown = execute("train_and_listen.ipynb", where)
    assert "silence: understood False silence" in shown
    assert "noise: understood False noise" in shown
    assert sum("IPython.lib.display.Audio" in str(output.get("data", {})) for output in outputs) == 3
    shown = execute("bring_your_own.ipynb", f"{where}\nepochs = 2")[1]
    assert "520 files: 520 ok, 0 warning, 0 error" in shown
    assert "exit code 1" in shown, "the planted faults are errors"
    assert "'telurr'" in shown
    outputs, shown = execute("results.ipynb", where)
    assert "1 trainings below" in shown or "2 trainings below" in shown
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) == 2

"""The notebook runs as it is committed, on a corpus small enough for a test."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks" / "eda.ipynb"


def read() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_committed_without_outputs() -> None:
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert code[0].metadata.tags == ["parameters"]
    assert "overrides = []" in code[0].source


@pytest.mark.slow  # .ci/run executes it as well
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = read()
    small = [
        f"outputs={tmp_path}",
        "synthesis.counts={train:60,val:20,test:20}",
        "voices.speakers={train:6,val:2,test:2}",
    ]
    parameters = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    parameters.source = f"overrides = {small!r}"
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    shown = "".join(str(output.get("text", "")) for output in outputs)
    assert "corpus: spoken now" in shown
    assert "product: 0 clips without a label" in shown
    assert "Split: Use it as it is." in shown
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) >= 8
    assert not [output for output in outputs if output.output_type == "error"]
    assert (tmp_path / "exploration").is_dir()

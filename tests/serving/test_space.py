"""The folder of a Hugging Face Space: complete by itself, without torch, and a page that answers in a browser."""

import importlib.util
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from slu.benchmarks.server_process import free_port
from slu.inference.onnx_runtime import open_predictor
from slu.serving.gradio_blocks import headline
from tests.browser import open_browser
from tests.conftest import ROOT
from tests.serving.helpers import GOOD

ALONE = """\
import sys
import numpy as np
from pathlib import Path
import slu.serving.gradio_blocks
from slu.inference.onnx_runtime import open_predictor
(folder,) = Path("bundle").iterdir()
print(open_predictor(folder).predict(Path(sys.argv[1]).read_bytes()).to_json()["model_version"])
assert not {"torch", "fastapi", "litserve", "hydra"} & set(sys.modules)
assert all(Path(module.__file__).is_relative_to(Path.cwd()) for name, module in sys.modules.items() if name == "slu")
"""


def make(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/make_space.py", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def space(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "made"
    done = make(folder, folder, f"bundle={bundle}", "title=Drinks")
    assert done.returncode == 0, done.stderr
    return folder


def test_its_metadata_names_what_is_there(space: Path) -> None:
    _, block, text = (space / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    metadata = yaml.safe_load(block)
    assert (metadata["title"], metadata["sdk"], metadata["license"]) == ("Drinks", "gradio", "other")
    assert re.fullmatch(r"6\.\d+\.\d+", metadata["sdk_version"])
    assert (space / metadata["app_file"]).is_file()
    assert metadata["python_version"] == "3.11"
    assert "$" not in text
    (card,) = re.findall(r"\]\((bundle/[^)]+)\)", text)
    assert (space / card).is_file()
    pins = (ROOT / "requirements-serve.txt").read_text(encoding="utf-8")
    for line in (space / "requirements.txt").read_text(encoding="utf-8").splitlines():
        assert f"\n{line} " in pins
    assert "training.json" not in {path.name for path in space.rglob("*")}, "nothing of what it was trained on"


def test_its_code_needs_nothing_else_of_ours(space: Path, tmp_path: Path) -> None:
    (tmp_path / "said.wav").write_bytes(GOOD)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, tmp_path / "said.wav"],
        cwd=space, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "drinks\n"


def test_what_cannot_be_made_is_said(space: Path, bundle: Path, tmp_path: Path) -> None:
    again = make(tmp_path, space, f"bundle={bundle}")
    assert (again.returncode, again.stderr) == (1, f"error: {space} is there already; name a new folder\n")
    none = make(tmp_path, tmp_path / "new", f"bundle={tmp_path / 'none'}")
    assert none.returncode == 1
    assert none.stderr.startswith("error: the bundle ")
    assert not (tmp_path / "new").exists()
    odd = make(tmp_path, tmp_path / "new", f"bundle={bundle}", "license=a: b")
    assert odd.stderr.startswith("error: title has to be a line")


@contextmanager
def app(space: Path, temporary: Path) -> Iterator[str]:
    """Its page's address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(temporary), "OMP_NUM_THREADS": "1"}
    outer = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=space, env={**outer, **settings})
    try:
        limit = time.monotonic() + 120
        while True:
            assert process.poll() is None
            assert time.monotonic() < limit
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="Gradio is not installed (it is optional)")
def test_its_page_answers_in_a_browser(space: Path, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "said.wav").write_bytes(GOOD)
    with open_browser() as browser, app(space, tmp_path / "kept") as url:
        page = browser.new_page()
        page.goto(url)
        page.click("button[aria-label='Upload file']")
        page.locator("input[type=file]").set_input_files(str(tmp_path / "said.wav"))
        page.wait_for_selector("[aria-label='Play']", timeout=10_000)
        page.click("text=What was said?")
        for _ in range(100):
            if heard := page.get_by_label("Heard").input_value():
                break
            page.wait_for_timeout(100)
    predictor = open_predictor(bundle)
    assert predictor is not None
    assert heard == headline(predictor.predict(GOOD).to_json())
    assert not [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]

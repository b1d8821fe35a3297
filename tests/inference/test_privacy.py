"""Whoever opens a model is told to nobody."""

import os
import subprocess
import sys
from pathlib import Path

from slu.inference.files import ONNX
from tests.bundles.helpers import tiny_bundle
from tests.conftest import ROOT

# The runtime keeps what it is about to tell in the home folder.
OPEN = """
import sys, time
from pathlib import Path
from slu.inference.onnx_runtime import open_session
open_session(Path(sys.argv[1]))
time.sleep(0.5)
"""


def test_the_runtime_tells_its_maker_nothing(tmp_path: Path) -> None:
    model, home = tiny_bundle(tmp_path / "v1") / ONNX, tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    for name in ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"):  # it is silent on machines of CI anyway
        environment.pop(name, None)
    subprocess.run([sys.executable, "-c", OPEN, str(model)], env=environment, check=True, cwd=home)
    assert [path for path in home.rglob("*") if "Microsoft" in path.parts] == []

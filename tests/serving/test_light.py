"""What a server needs: it answers with nothing installed but requirements-serve.txt, so without torch."""

import os
import re
from pathlib import Path

import httpx

from tests.conftest import ROOT
from tests.serving.helpers import GOOD, running

# Python imports this at every start, in the worker, too.
BLOCKING = """\
import importlib.metadata, re, sys

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

tops = importlib.metadata.packages_distributions().items()
blocked = {{top for top, names in tops if not {{plain(name) for name in names}} & {allowed!r}}}
blocked -= {{"slu", "_distutils_hack"}}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}} in requirements-serve.txt", name=name)

sys.meta_path.insert(0, Blocked())
"""


def test_it_answers_with_what_its_own_list_pins(bundle: Path, tmp_path: Path) -> None:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements-serve.txt").read_text(), re.MULTILINE)
    assert "torch" not in pinned
    (tmp_path / "sitecustomize.py").write_text(BLOCKING.format(allowed={name.lower() for name in pinned}))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    with running(tmp_path, f"bundle={bundle}", "admin_password=long-enough", "log=access.log", path=path) as server:
        assert server.post(content=GOOD).json()["model_version"] == "drinks"
        assert server.get("/").status_code == 200
        key = {"X-Admin-Key": "long-enough"}
        for name, body, lacking in (
            ("retrain", {"task": "x"}, "torch is"),
            ("monitor", {}, "matplotlib and scipy are"),
        ):
            told = server.get(f"/admin/api/{name}", headers=key).json()["hindered"]
            assert told.startswith(f"{lacking} not installed here")
            refused = httpx.post(f"{server.url}/admin/api/{name}", json=body, headers=key, timeout=30)
            assert (refused.status_code, refused.json()["detail"]) == (409, told)
        assert not any("libtorch" in Path(f"/proc/{pid}/maps").read_text() for pid in server.family())

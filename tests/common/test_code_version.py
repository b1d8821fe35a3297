"""Which code made a version: the commit of its own checkout, of no other, and not without git."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import slu
from tests.conftest import ROOT

ASK = "import json; from slu.common.code_version import code_version; print(json.dumps(code_version()))"
PACKAGE = Path(slu.__file__).parent


def code(folder: Path, **environment: str) -> dict[str, object]:
    """As a process says that finds the package in a folder."""
    result = subprocess.run(
        [sys.executable, "-S", "-c", ASK], cwd=ROOT.anchor, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
    )  # fmt: skip
    return dict(json.loads(result.stdout))


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    result = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def test_of_a_checkout_and_of_others(tmp_path: Path) -> None:
    (tmp_path / "slu" / "common").mkdir(parents=True)
    for name in ("__init__.py", "common/__init__.py", "common/code_version.py"):
        shutil.copy(PACKAGE / name, tmp_path / "slu" / name)
    plain = {"version": slu.__version__}
    assert code(tmp_path) == plain, "no repository"
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "slu/__init__.py")
    git(tmp_path, "commit", "--quiet", "--message=first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert code(tmp_path) == {**plain, "commit": commit, "changed": False}, "what is not tracked does not count"
    assert code(tmp_path, GIT_DIR="/nowhere")["commit"] == commit
    with (tmp_path / "slu" / "__init__.py").open("a") as file:
        file.write("\n")
    assert code(tmp_path) == {**plain, "commit": commit, "changed": True}
    assert code(tmp_path, PATH="/nowhere") == plain, "no git"
    shutil.copytree(tmp_path / "slu", tmp_path / "lib" / "slu")
    assert code(tmp_path / "lib") == plain, "installed into a repository that is not its own"

"""The scripts of the workflows, with a `gh`, a `docker` and a Space that stand in for those beyond this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


def stand_in(folder: Path, name: str) -> Path:
    """A program that writes down what it was called with; what it read from stdin or --body-file follows."""
    folder.mkdir(exist_ok=True)
    log = folder / f"{name}.log"
    program = folder / name
    program.write_text(
        "#!/usr/bin/env bash\n"
        f'echo "$*" >>{log}\n'
        f'[ "${{4:-}}" != --body-file ] || cat "$5" >>{log}\n'
        f'[ "$1" != login ] || cat >>{log}\n'
    )
    program.chmod(0o755)
    return log


def script(name: str, *arguments: object, programs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run(
        [str(ROOT / "scripts" / name), *map(str, arguments)],
        env={**kept, "PATH": f"{programs}:{os.environ['PATH']}", **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_summaries_become_one_comment(tmp_path: Path) -> None:
    log = stand_in(tmp_path / "bin", "gh")
    for name, text in (("evaluation-b", "| 1 |\n"), ("evaluation-a", "| `$(2)` |\n")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "summary.md").write_text(text)
    page = tmp_path / "page.md"
    result = script(
        "post_summaries.sh", tmp_path / "in", programs=tmp_path / "bin",
        PULL_REQUEST="7", GITHUB_STEP_SUMMARY=str(page),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == "2 summaries\n"
    called, *body = log.read_text().splitlines()
    assert called.startswith("pr comment 7 --body-file ")
    assert called.endswith(" --edit-last --create-if-none")
    assert body[2:] == ["**evaluation-a**", "", "| `$(2)` |", "", "**evaluation-b**", "", "| 1 |"]
    assert page.read_text().splitlines() == body


def test_without_a_pull_request_nobody_is_written_to(tmp_path: Path) -> None:
    log = stand_in(tmp_path / "bin", "gh")
    (tmp_path / "in").mkdir()
    empty = script("post_summaries.sh", tmp_path / "in", programs=tmp_path / "bin", PULL_REQUEST="7")
    assert (empty.returncode, empty.stderr) == (2, f"error: no summary.md below {tmp_path / 'in'}\n")
    (tmp_path / "in" / "summary.md").write_text("x\n")
    assert script("post_summaries.sh", tmp_path / "in", programs=tmp_path / "bin", PULL_REQUEST="").returncode == 0
    assert not log.exists()


def test_an_image_is_pushed_under_two_names(tmp_path: Path) -> None:
    log = stand_in(tmp_path / "bin", "docker")
    image = "registry.example/shop/slu:v1.2.3"
    who = {"REGISTRY_USER": "ani", "REGISTRY_TOKEN": "s3cret"}
    result = script("push_image.sh", image, programs=tmp_path / "bin", **who)
    assert result.returncode == 0, result.stderr
    assert log.read_text().splitlines() == [
        "login registry.example --username ani --password-stdin",
        "s3cret",
        f"push {image}",
        f"tag {image} registry.example/shop/slu:latest",
        "push registry.example/shop/slu:latest",
        "logout registry.example",
    ]
    assert script("push_image.sh", image, programs=tmp_path / "bin").returncode != 0


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with one Space, which holds a file of its own making and one that is to go."""
    space, first = tmp_path / "host" / "ani" / "orders", tmp_path / "first"
    for arguments in (
        ["init", "--quiet", "--bare", "--initial-branch=main", space], ["clone", "--quiet", space, first],
    ):  # fmt: skip
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    (first / ".gitattributes").write_text("*.bin filter=lfs\n")
    (first / "old.py").write_text("old\n")
    for arguments in (["add", "."], ["commit", "--quiet", "-m", "first"], ["push", "--quiet", "origin", "HEAD:main"]):
        who = ["-c", "user.name=x", "-c", "user.email=x@x"]
        subprocess.run(["git", "-C", str(first), *who, *arguments], check=True, capture_output=True)
    return tmp_path / "host"


def test_a_space_holds_what_the_folder_holds(host: Path, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    folder.mkdir()
    (folder / "app.py").write_text("new\n")
    settings = {"SPACE_HOST": host.as_uri(), "HF_TOKEN": "s3cret", "GITHUB_REF_NAME": "v1.2.3"}
    result = script("push_space.sh", folder, "ani/orders", programs=tmp_path, **settings)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "ani/orders was updated\n"
    git = ["git", "-C", str(host / "ani" / "orders")]
    listed = subprocess.run([*git, "ls-tree", "--name-only", "main"], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [".gitattributes", "app.py"]
    told = subprocess.run([*git, "log", "-1", "--format=%s", "main"], capture_output=True, text=True, check=True)
    assert told.stdout == "v1.2.3\n"
    again = script("push_space.sh", folder, "ani/orders", programs=tmp_path, **settings)
    assert (again.returncode, again.stdout) == (0, "ani/orders is up to date\n")
    assert "s3cret" not in result.stdout + result.stderr
    assert script("push_space.sh", folder, "ani/orders", programs=tmp_path, SPACE_HOST=host.as_uri()).returncode != 0

"""The steps of the Dockerfile, done in a folder: small, no torch, another user's, and it answers."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.dockerfile import Builder, Image, read_dockerfile
from tests.bundles.helpers import tiny_bundle
from tests.conftest import ROOT
from tests.serving.helpers import GOOD

TEXT = """\
# a comment \\
ARG PYTHON=3.11
FROM python:${PYTHON} AS build
WORKDIR /app
COPY kept.txt ./
RUN mkdir -p /opt/venv && \\
    cp kept.txt /opt/venv/made.txt && command -v python > which.txt

FROM python:${PYTHON} AS server
ENV PATH=/opt/venv/bin:/usr/local/bin NAME="a b"
COPY --from=build /opt/venv /opt/venv
USER 7:8
ENTRYPOINT ["python", "outputs=/data"]

FROM server AS with-bundle
ARG BUNDLE
COPY outputs/${BUNDLE} /opt/${BUNDLE}
"""


@pytest.fixture
def others() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def builder(folder: Path, ignored: str = "*\n!kept.txt\n!outputs\n") -> Builder:
    (folder / "context" / "outputs" / "x").mkdir(parents=True)
    for name, text in {"kept.txt": "kept", ".dockerignore": ignored, "outputs/x/spec.json": "{}"}.items():
        (folder / "context" / name).write_text(text)
    python = folder / "python" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return Builder(read_dockerfile(TEXT), folder / "context", folder / "image", python)


def test_steps_are_done_below_a_folder(tmp_path: Path) -> None:
    image = builder(tmp_path).build("with-bundle", {"BUNDLE": "x"})
    assert isinstance(image, Image)
    assert (image.root / "opt/venv/made.txt").read_text() == "kept"
    assert (image.root / "opt/x/spec.json").is_file()
    assert not (image.root / "app").exists(), "what was only built with is not there"
    assert (tmp_path / "image/build/app/which.txt").read_text() == f"{tmp_path}/python/bin/python\n"
    assert (image.user, image.environment["NAME"]) == ("7:8", "a b")
    assert image.variables(tmp_path / "p" / "python")["PATH"] == f"{image.root}/opt/venv/bin:{tmp_path}/p"
    assert image.inside("outputs=/data /optics ./app") == f"outputs={image.root}/data /optics ./app"


def test_what_is_not_sent_cannot_be_copied(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"\.dockerignore leaves out kept\.txt"):
        builder(tmp_path, "*\n!outputs\n").build("server")


@pytest.mark.slow  # installs the pinned packages anew
def test_the_image_answers_as_another_user_from_a_tree_that_nobody_writes_to(others: Path) -> None:
    bundle = tiny_bundle(others / "bundle")
    (others / "clip.wav").write_bytes(GOOD)
    command = [sys.executable, "scripts/image_steps.py", others / "image", f"bundle={bundle}", "requests=20"]
    done = subprocess.run(
        [*command, f"clip={others / 'clip.wav'}"], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["status"] == 200
    assert facts["heard"]["model_version"] == "bundle"
    assert facts["healthcheck"] == facts["stopped_with"] == 0
    assert facts["installed_mb"] < 450, "of 600, the base image has about 130"
    assert not list((others / "image").rglob("torch"))
    if facts["may_switch_user"]:
        assert facts["user"] == "10001"
        assert facts["written"] == []

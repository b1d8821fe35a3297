"""A Dockerfile read for its steps, and the steps of one stage done in a folder that stands for the root of the image.

Knows what ours uses. RUN lines run as they are written, with the image's absolute paths turned into ones below the
folder; nothing of the base image is there, only its Python.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_OURS = re.compile(r"(?<![\w./-])/(?=(?:opt|app|data)\b)")
"""Where an absolute path of the image begins."""
_BASE = "/usr/local/bin"
"""Where the base image has its Python."""
_SILENT = {"ARG", "EXPOSE", "LABEL", "STOPSIGNAL", "VOLUME"}


@dataclass
class Stage:
    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(instruction, the rest of its line)"""


def read_dockerfile(text: str) -> dict[str, Stage]:
    """Stages by name, in their order; the last is what `docker build` makes."""
    joined = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    stage = Stage("", "")
    for line in re.sub(r"\\\n\s*", "", joined).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = stages.setdefault(name, Stage(name, base))
        else:
            stage.steps.append((word, rest.strip()))
    return stages


@dataclass
class Image:
    """What a stage has come to."""

    root: Path
    directory: str = "/"
    user: str = "0:0"
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """With the image's absolute paths below its root here."""
        return _OURS.sub(f"{self.root}/", text)

    def variables(self, python: Path) -> dict[str, str]:
        """Of the image, over those of this process; `python` stands for the base image's."""
        outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        variables = {"PATH": f"{_BASE}:{os.environ['PATH']}", **self.environment}
        path = ":".join(str(python.parent) if place == _BASE else place for place in variables["PATH"].split(":"))
        own = {name: self.inside(value) for name, value in variables.items()}
        return {**outer, **own, "PATH": self.inside(path)}


class Builder:
    def __init__(self, stages: Mapping[str, Stage], context: Path, folder: Path, python: Path) -> None:
        self.stages, self.context, self.folder, self.python = stages, context, folder, python
        lines = (context / ".dockerignore").read_text(encoding="utf-8").split()
        self._sent = [line[1:] for line in lines if line.startswith("!")]
        self._made: dict[str, Image] = {}

    def build(self, name: str, arguments: Mapping[str, str] | None = None) -> Image:
        """Raises KeyError for a stage there is not, CalledProcessError for a RUN that fails, and FileNotFoundError for
        a COPY of what is not there or is not sent."""
        if name in self._made:
            return self._made[name]
        stage = self.stages[name]
        if stage.base in self.stages:
            image = self.build(stage.base, arguments)
        else:
            image = Image(self.folder / name)
            (image.root / "data").mkdir(parents=True)
        for word, rest in stage.steps:
            filled = re.sub(r"\$\{(\w+)\}", lambda found: (arguments or {})[found[1]], rest)
            self._step(image, word, filled)
        self._made[name] = image
        return image

    def _step(self, image: Image, word: str, rest: str) -> None:
        if word in _SILENT:
            return
        if word == "RUN":
            where = Path(image.inside(image.directory))
            variables = image.variables(self.python)
            subprocess.run(["sh", "-c", image.inside(rest)], cwd=where, env=variables, check=True, stdout=sys.stderr)
        elif word == "COPY":
            self._copy(image, shlex.split(rest))
        elif word == "ENV":
            image.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "WORKDIR":
            image.directory = rest
            Path(image.inside(rest)).mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            image.user = rest
        elif word == "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        elif word == "HEALTHCHECK":
            image.healthcheck = json.loads(rest.partition("CMD ")[2])
        else:
            raise ValueError(f"Dockerfile: {word} is not known here")

    def _copy(self, image: Image, words: list[str]) -> None:
        source, target = words[-2:]
        if words[0].startswith("--from="):
            source = self.build(words[0].removeprefix("--from=")).inside(source)
        else:
            if not any(source == sent or source.startswith(f"{sent}/") for sent in self._sent):
                raise FileNotFoundError(f".dockerignore leaves out {source}")
            source = str(self.context / source)
        place = Path(image.inside(target if target.startswith("/") else f"{image.directory}/{target}"))
        if Path(source).is_dir():
            ignore = shutil.ignore_patterns("__pycache__") if words[0] == words[-2] else None
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True, ignore=ignore)
        else:
            shutil.copy(source, place / Path(source).name if target.endswith("/") else place)

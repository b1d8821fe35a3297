"""The README's commands, and those of docs/: each composes with today's configuration.

CI pastes the README's into a shell, in order, on a clean clone (scripts/run_readme.py, called by .ci/run).
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import MissingConfigException

from slu.__main__ import commands
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
README = TEXTS[PAGES[0]]
BLOCKS = re.findall(r"```bash\n(.*?)```", "\n".join(TEXTS.values()), flags=re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line and not line.startswith("#")]
COMMANDS = sorted({line for line in LINES if "-m slu." in line})


def test_the_front_door_starts_with_the_two_commands() -> None:
    lines = [line for block in re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL) for line in block.splitlines()]
    assert lines[:2] == ["make train", "make test"]
    assert len(README.splitlines()) <= 250, "the front door is short; docs/ has the rest"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", TEXTS[page]):
        place = (page.parent / target).resolve() if target else page
        assert place.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_command_printed_is_there(page: Path) -> None:
    """A block that a script was to fill stood empty once."""
    assert all(
        block.strip() for block in re.findall(r"^```\w+\n(.*?)^```", TEXTS[page], flags=re.DOTALL | re.MULTILINE)
    )


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    target = line.split()[1]
    result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_compose(line: str) -> None:
    words = shlex.split(re.sub(r"\$\([^)]*\)", "x", line.split(" #")[0]))  # the shell fills in $(…)
    assert words[0] == ".venv/bin/python", "commands must work without activating anything"
    name = words[2].removeprefix("slu.")
    assert name in commands()
    # Beside settings, flags and the bare words of reports and of the registry.
    arguments = [word for word in words[3:] if word.startswith("--") or "=" in word]
    if name in ("predict", "feedback") or "--help" in arguments:
        return
    # A sweep a=1,2 composes one value at a time.
    single = [re.sub(r"^([\w./@]+=)([\w.]+),.*$", r"\1\2", a) for a in arguments]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        compose(name, overrides=single)


def test_every_command_is_listed_and_helps() -> None:
    listed = commands()
    expected = {"train", "predict", "eda", "evaluate", "report", "ingest", "synthesize", "preprocess", "benchmark"}
    assert expected | {"feedback"} <= set(listed)
    assert all(text.endswith(".") and len(text) < 100 for text in listed.values())


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "conf").glob("*.yaml")))
def test_help_says_what_the_command_does(name: str) -> None:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(name, return_hydra_config=True)
    header = str(config.hydra.help.header)
    assert header.startswith(f"python -m slu.{name}: ")
    assert header.count("python -m slu.") >= 2, "help needs an example"


def test_nothing_committed_names_a_machine() -> None:
    """No registry hosts or home folders in tracked text files."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    suffixes = {".py", ".yaml", ".txt", ".md", ".toml", ".sh", ""}
    for file in files:
        path = Path(ROOT / file)
        if path.suffix in suffixes and path.name != Path(__file__).name and path.is_file():
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not re.search(r"/root/|/home/\w+/|--index-url|files\.pythonhosted", text), file


@pytest.mark.parametrize("name", ["train", "preprocess", "eda"])
def test_an_experiment_that_is_not_there_is_an_error(name: str) -> None:
    with (
        initialize_config_dir(str(ROOT / "conf"), version_base="1.3"),
        pytest.raises(MissingConfigException, match="experiment/gander"),
    ):
        compose(name, overrides=["experiment=gander"])

"""`python -m slu.registry`, as a user types it."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.registry import name_words
from tests.bundles.helpers import tiny_bundle
from tests.versions.helpers import damage, registry_of

Run = Callable[..., subprocess.CompletedProcess[str]]
Printed = Callable[..., tuple[int, str]]


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    bundle = tiny_bundle(tmp_path / "bundle", metrics={"data": "d1", "parent": "v0", "test": {}, "run": "runs/1"})
    return registry_of(tmp_path / "out" / "registry", bundle, 3)


def test_the_life_of_a_version(versions: list[str], printed: Printed, tmp_path: Path) -> None:
    one, two, three = versions
    root = tmp_path / "out" / "registry"
    assert printed("registry", "promote", "drinks", "latest") == (
        0, f"drinks: {three} is live; nothing else answered before\n",
    )  # fmt: skip
    assert printed("registry", "promote", "drinks", one, "why=it's better, by far") == (
        0, f"drinks: {one} is live; before, {three} answered\n",
    )  # fmt: skip
    assert printed("registry", "promote", "drinks", one) == (0, f"drinks: {one} is live already; nothing moves\n")
    code, text = printed("registry")
    assert code == 0
    assert f"drinks:3versionsin{root / 'drinks'}" in "".join(text.split()), "a long title wraps"
    assert [line.split("│")[2].strip() for line in text.splitlines() if line.startswith("│ 2026")][:3] == [
        "latest, previous", "", "live",
    ]  # fmt: skip
    assert "it's better, by far" in text
    code, text = printed("registry", "show", "drinks")
    facts = dict(line.strip().split(maxsplit=1) for line in text.splitlines() if len(line.split()) > 1)
    assert (facts["version"], facts["objective"], facts["data"], facts["run"]) == (one, "0.010", "d1", "runs/1")
    assert re.search(r"made from +v0 ", text)
    assert re.search(r"code +0\.1\.0", text)
    assert re.search(r"model +slu\.models\.m1\.M1 ", text)
    assert "the last 5 of 5 moves" in text
    assert printed("registry", "rollback", "drinks") == (0, f"drinks: {three} is live again; {one} is no longer\n")

    assert printed("registry", "verify") == (0, "sound: 3 versions of drinks\n")
    damage(root, two)
    damaged = (1, f"damaged: drinks/{two}: model.safetensors is not what was stored\n")
    assert printed("registry", "verify") == printed("registry", "verify", "drinks", two) == damaged
    assert printed("registry", "verify", "drinks", "live") == (0, "sound: 1 version of drinks\n")
    code, text = printed("registry", "promote", "drinks", two)
    assert code == 2
    assert text == (
        f"error: the version {two} of the task drinks is not promoted: model.safetensors is not what was stored\n"
    )
    assert "would be freed" in printed("registry", "prune", "drinks", "registry.keep=0", "registry.dry_run=true")[1]
    code, text = printed("registry", "prune", f"registry.root={root}", "registry.keep=0")
    assert code == 0
    assert text.startswith(f"drinks: {two} removed, 0.")
    assert printed("registry", "verify") == (0, "sound: 2 versions of drinks\n")


def test_exit_codes_of_a_process(versions: list[str], run: Run, tmp_path: Path) -> None:
    damage(tmp_path / "out" / "registry", versions[0], "spec.json")
    result = run("registry", "verify", "registry.root=out/registry")
    assert result.returncode == 1
    assert result.stdout == f"damaged: drinks/{versions[0]}: spec.json is not what was stored\n"
    assert result.stderr == ""
    assert not (tmp_path / "outputs").exists(), "looking makes nothing"
    result = run("registry", "promote", "drink", "latest", "registry.root=out/registry")
    assert result.returncode == 2
    assert result.stderr == "error: there is no task 'drink' in out/registry; nearest: drinks\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["promot", "drinks"], "there is nothing called 'promot' to do; nearest: promote; known: list, show, promote,"),
        (["rollback", "drinks", "now"], "'now' is one word too many: python -m slu.registry rollback TASK"),
    ],
)
def test_words_that_mean_nothing(words: list[str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        name_words(words)
    assert str(caught.value).startswith(message)


def test_what_is_missing_is_said(versions: list[str], printed: Printed) -> None:
    for words in (["promote"], ["promote", "drinks"], ["rollback"], ["show"], ["verify", "version=latest"]):
        code, text = printed("registry", *words)
        assert code == 2
        assert text.startswith(f"error: say which: python -m slu.registry {words[0]} "), text
        assert "the tasks are drinks" in text


def test_words_become_settings_wherever_they_stand() -> None:
    assert name_words(["registry.keep=1", "prune", "drinks"]) == ["action='prune'", "task='drinks'", "registry.keep=1"]
    assert name_words(["promote", "d", "v", "why=a, b's (c)"])[-1] == r"why='a, b\'s (c)'"
    assert name_words(["--cfg", "job", "list"]) == ["action='list'", "--cfg", "job"]

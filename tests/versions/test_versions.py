"""Promotion and roll-back: what answers, what answered before, and what is refused."""

from pathlib import Path

import pytest

from slu.bundles.store import Registry
from slu.common.errors import UserError
from slu.versions.aliases import answering, resolved
from slu.versions.content import changed
from slu.versions.moves import HISTORY
from tests.versions.helpers import TASK, at, damage, registry_of, store, unloaded


def test_live_and_previous_from_the_first_promotion_on(bundle: Path, tmp_path: Path) -> None:
    one, two, three = registry_of(tmp_path, bundle, 3)
    registry, home = unloaded(tmp_path), tmp_path / TASK
    assert at(tmp_path) == (None, None)
    assert resolved(home / "live").name == answering(home) == three, "until somebody promotes"
    with pytest.raises(UserError, match=f"nothing was promoted, .* promote {TASK} {two} makes another answer"):
        registry.rollback(TASK)

    registry.promote(TASK, two, "quieter shop")
    assert at(tmp_path) == (two, three), "what answered before is what a roll-back goes to"
    assert registry.promote(TASK, two) is None
    assert at(tmp_path) == (two, three), "and promoting it once more does not lose it"
    registry.promote(TASK, one[-8:], by="retrain")
    assert at(tmp_path) == (one, two)
    registry.rollback(TASK, "worse in noise")
    assert at(tmp_path) == (two, one)
    assert resolved(home / "live").name == two
    store(tmp_path, bundle, 4)
    assert resolved(home / "live").name == two, "a training moves `latest` alone"
    registry.promote(TASK, "latest")
    assert at(tmp_path)[1] == two

    moves = [entry for entry in registry.history(TASK) if entry.alias == "live"]
    assert [(entry.by, entry.why) for entry in moves] == [
        ("promote", "quieter shop"), ("retrain", ""), ("rollback", "worse in noise"), ("promote", ""),
    ]  # fmt: skip
    assert [entry.was for entry in moves] == [three, *(entry.version for entry in moves[:-1])]
    assert registry.problems(TASK) == []


def test_the_first_promotion_of_the_latest_has_nothing_before_it(bundle: Path, tmp_path: Path) -> None:
    registry_of(tmp_path, bundle, 1)
    entry = unloaded(tmp_path).promote(TASK, "latest")
    assert entry is not None
    assert entry.was is None
    with pytest.raises(UserError, match="nothing else was live before"):
        unloaded(tmp_path).rollback(TASK)


@pytest.mark.parametrize("name", ["model.safetensors", "metrics.json", "files.json"])
def test_a_damaged_version_is_named_and_never_promoted(bundle: Path, tmp_path: Path, name: str) -> None:
    one, two = registry_of(tmp_path, bundle, 2)
    registry = Registry(tmp_path)
    assert registry.problems(TASK) == []
    registry.promote(TASK, two)
    registry.promote(TASK, one)
    damage(tmp_path, two, name)
    assert registry.problems(TASK) == [f"{two}: {name} is not what was stored"]
    for refused in (lambda: registry.promote(TASK, two), lambda: registry.rollback(TASK)):
        with pytest.raises(UserError, match=f"{two} of the task drinks is not promoted: {name} is not what"):
            refused()
    assert at(tmp_path) == (one, two)


def test_every_kind_of_damage_is_told(bundle: Path, tmp_path: Path) -> None:
    one, two, three, four, five = registry_of(tmp_path, bundle, 5)
    home = tmp_path / TASK
    (home / one / "spec.json").unlink()
    (home / one / "note.txt").touch()
    (home / two / "files.json").unlink()  # as in registries of an earlier version: sound all the same
    (home / three / "files.json").unlink()
    damage(tmp_path, three)
    (home / "copy").mkdir()
    registry = unloaded(tmp_path)
    registry.promote(TASK, four)
    (home / four).rename(home / ".gone")
    (home / "previous").unlink()
    (home / "previous").symlink_to("/tmp")
    (home / "latest.json").write_text("{")
    with (home / HISTORY).open("a") as file:
        file.write("{}\n")
    told = "\n".join(registry.problems(TASK))
    assert f"{one}: note.txt was added, spec.json is missing" in told
    assert f"{two}: " not in told
    assert f"{three}: its files are not those that were stored, and no sound files.json says which" in told
    assert "copy: its name does not end in the hash of its files" in told
    assert f"live: it points to {four}, which is not there" in told
    assert "previous: it points out of" in told
    assert "history.jsonl:7: it cannot be read as a move" in told
    assert f"{five}: " not in told
    assert len(told.splitlines()) == 6


def test_what_this_version_of_the_code_cannot_load_is_refused(bundle: Path, tmp_path: Path) -> None:
    def refuse(folder: Path) -> None:
        raise UserError(f"the bundle {folder} is too old")

    (one,) = registry_of(tmp_path, bundle, 1)
    registry = Registry(tmp_path)
    registry.load = refuse  # type: ignore[method-assign]
    assert changed(tmp_path / TASK / one) == ""
    with pytest.raises(UserError, match=r"is not promoted: the bundle .* is too old"):
        registry.promote(TASK, "latest")


def test_names_that_are_not_there(bundle: Path, tmp_path: Path) -> None:
    registry = unloaded(tmp_path / "none")
    with pytest.raises(UserError, match="there is no registry at"):
        registry.promote(TASK, "latest")
    one, _ = registry_of(tmp_path, bundle, 2)
    registry = unloaded(tmp_path)
    with pytest.raises(UserError, match=r"there is no task 'drink' in .*; nearest: drinks"):
        registry.promote("drink", "latest")
    with pytest.raises(UserError, match=f"there is no version '{one[:-1]}x' of the task drinks; nearest: {one}"):
        registry.promote(TASK, f"{one[:-1]}x")
    with pytest.raises(UserError, match="has no `previous` yet"):
        registry.promote(TASK, "previous")


def test_an_alias_to_nothing_is_named_with_its_cure(bundle: Path, tmp_path: Path) -> None:
    one, two = registry_of(tmp_path, bundle, 2)
    registry, latest = unloaded(tmp_path), tmp_path / TASK / "latest"
    for to in ("gone", "latest", "/nowhere/else"):
        latest.unlink()
        latest.symlink_to(to)
        for word in ("latest", "live"):  # which is `latest` until somebody promotes
            with pytest.raises(
                UserError, match=f"`latest` of the task drinks points to {to}, which is not there; .*ln"
            ):
                registry.promote(TASK, word)
    latest.unlink()
    latest.symlink_to("latest")
    assert resolved(tmp_path / TASK / "live") == latest, "in a circle: as to nowhere"
    registry.promote(TASK, one)
    (tmp_path / TASK / "previous").symlink_to("gone")
    with pytest.raises(
        UserError, match=r"`previous` of the task drinks points to gone, which is not there; .*promotion"
    ):
        registry.promote(TASK, "previous")
    registry.promote(TASK, two)
    assert at(tmp_path) == (two, one)


def test_files_of_a_version_cannot_be_written(bundle: Path, tmp_path: Path) -> None:
    (one,) = registry_of(tmp_path, bundle, 1)
    assert {path.stat().st_mode & 0o222 for path in (tmp_path / TASK / one).iterdir()} == {0}

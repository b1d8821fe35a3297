"""Old versions go, but none that is pointed to, used, or not the registry's."""

import os
from pathlib import Path

from slu.versions.pruning import prune
from slu.versions.uses import hold, in_use
from tests.versions.helpers import TASK, registry_of, unloaded


def test_what_is_kept(bundle: Path, tmp_path: Path) -> None:
    one, two, three, four, five, six = registry_of(tmp_path, bundle, 6)
    registry, home = unloaded(tmp_path), tmp_path / TASK
    registry.promote(TASK, two)
    registry.promote(TASK, one)
    (home / "mine").mkdir()
    held = hold(home / three)
    assert held is not None
    before = sorted(path.name for path in home.iterdir())
    told = prune(registry, TASK, 1, dry_run=True)
    assert sorted(path.name for path in home.iterdir()) == before
    assert list(told.sizes) == [four, five]
    assert told.used == [three]
    assert told.sizes[four] == sum(path.stat().st_size for path in (home / four).iterdir())

    assert prune(registry, TASK, 1) == told
    assert registry.names(TASK) == ["mine", six, three, two, one]
    held.close()
    assert not in_use(home / three)
    assert list(prune(registry, TASK, 1).sizes) == [three]
    assert prune(registry, TASK, 0).sizes == {}, "latest, live and previous are never removed"
    (home / "mine").rmdir()
    assert registry.problems(TASK) == []


def test_what_killed_processes_left_behind_goes_too(bundle: Path, tmp_path: Path) -> None:
    registry_of(tmp_path, bundle, 1)
    home = tmp_path / TASK
    for name in (".pruned-20260101-000000-00000000", ".staging-1", "..staging-2.x", ".staging-3"):
        (home / name).mkdir()
        (home / name / "spec.json").touch(0o444)
    for name in (".staging-1", "..staging-2.x"):
        os.utime(home / name, (0, 0))
    (home / ".history.jsonl.abc").touch()
    assert prune(unloaded(tmp_path), TASK, 5).sizes == {}
    assert [path.name for path in home.glob(".*")] == [".staging-3"], "which may be written just now"

"""A server that was told no bundle follows `latest` until somebody promotes, and `live` from then on."""

from pathlib import Path

import pytest

from slu.bundles.store import Registry
from slu.common.errors import UserError
from slu.serving.server import find_bundles
from slu.serving.settings import ServeSettings
from slu.versions.pruning import prune
from slu.versions.uses import in_use
from tests.serving.helpers import GOOD, running
from tests.serving.test_promotion import live, until
from tests.versions.helpers import TASK, damage, registry_of, store


def test_a_running_server_follows_the_first_promotion(bundle: Path, tmp_path: Path) -> None:
    root = tmp_path / "out" / "registry"
    (one,) = registry_of(root, bundle, 1)
    registry = Registry(root)
    with running(tmp_path) as server:
        assert live(server) == [one]
        two = store(root, bundle, 2)
        until(lambda: live(server) == [two])
        registry.promote(TASK, one)
        until(lambda: live(server) == [one])
        assert server.post(content=GOOD).json()["model_version"] == one
        three = store(root, bundle, 3)
        registry.promote(TASK, "latest")
        until(lambda: live(server) == [three])
        registry.rollback(TASK)
        until(lambda: live(server) == [one])

        damage(root, three)
        with pytest.raises(UserError, match=r"model\.safetensors is not what was stored"):
            registry.rollback(TASK)
        registry.promote(TASK, two)
        until(lambda: live(server) == [two])
        store(root, bundle, 4)
        assert prune(registry, TASK, 0).used == [three], "it can still be asked by its name"
        assert server.post(content=GOOD, params={"model": three}).json()["model_version"] == three
    until(lambda: not in_use(root / TASK / three))  # however it ends; here it was killed
    assert list(prune(registry, TASK, 0).sizes) == [three]


def test_where_a_server_looks(bundle: Path, tmp_path: Path) -> None:
    root = tmp_path / "registry"
    (one,) = registry_of(root, bundle, 1)
    home = root / TASK

    def places(*named: str) -> list[Path]:
        return find_bundles(ServeSettings(bundle=named or None, task=None, outputs=str(tmp_path)))

    assert places() == places(str(home)) == [home / "live"], "there is none yet"
    assert places(TASK) == [home / "live"], "a task by its name"
    assert places(str(home / "latest")) == [home / "latest"], "who names an alias follows that one"
    Registry(root).promote(TASK, one)
    assert places() == places(str(home)) == [home / "live"]
    (home / one).rename(home / "elsewhere")
    with pytest.raises(UserError, match=f"there is no bundle at {home}/live, which leads to {home}/{one}; train"):
        places()
    (home / "live").unlink()
    (home / "latest").unlink()
    (home / "latest").symlink_to("latest")  # to itself
    with pytest.raises(UserError, match=f"there is no bundle at {home}/live, which leads to {home}/latest; train"):
        places()

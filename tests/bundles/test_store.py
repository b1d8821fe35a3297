"""The registry: versions appear whole, and `latest` moves only to a better one."""

from pathlib import Path
from typing import Any

import pytest
import torch

import slu
from slu.bundles import load_bundle, save_bundle
from slu.bundles.store import Registered, Registry
from slu.common.errors import UserError
from slu.common.files import read_json
from tests.bundles.helpers import MODEL, make_recogniser, make_spec, write_bundle


def register(root: Path, objective: float | None, data: str = "d1", seed: int = 0, task: str = "drinks") -> Registered:
    metrics: dict[str, Any] = {"objective": objective, "data": data}
    return Registry(root).register(task, lambda folder: write_bundle(folder, seed=seed, metrics=metrics))


def visible(root: Path, task: str = "drinks") -> list[str]:
    return [name for name in everything(root, task) if not name.startswith(".")]


def everything(root: Path, task: str = "drinks") -> list[str]:
    return sorted(path.name for path in (root / task).iterdir())


def latest(root: Path) -> str:
    home = root / "drinks"
    target = (home / "latest").readlink().name
    assert read_json(home / "latest.json")["bundle"] == target
    return target


def test_the_first_version(tmp_path: Path) -> None:
    first = register(tmp_path, 0.5)
    assert first.is_latest
    assert first.reason == "the first version"
    assert visible(tmp_path) == sorted([first.version, "history.jsonl", "latest", "latest.json"])
    assert load_bundle(tmp_path / "drinks" / "latest").version == first.version
    assert load_bundle(first.folder).metrics["objective"] == 0.5


def test_latest_json_says_what_is_there(tmp_path: Path) -> None:
    first = register(tmp_path, 0.5)
    value = read_json(tmp_path / "drinks" / "latest.json")
    assert value["metrics"].pop("onnx")["difference"] <= 1e-4
    assert value["metrics"].pop("code")["version"] == slu.__version__
    assert value == {
        "bundle": first.version,
        "task": "drinks",
        "model": "model.safetensors",
        "spec": "spec.json",
        "config": "config.yaml",
        "label_maps": {"product": "product2id.json", "quantity": "qty2id.json"},
        "metrics": {"objective": 0.5, "data": "d1"},
    }
    for name in (value["model"], value["spec"], value["config"], *value["label_maps"].values()):
        assert (tmp_path / "drinks" / "latest" / name).is_file()


def test_for_equal_data_the_better_objective_wins(tmp_path: Path) -> None:
    first = register(tmp_path, 0.5)
    worse = register(tmp_path, 0.4, seed=1)
    assert not worse.is_latest
    assert worse.reason == f"validation objective 0.4000 against 0.5000 of {first.version}"
    assert latest(tmp_path) == first.version
    better = register(tmp_path, 0.6, seed=2)
    assert better.is_latest
    assert latest(tmp_path) == better.version
    assert not register(tmp_path, 0.55, seed=3).is_latest  # against the best, not against the last
    assert latest(tmp_path) == better.version
    assert len(visible(tmp_path)) == 4 + 3  # what is not the best is kept all the same


def test_for_other_data_the_newest_wins(tmp_path: Path) -> None:
    first = register(tmp_path, 0.9)
    other = register(tmp_path, 0.1, data="d2", seed=1)
    assert other.is_latest
    assert other.reason == f"trained on other data than {first.version}, so their figures cannot be compared"
    assert latest(tmp_path) == other.version


@pytest.mark.parametrize(("old", "new"), [(None, 0.1), (None, None)])
def test_without_an_objective_the_newest_wins(tmp_path: Path, old: float | None, new: float | None) -> None:
    register(tmp_path, old)
    second = register(tmp_path, new, seed=1)
    assert second.is_latest
    assert latest(tmp_path) == second.version


def test_a_diverged_run_never_stands_in_the_way(tmp_path: Path) -> None:
    register(tmp_path, float("nan"))
    good = register(tmp_path, 0.1, seed=1)
    assert good.is_latest
    assert not register(tmp_path, float("nan"), seed=2).is_latest
    assert latest(tmp_path) == good.version


def test_a_worse_one_of_old_data_does_not_displace_what_came_after(tmp_path: Path) -> None:
    """As when a model was adapted in between: its own data and figure are others."""
    good = register(tmp_path, 0.9)
    adapted = register(tmp_path, 0.5, data="d2", seed=1)
    assert adapted.is_latest
    worse = register(tmp_path, 0.2, seed=2)
    assert not worse.is_latest
    assert good.version in worse.reason
    assert (tmp_path / "drinks" / "latest").resolve() == adapted.folder.resolve()
    assert register(tmp_path, 0.95, seed=3).is_latest


@pytest.mark.parametrize("damaged", ["[]", "{", '{"objective": "abc", "data": "d1"}'])
def test_what_cannot_be_read_of_the_latest_stops_nobody(damaged: str, tmp_path: Path) -> None:
    first = register(tmp_path, 0.9)
    (first.folder / "metrics.json").write_text(damaged)
    second = register(tmp_path, 0.1, seed=1)
    assert second.is_latest
    assert second.reason != "the first version"


def test_weights_that_are_no_numbers_are_no_version(tmp_path: Path) -> None:
    recogniser = make_recogniser(make_spec())
    with torch.no_grad():
        next(recogniser.parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="its weights are not all numbers"):
        Registry(tmp_path).register(
            "drinks", lambda folder: save_bundle(folder, recogniser, make_spec(), {"model": MODEL}, {})
        )
    assert everything(tmp_path) == []


def test_tasks_do_not_meet(tmp_path: Path) -> None:
    first = register(tmp_path, 0.9)
    assert register(tmp_path, 0.1, task="gender").reason == "the first version"
    assert latest(tmp_path) == first.version


def test_a_crash_while_writing_leaves_nothing_visible(tmp_path: Path) -> None:
    def crash(folder: Path) -> None:
        write_bundle(folder)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        Registry(tmp_path).register("drinks", crash)
    assert everything(tmp_path) == []
    first = register(tmp_path, 0.5)
    before = everything(tmp_path)
    with pytest.raises(RuntimeError, match="killed"):
        Registry(tmp_path).register("drinks", crash)
    assert everything(tmp_path) == before
    assert latest(tmp_path) == first.version


@pytest.mark.parametrize("name", ["model.safetensors", "spec.json", "qty2id.json"])
def test_a_half_written_version_never_becomes_latest(tmp_path: Path, name: str) -> None:
    first = register(tmp_path, 0.5)

    def half(folder: Path) -> None:
        write_bundle(folder, seed=1, metrics={"objective": 0.9, "data": "d1"})
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    with pytest.raises(UserError, match="cannot be used"):
        Registry(tmp_path).register("drinks", half)
    assert latest(tmp_path) == first.version
    assert visible(tmp_path) == sorted([first.version, "history.jsonl", "latest", "latest.json"])


def test_latest_moves_on_when_its_version_was_deleted(tmp_path: Path) -> None:
    first = register(tmp_path, 0.9)
    for path in first.folder.iterdir():
        path.unlink()
    first.folder.rmdir()
    second = register(tmp_path, 0.1, seed=1)
    assert second.is_latest
    assert latest(tmp_path) == second.version


def test_what_is_live_stays_and_is_told(tmp_path: Path) -> None:
    first = register(tmp_path, 0.5)
    assert [name for name, _ in first.facts()] == ["latest"]
    Registry(tmp_path).promote("drinks", first.version)
    second = register(tmp_path, 0.6, seed=1)
    assert latest(tmp_path) == second.version
    promote = f"python -m slu.registry promote drinks {second.version}"
    assert second.facts()[1] == ("live", f"stays {first.version}; {promote}")


def test_versions_are_named_after_time_and_content(tmp_path: Path) -> None:
    one, two = register(tmp_path, 0.5), register(tmp_path, 0.5, seed=1)
    assert one.version != two.version
    assert len(one.version) == len("20260101-000000-12345678")
    for _ in range(6):  # the same content within one second is the same version, not a collision
        assert load_bundle(register(tmp_path, 0.5).folder).metrics["objective"] == 0.5
    assert everything(tmp_path) == visible(tmp_path)

"""What bundle= may name, and what is said where nothing is there."""

from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.versions.places import bundle_place
from tests.versions.helpers import TASK, registry_of


def test_a_task_stands_for_its_latest_by_name_and_by_folder(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = Path("outputs/registry")
    one, two = registry_of(root, bundle, 2)
    assert bundle_place(TASK, root) == bundle_place(str(root / TASK), root) == root / TASK / "latest"
    assert bundle_place(str(root / TASK), root).resolve().name == two
    assert bundle_place(str(root / TASK / one), root) == root / TASK / one
    (tmp_path / TASK).symlink_to(root / TASK / one)
    assert bundle_place(TASK, root) == Path(TASK), "what is really there comes first"


def test_where_nothing_is_the_bundles_of_the_registry_are_named(bundle: Path, tmp_path: Path) -> None:
    def refusal(name: str) -> str:
        with pytest.raises(UserError) as caught:
            bundle_place(name, tmp_path / "registry")
        return str(caught.value)

    wanted = str(tmp_path / "registry/orders/latest")
    assert refusal(wanted) == f"there is no bundle at {wanted}; train one with `python -m slu.train`"
    registry_of(tmp_path / "registry", bundle, 1)
    known = tmp_path / "registry" / TASK / "latest"
    for name in (wanted, "orders", str(tmp_path / "registry")):
        assert refusal(name).startswith(f"there is no bundle at {name}; ")
        assert refusal(name).endswith(f"has {TASK}: write bundle={known}")


def test_a_damaged_bundle_is_left_to_be_named_as_one(bundle: Path, tmp_path: Path) -> None:
    root = tmp_path / "registry"
    (one,) = registry_of(root, bundle, 1)
    (root / TASK / one / "spec.json").unlink()
    assert bundle_place(TASK, root) == root / TASK / "latest"

"""Bundles: what is stored is what was trained, and anything else is refused in one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from slu.bundles import load_bundle, save_bundle
from slu.common.code_version import code_version
from slu.common.errors import UserError
from slu.common.files import read_json, write_json
from tests.bundles.helpers import HEADS, MODEL, make_bundle, make_recogniser, make_spec

FILES = ("model.safetensors", "spec.json", "config.yaml", "metrics.json", "product2id.json", "qty2id.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_bundle(tmp_path / "v1", metrics={"objective": 0.5})
    return tmp_path / "v1"


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_bundle(folder)
    text = str(caught.value)
    assert str(folder) in text
    assert "\n" not in text
    return text


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = read_json(path)
    change(value)
    write_json(path, value)


@torch.no_grad()
def test_a_round_trip_gives_equal_logits(tmp_path: Path) -> None:
    spec = make_spec()
    recogniser = make_recogniser(spec, seed=5)
    save_bundle(tmp_path, recogniser, spec, {"model": MODEL, "seed": 3}, {"objective": 0.25})
    torch.manual_seed(99)
    bundle = load_bundle(tmp_path)
    features, lengths = torch.randn(3, 40, 16), torch.tensor([40, 31, 12])
    expected = recogniser(features, lengths)
    actual = bundle.recogniser(features, lengths)
    for head in spec.head_names:
        torch.testing.assert_close(actual[head], expected[head], atol=0, rtol=0)
    assert not bundle.recogniser.training
    assert not bundle.front_end.training
    assert bundle.spec == spec
    assert bundle.config == {"model": MODEL, "seed": 3}
    assert {**bundle.metrics, "onnx": None} == {"objective": 0.25, "onnx": None, "code": code_version()}
    assert bundle.version == tmp_path.name


def test_the_files(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted((*FILES, "model_card.md", "model.onnx"))
    assert read_json(folder / "product2id.json") == {"tea": 0, "coffee": 1, "milk": 2}
    assert read_json(folder / "qty2id.json") == {"1": 0, "2": 1}
    assert yaml.safe_load((folder / "config.yaml").read_text()) == {"model": MODEL}
    weights = (folder / "model.safetensors").read_bytes()
    header = json.loads(weights[8 : 8 + int.from_bytes(weights[:8], "little")])  # safetensors, so not a pickle
    assert set(header) - {"__metadata__"} == set(load_file(folder / "model.safetensors"))
    assert weights[:2] not in (b"PK", b"\x80\x02")


def test_a_link_is_followed_to_its_version(folder: Path) -> None:
    (folder.parent / "latest").symlink_to("v1")
    assert load_bundle(folder.parent / "latest").version == "v1"


def test_another_front_end_is_refused(folder: Path) -> None:
    edit(folder / "spec.json", lambda spec: spec["front_end"].update(n_fft=400))
    assert "its front end is not the one that the weights were trained with" in refusal(folder)


def test_another_label_order_is_refused(folder: Path) -> None:
    edit(folder / "spec.json", lambda spec: spec["heads"][0]["classes"].reverse())
    assert "its label order is not the one that the weights were trained with" in refusal(folder)


def test_renamed_heads_are_refused(folder: Path) -> None:
    edit(folder / "spec.json", lambda spec: spec["heads"].reverse())
    assert "its label order is not" in refusal(folder)


def test_a_label_map_that_disagrees_is_refused(folder: Path) -> None:
    write_json(folder / "qty2id.json", {"1": 1, "2": 0})
    assert "qty2id.json disagrees with spec.json" in refusal(folder)


def test_another_spec_version_is_refused(folder: Path) -> None:
    edit(folder / "spec.json", lambda spec: spec.update(spec_version=2))
    assert "spec version 2 is not 1" in refusal(folder)


def test_what_may_change_after_training(folder: Path) -> None:
    edit(folder / "spec.json", lambda spec: spec.update(min_confidence=0.9, max_duration_s=3.0))
    assert load_bundle(folder).spec.min_confidence == 0.9


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refusal(folder) == f"the bundle {folder} is damaged: {name} is missing"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b'"text"'], ids=["empty", "bytes", "list", "str"])
def test_a_file_with_other_content(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    refusal(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    refusal(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_the_place_of_a_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    refusal(folder)


def test_weights_of_another_network(folder: Path, tmp_path: Path) -> None:
    edit_config(folder, lambda config: config["model"].update(layers=2))
    assert "its weights are not those that this version makes" in refusal(folder)
    spec = make_spec(heads=(HEADS[0],))
    (tmp_path / "other").mkdir()
    save_bundle(tmp_path / "other", make_recogniser(spec), spec, {"model": MODEL}, {})
    make_bundle(folder)
    shutil.copy(tmp_path / "other" / "model.safetensors", folder)
    assert "its label order is not" in refusal(folder)


def edit_config(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    change(config)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize(
    "target", ["os.system", "builtins.eval", "torch.nn.Linear", "slu.models.layers.MaskedNorm", ""]
)
def test_only_our_models_are_built(folder: Path, target: str) -> None:
    edit_config(folder, lambda config: config["model"].update(_target_=target))
    assert f"'{target}'" in refusal(folder)


def test_no_code_in_the_configuration_runs(folder: Path) -> None:
    (folder / "config.yaml").write_text(f"model: !!python/object/apply:os.mkdir ['{folder}/ran']\n")
    assert "could not determine a constructor" in refusal(folder)
    assert not (folder / "ran").exists()


def test_no_bundle_at_all(tmp_path: Path) -> None:
    assert "there is no bundle at" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    assert "there is no bundle at" in refusal(tmp_path / "file")

"""onnxruntime computes what torch computes, whatever the encoder; a bundle that cannot says why."""

import errno
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from slu.bundles import Predictor, load_bundle, save_bundle
from slu.bundles.onnx_export import ExportError, export_onnx
from slu.common.errors import UserError
from slu.common.files import read_json, write_json
from slu.inference.conclusion import Conclusion
from slu.inference.files import ONNX
from slu.inference.files import SPEC as SPEC_FILE
from slu.inference.front_end import ArrayFrontEnd
from slu.inference.onnx_runtime import open_predictor, open_session, run_session
from slu.models import Recogniser
from tests.bundles.helpers import make_bundle, make_recogniser, make_spec, tiny_bundle
from tests.conftest import ROOT, tone
from tests.models.test_hybrid import SETTINGS, SPEC, recogniser
from tests.models.test_models import BANDS, SMALL, build

BESIDE = {"_target_": "slu.models.hybrid.Hybrid", "channels": 8, "blocks": 1, "share": 0.5}


def written_down(network: Recogniser, size: int, folder: Path) -> None:
    """And computed alike at a length that the export has not seen."""
    assert export_onnx(network, size, folder / ONNX, {}) <= 1e-4
    session = open_session(folder / ONNX)
    clip = torch.randn(83, size) * 3 - 8
    with torch.inference_mode():
        expected = network.outputs(clip[None], torch.tensor([83]))
    for ours, theirs in zip(expected, run_session(session, clip.numpy()), strict=True):
        torch.testing.assert_close(ours, torch.from_numpy(theirs), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", SMALL)
def test_every_encoder_can_be_written_down(name: str, tmp_path: Path) -> None:
    written_down(build(name), BANDS, tmp_path)


def test_what_searches_a_menu_can_be_written_down(tmp_path: Path) -> None:
    written_down(recogniser(beside=BESIDE), 20, tmp_path)


def test_both_runtimes_give_the_same_predictions(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    clips = [tone(300, 0.5), tone(900, 1.2), tone(500, 0.3)]
    ours, theirs = (Predictor(bundle, runtime=kind).predict_waveforms(clips) for kind in ("torch", "onnx"))
    for one, other in zip(ours, theirs, strict=True):
        assert (one.labels, one.understood, one.reason) == (other.labels, other.understood, other.reason)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    assert bundle.metrics["onnx"]["difference"] <= 1e-4


def test_a_server_answers_alike_without_torch(tmp_path: Path) -> None:
    clips = [tone(300, 0.5), tone(900, 1.2), tone(500, 0.3)]
    bundle = make_bundle(tmp_path / "v1")
    light = open_predictor(bundle.folder)
    assert light is not None
    for one, other in zip(Predictor(bundle).predict_waveforms(clips), light.predict_waveforms(clips), strict=True):
        assert (one.labels, one.understood, one.model_version) == (other.labels, other.understood, "v1")
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    assert open_predictor(tiny_bundle(tmp_path / "mfcc", front_end={"name": "mfcc", "n_mfcc": 16})) is None


def test_a_menus_search_travels_with_the_export(tmp_path: Path) -> None:
    network = recogniser(beside=BESIDE)
    network.learn_priors(torch.arange(6.0), torch.tensor([9.0, 2.0, 5.0]))
    folder, spec = tmp_path / "digits", replace(SPEC, front_end={"name": "logmel", "n_mels": 20})
    folder.mkdir()
    model = {**SETTINGS, "beside": BESIDE}
    save_bundle(folder, network, spec, {"model": model}, {})
    light, whole = open_predictor(folder), Predictor(load_bundle(folder))
    assert light is not None
    (ours,), (theirs,) = (one.hear([tone(400, 0.9)]).scores["digit"] for one in (light, whole))
    assert ours.tolist() == pytest.approx(theirs.tolist(), abs=1e-4)


def test_nothing_of_torch_is_imported_for_it(tmp_path: Path) -> None:
    code = (
        f"import pathlib, sys; from slu.inference.onnx_runtime import open_predictor; import numpy as np\n"
        f"print(open_predictor(pathlib.Path({str(tiny_bundle(tmp_path / 'v1'))!r}))"
        ".predict_waveforms([np.ones(9000, np.float32)])[0].model_version)\n"
        "print([name for name in ('torch', 'onnx', 'scipy', 'pandas') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout.split("\n")[:2] == ["v1", "[]"], result.stderr


def test_an_export_of_an_earlier_version_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "v1")
    model = onnx.load(folder / ONNX)
    del model.metadata_props[:]
    onnx.save(model, folder / ONNX)
    with pytest.raises(UserError, match="is of an earlier version: train it again, or serve it with runtime=torch"):
        open_predictor(folder)


def test_other_features_than_those_of_the_training_are_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    louder = ArrayFrontEnd(16_000, lambda waveform: np.zeros((1, 16), np.float32))
    monkeypatch.setattr("slu.bundles.bundle.array_front_end", lambda settings: louder)
    bundle = make_bundle(tmp_path / "v1")
    assert "the features of a server differ by" in bundle.metrics["onnx"]["refused"]
    assert not (bundle.folder / ONNX).exists()


def test_a_bundle_whose_spec_was_changed_is_refused(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "v1")
    document = read_json(folder / SPEC_FILE)
    document["heads"][0]["classes"].reverse()
    write_json(folder / SPEC_FILE, document)
    with pytest.raises(UserError, match="its label order is not the one"):
        open_predictor(folder)


class Different(nn.Module):
    """Of a random size each time: no export computes the same."""

    def __init__(self, inner: Recogniser) -> None:
        super().__init__()
        self.inner = inner

    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.rand(1) * 10 + values for values in self.inner.outputs(features, lengths))

    def conclusion(self) -> Conclusion:
        return self.inner.conclusion()


def test_what_computes_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="differ by"):
        export_onnx(Different(make_recogniser(make_spec())), 16, tmp_path / ONNX, {})  # type: ignore[arg-type]
    assert not (tmp_path / ONNX).exists()


def test_a_full_disk_is_not_mistaken_for_a_network_that_cannot_be_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("slu.bundles.onnx_export.onnx.save", full)
    with pytest.raises(OSError, match="No space left"):
        export_onnx(make_recogniser(make_spec()), 16, tmp_path / ONNX, {})
    assert not (tmp_path / ONNX).exists()


def test_a_bundle_without_a_usable_export_says_so(tmp_path: Path) -> None:
    folder, other = tiny_bundle(tmp_path / "a"), tiny_bundle(tmp_path / "b", seed=1)
    shutil.copy(other / ONNX, folder / ONNX)
    with pytest.raises(UserError, match=r"model\.onnx was not made from the weights beside it"):
        Predictor(load_bundle(folder), runtime="onnx")
    (folder / ONNX).write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be used"):
        Predictor(load_bundle(folder), runtime="onnx")
    (folder / ONNX).unlink()
    with pytest.raises(UserError, match="cannot run on onnxruntime"):
        Predictor(load_bundle(folder), runtime="onnx")
    assert Predictor(load_bundle(folder)).predict_waveforms([tone(300)])[0].labels

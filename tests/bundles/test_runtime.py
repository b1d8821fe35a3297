"""onnxruntime computes what torch computes, whatever the encoder; a bundle that cannot says why."""

import errno
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from slu.bundles import Predictor, load_bundle
from slu.bundles.bundle import ONNX
from slu.bundles.onnx_export import ExportError, export_onnx, open_session, run_session
from slu.common.errors import UserError
from slu.models import Recogniser
from tests.bundles.helpers import make_bundle, make_recogniser, make_spec, tiny_bundle
from tests.conftest import tone
from tests.models.test_hybrid import recogniser
from tests.models.test_models import BANDS, SMALL, build

BESIDE = {"_target_": "slu.models.hybrid.Hybrid", "channels": 8, "blocks": 1, "share": 0.5}


def written_down(network: Recogniser, size: int, folder: Path) -> None:
    """And computed alike at a length that the export has not seen."""
    assert export_onnx(network, size, folder / ONNX, "w") <= 1e-4
    session = open_session(folder / ONNX, "w")
    clip = torch.randn(83, size) * 3 - 8
    with torch.inference_mode():
        expected = network.outputs(clip[None], torch.tensor([83]))
    for ours, theirs in zip(expected, run_session(session, clip), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


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


class Different(nn.Module):
    """Of a random size each time: no export computes the same."""

    def __init__(self, inner: Recogniser) -> None:
        super().__init__()
        self.inner = inner

    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.rand(1) * 10 + values for values in self.inner.outputs(features, lengths))


def test_what_computes_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="differ by"):
        export_onnx(Different(make_recogniser(make_spec())), 16, tmp_path / ONNX, "w")  # type: ignore[arg-type]
    assert not (tmp_path / ONNX).exists()


def test_a_full_disk_is_not_mistaken_for_a_network_that_cannot_be_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("slu.bundles.onnx_export.onnx.save", full)
    with pytest.raises(OSError, match="No space left"):
        export_onnx(make_recogniser(make_spec()), 16, tmp_path / ONNX, "w")
    assert not (tmp_path / ONNX).exists()


def test_a_bundle_without_a_usable_export_says_so(tmp_path: Path) -> None:
    folder, other = tiny_bundle(tmp_path / "a"), tiny_bundle(tmp_path / "b", seed=1)
    shutil.copy(other / ONNX, folder / ONNX)
    with pytest.raises(UserError, match=r"model\.onnx was not made from the weights beside it"):
        Predictor(load_bundle(folder), runtime="onnx")
    (folder / ONNX).write_bytes(b"nothing")
    with pytest.raises(UserError, match="is damaged"):
        Predictor(load_bundle(folder), runtime="onnx")
    (folder / ONNX).unlink()
    with pytest.raises(UserError, match="cannot run on onnxruntime"):
        Predictor(load_bundle(folder), runtime="onnx")
    assert Predictor(load_bundle(folder)).predict_waveforms([tone(300)])[0].labels

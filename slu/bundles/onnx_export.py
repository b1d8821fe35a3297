"""The network of a bundle as an ONNX file, which onnxruntime computes in about half of torch's time.

One clip at a time, of any length: nothing is padded, so no answer can depend on its neighbours, and on a processor
convolutions gain nothing from a batch.
"""

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from slu.models import Recogniser

TOLERANCE = 1e-4
"""Largest difference of a logit that is accepted."""

_FRAMES = (251, 5, 40, 600)
"""Lengths of the clips on which both are compared; the first is the one that is traced."""
_INPUT, _WEIGHTS = "features", "weights"
_OPSET = 17


class ExportError(Exception):
    """One sentence on why there is no ONNX file."""


def export_onnx(recogniser: Recogniser, size: int, path: Path, weights: str) -> float:
    """Writes the file; the largest difference to torch that was seen. `size` is that of the features, `weights` a hash
    that says what was exported.

    Raises ExportError where the network cannot be written down or does not compute the same, and OSError where the
    file cannot be written; then there is no file.
    """
    network = _OneClip(recogniser).eval()
    clips = [_features(frames, size) for frames in _FRAMES]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # traced for one clip: that its batch is fixed is what is wanted
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            axes = {_INPUT: {1: "frames"}}
            torch.onnx.export(
                network, (clips[0],), str(path), dynamo=False, opset_version=_OPSET, input_names=[_INPUT],
                dynamic_axes=axes,
            )  # fmt: skip
        model = onnx.load(path)
        onnx.helper.set_model_props(model, {_WEIGHTS: weights})
        onnx.save(model, path)
        session = open_session(path, weights)
        difference = max(_difference(network, session, clip) for clip in clips)
    except OSError:  # a full disk is no property of the network: the bundle is not written
        path.unlink(missing_ok=True)
        raise
    except Exception as error:  # what the exporter raises is not documented, and changes
        path.unlink(missing_ok=True)
        raise ExportError(f"not exported to ONNX: {' '.join(str(error).split())[:200]}") from None
    if not difference <= TOLERANCE:
        path.unlink()
        raise ExportError(f"not exported to ONNX: its logits differ by {difference:.1e} from torch's")
    return difference


def open_session(path: Path, weights: str, threads: int = 1) -> onnxruntime.InferenceSession:
    """Raises ValueError for a file that was exported from other weights, and whatever onnxruntime raises."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    if session.get_modelmeta().custom_metadata_map.get(_WEIGHTS) != weights:
        raise ValueError(f"{path.name} was not made from the weights beside it")
    return session


def run_session(session: onnxruntime.InferenceSession, features: Tensor) -> list[Tensor]:
    """(frames, size) of one clip -> the outputs of the network, batch first."""
    return [torch.from_numpy(values) for values in session.run(None, {_INPUT: features[None].numpy()})]


class _OneClip(nn.Module):
    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__()
        self.recogniser = recogniser

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        frames = torch._shape_as_tensor(features)[1:2]  # traced: a plain shape would be written down as a constant
        return self.recogniser.outputs(features, frames)


def _features(frames: int, size: int) -> Tensor:
    """Of the range of logarithmic powers, a quiet end included."""
    clip = np.random.default_rng(frames).normal(-6.0, 3.0, (1, frames, size)).astype(np.float32)
    clip[:, frames * 3 // 4 :] -= 8.0
    return torch.from_numpy(clip)


@torch.inference_mode()
def _difference(network: nn.Module, session: onnxruntime.InferenceSession, clip: Tensor) -> float:
    pairs = zip(network(clip), run_session(session, clip[0]), strict=True)
    return max(float((ours - theirs).abs().max()) for ours, theirs in pairs)

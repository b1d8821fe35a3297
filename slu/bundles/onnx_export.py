"""The network of a bundle as an ONNX file, which onnxruntime computes in about half of torch's time: one clip at a
time, of any length.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from slu.inference.onnx_runtime import CONCLUSION, INPUT, open_session, run_session
from slu.models import Recogniser

TOLERANCE = 1e-4
"""Largest difference of a logit that is accepted."""

_FRAMES = (251, 5, 40, 600)
"""Lengths of the clips on which both are compared; the first is the one that is traced."""
_OPSET = 17


class ExportError(Exception):
    """One sentence on why there is no ONNX file."""


def export_onnx(recogniser: Recogniser, size: int, path: Path, properties: Mapping[str, str]) -> float:
    """Writes the file; the largest difference to torch that was seen. `size` is that of the features, `properties` say
    what was exported, and are checked when it is used.

    Raises ExportError where the network cannot be written down or does not compute the same, and OSError where the
    file cannot be written; then there is no file.
    """
    network = _OneClip(recogniser).eval()
    clips = [_features(frames, size) for frames in _FRAMES]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # traced for one clip: that its batch is fixed is what is wanted
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            axes = {INPUT: {1: "frames"}}
            torch.onnx.export(
                network, (clips[0],), str(path), dynamo=False, opset_version=_OPSET, input_names=[INPUT],
                dynamic_axes=axes,
            )  # fmt: skip
        model = onnx.load(path)
        conclusion = json.dumps(recogniser.conclusion().settings())
        onnx.helper.set_model_props(model, {**properties, CONCLUSION: conclusion})
        onnx.save(model, path)
        session = open_session(path)
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
    pairs = zip(network(clip), run_session(session, clip[0].numpy()), strict=True)
    return max(float(np.abs(ours.numpy() - theirs).max()) for ours, theirs in pairs)

"""What computes a bundle's network: torch, or onnxruntime where the bundle holds an ONNX file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from slu.bundles.bundle import ONNX, WEIGHTS, Bundle
from slu.bundles.onnx_export import open_session, run_session
from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.models.recogniser import Heard

Runtime = Literal["torch", "onnx"]
Network: TypeAlias = Callable[[Sequence[Tensor]], Heard]
"""Features (frames, size) of each clip -> the answers, in one batch."""


def network_of(bundle: Bundle, runtime: Runtime = "torch", threads: int = 1) -> Network:
    """Raises UserError for a bundle without a usable ONNX file. `threads` is of onnxruntime; torch has its own."""
    if runtime == "torch":
        return lambda features: _by_torch(bundle, features)
    path: Path = bundle.folder / ONNX
    if not path.is_file():
        reason = (bundle.metrics.get("onnx") or {}).get("refused", "it has none; register it again")
        raise UserError(f"the bundle {bundle.folder} cannot run on onnxruntime: {reason}")
    try:
        session = open_session(path, content_hash(bundle.folder / WEIGHTS), threads)
    except Exception as error:  # onnxruntime's exceptions have no common class
        raise UserError(f"the bundle {bundle.folder} is damaged: {' '.join(str(error).split())[:200]}") from None

    def by_onnx(features: Sequence[Tensor]) -> Heard:
        clips = [run_session(session, clip) for clip in features]
        return _concluded(bundle, [_side_by_side(values) for values in zip(*clips, strict=True)], features)

    return by_onnx


@torch.inference_mode()
def _by_torch(bundle: Bundle, features: Sequence[Tensor]) -> Heard:
    padded = torch.nn.utils.rnn.pad_sequence(list(features), batch_first=True)
    return bundle.recogniser.hear(padded, torch.tensor([len(f) for f in features]))


@torch.inference_mode()
def _concluded(bundle: Bundle, outputs: Sequence[Tensor], features: Sequence[Tensor]) -> Heard:
    return bundle.recogniser.conclude(outputs, torch.tensor([len(f) for f in features]))


def _side_by_side(values: Sequence[Tensor]) -> Tensor:
    """(1, frames, …) or (1, classes) of each clip -> one batch, zeros beyond a clip's end."""
    return torch.nn.utils.rnn.pad_sequence([clip[0] for clip in values], batch_first=True)

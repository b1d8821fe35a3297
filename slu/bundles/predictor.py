"""The Predictor of a whole bundle: torch computes, or onnxruntime where the bundle holds an ONNX file."""

from collections.abc import Sequence
from typing import Literal

import torch

from slu.audio.decode import AudioLimits, Waveform
from slu.bundles.bundle import Bundle
from slu.common.errors import UserError
from slu.inference.arrays import Floats
from slu.inference.conclusion import Heard
from slu.inference.files import ONNX
from slu.inference.onnx_runtime import OnnxNetwork
from slu.inference.predictor import Engine
from slu.inference.predictor import Predictor as _Predictor

Runtime = Literal["torch", "onnx"]


class Predictor(_Predictor):
    def __init__(
        self, bundle: Bundle, limits: AudioLimits | None = None, runtime: Runtime = "torch", threads: int = 1
    ) -> None:
        """`limits` of decoding: unless given, those of the bundle's task. `runtime` computes the network: onnxruntime
        with `threads` clips side by side, torch with threads of its own.

        Raises UserError for a bundle that the runtime cannot compute.
        """
        self.bundle = bundle
        network = self._by_torch if runtime == "torch" else _onnx_network(bundle, threads)
        rate = bundle.front_end.sample_rate
        super().__init__(Engine(bundle.spec, bundle.version, rate, self._by_front_end, network), limits)

    @torch.inference_mode()
    def _by_front_end(self, waveform: Waveform) -> Floats:
        return self.bundle.front_end(torch.from_numpy(waveform)).numpy()  # type: ignore[no-any-return]

    def _by_torch(self, features: Sequence[Floats]) -> Heard:
        clips = [torch.from_numpy(values) for values in features]
        padded = torch.nn.utils.rnn.pad_sequence(clips, batch_first=True)
        return self.bundle.recogniser.hear(padded, torch.tensor([len(clip) for clip in clips]))


def _onnx_network(bundle: Bundle, threads: int) -> OnnxNetwork:
    if not (bundle.folder / ONNX).is_file():
        reason = (bundle.metrics.get("onnx") or {}).get("refused", "it has none; register it again")
        raise UserError(f"the bundle {bundle.folder} cannot run on onnxruntime: {reason}")
    return OnnxNetwork(bundle.folder, bundle.spec, threads)

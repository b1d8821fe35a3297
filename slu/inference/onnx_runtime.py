"""A bundle's network by onnxruntime, and a Predictor that needs nothing else of the bundle but its spec.

Every clip is computed by itself, on a thread of its own where there are several: nothing is padded, so no answer can
depend on its neighbours, and on a processor convolutions gain nothing from a batch.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from slu.common.errors import UserError
from slu.common.files import content_hash, read_json, settings_hash
from slu.inference.arrays import Floats, side_by_side
from slu.inference.conclusion import Heard, conclusion_of
from slu.inference.files import ONNX, SPEC, WEIGHTS
from slu.inference.front_end import array_front_end
from slu.inference.predictor import Engine, Predictor
from slu.spec import TaskSpec

INPUT, CONCLUSION, MADE_FROM = "features", "conclusion", "weights"
"""The input of the network, and two of the properties that an exported file has."""


def pins(spec: TaskSpec) -> dict[str, str]:
    """What a network's weights were trained with, and must be used with."""
    return {
        "front_end": settings_hash(dict(spec.front_end)),
        "label_order": settings_hash([(h.name, list(h.classes)) for h in spec.heads]),
    }


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Raises whatever onnxruntime raises: its exceptions have no common class."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_session(session: onnxruntime.InferenceSession, features: Floats) -> list[Floats]:
    """(frames, size) of one clip -> the outputs of the network, batch first."""
    return list(session.run(None, {INPUT: features[None]}))


class OnnxNetwork:
    """(frames, size) of each clip -> logits and evidence of the batch."""

    def __init__(self, folder: Path, spec: TaskSpec, threads: int = 1) -> None:
        """Raises UserError for a bundle whose ONNX file is damaged, or is not of its weights and spec."""
        self._map: Callable[..., Iterable[Any]] = map if threads == 1 else ThreadPoolExecutor(threads).map
        for name in (ONNX, WEIGHTS):
            if not (folder / name).is_file():
                raise UserError(f"the bundle {folder} is damaged: {name} is missing")
        try:
            self._session = open_session(folder / ONNX)
            known: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
            if CONCLUSION not in known:
                raise ValueError(f"{ONNX} is of an earlier version: train it again, or serve it with runtime=torch")
            if known.get(MADE_FROM) != content_hash(folder / WEIGHTS):
                raise ValueError(f"{ONNX} was not made from the weights beside it")
            for name, value in pins(spec).items():
                if known.get(name) != value:
                    raise ValueError(f"its {name.replace('_', ' ')} is not the one that the weights were trained with")
            self._conclude = conclusion_of(spec, json.loads(known[CONCLUSION]))
        except Exception as error:
            raise UserError(f"the bundle {folder} cannot be used: {' '.join(str(error).split())[:200]}") from None

    def __call__(self, features: Sequence[Floats]) -> Heard:
        clips = list(self._map(partial(run_session, self._session), features))
        outputs = [side_by_side([values[0] for values in of_clips]) for of_clips in zip(*clips, strict=True)]
        return self._conclude(outputs, np.array([len(clip) for clip in features]))


def open_predictor(folder: Path, threads: int = 1) -> Predictor | None:
    """Without torch; None for a bundle whose front end needs it. Raises UserError for one that cannot be used."""
    folder = folder.resolve()  # an alias may move while it is read; a version never does
    try:
        spec = TaskSpec.from_json(read_json(folder / SPEC))
        front_end = array_front_end(spec.front_end)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"the bundle {folder} cannot be used: {' '.join(str(error).split())[:200]}") from None
    if front_end is None:
        return None
    network = OnnxNetwork(folder, spec, threads)
    return Predictor(Engine(spec, folder.name, front_end.sample_rate, front_end.features, network))

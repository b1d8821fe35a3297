"""A bundle: everything that is needed to answer, in a folder of plain files.

    model.safetensors   weights; its metadata pins the front end and the heads they were trained with
    spec.json           the TaskSpec: heads, classes, front end, durations
    config.yaml         the configuration of the run; `model` in it says how to build the network
    metrics.json        what was measured, and on what; from what it was made: data, parent, code
    product2id.json …   one label map per head
    training.json       what it was trained on, as hashes: so that a test on the same clips or people is noticed
    model.onnx          the network once more, for onnxruntime; absent where it could not be exported
    reference.json      how its test clips sound and are answered, for slu.monitor; absent from bundles without them
    model_card.md       the same for people: what it is for, how good it is, where it fails
    files.json          the hash of each file; written by the registry

Nothing in it is executed or unpickled on loading.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from slu.bundles.card import model_card
from slu.bundles.onnx_export import ExportError, export_onnx
from slu.common.code_version import code_version
from slu.common.errors import UserError
from slu.common.files import atomic_write, content_hash, read_json, settings_hash, write_json
from slu.features import FrontEnd, build_front_end
from slu.inference.files import CARD, CONFIG, METRICS, ONNX, SPEC, TRAINING, WEIGHTS
from slu.inference.front_end import array_front_end
from slu.inference.onnx_runtime import MADE_FROM, pins
from slu.models import Recogniser, build_recogniser
from slu.spec import TaskSpec

_FRONT_END_TOLERANCE = 1e-3
"""Of features, natural logarithms of power, between torch and numpy."""


@dataclass(frozen=True)
class Bundle:
    folder: Path
    version: str
    spec: TaskSpec
    front_end: FrontEnd
    recogniser: Recogniser
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)
    """`clips` (content hashes), `speakers` (hashes of names), `split`, `leaking_speakers`; empty when not recorded."""


def save_bundle(
    folder: Path,
    recogniser: Recogniser,
    spec: TaskSpec,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
) -> None:
    """Write the files of a bundle into an existing folder; the registry makes the folder appear at once."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in recogniser.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={**pins(spec), **_network_pin(config)})
    write_json(folder / SPEC, spec.to_json())
    with atomic_write(folder / CONFIG) as file:
        yaml.safe_dump(dict(config), file, allow_unicode=True, sort_keys=False)
    made = {"onnx": _exported(folder, recogniser, spec), "code": code_version()}
    write_json(folder / METRICS, {**metrics, **made})
    for head in spec.heads:
        write_json(folder / f"{head.label_map}2id.json", head.to_ids())
    if training is not None:
        write_json(folder / TRAINING, training, indent=None)  # thousands of hashes, for no person to read
    with atomic_write(folder / CARD) as file:
        file.write(model_card(spec, config, metrics, training or {}))


def _exported(folder: Path, recogniser: Recogniser, spec: TaskSpec) -> dict[str, Any]:
    """What came of the export, for metrics.json: a network that torch alone can compute is a bundle none the less."""
    mode = recogniser.training
    try:
        size = _checked_front_end(spec).size
        properties = {**pins(spec), MADE_FROM: content_hash(folder / WEIGHTS)}
        return {"difference": export_onnx(recogniser.eval(), size, folder / ONNX, properties)}
    except ExportError as error:
        return {"refused": str(error)}
    finally:
        recogniser.train(mode)


def _checked_front_end(spec: TaskSpec) -> FrontEnd:
    """Raises ExportError where a server's features would not be those of the training."""
    front_end, arrays = build_front_end(spec.front_end), array_front_end(spec.front_end)
    if arrays is not None:  # else the server uses torch's, too
        rate = front_end.sample_rate
        clip = (np.random.default_rng(0).normal(0, 0.1, rate) * np.geomspace(1e-3, 1, rate)).astype(np.float32)
        difference = float(np.abs(front_end(torch.from_numpy(clip)).numpy() - arrays.features(clip)).max())
        if not difference <= _FRONT_END_TOLERANCE:
            raise ExportError(f"not exported to ONNX: the features of a server differ by {difference:.1e}")
    return front_end


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle, in evaluation mode on the CPU.

    Raises UserError naming the folder and what is wrong: a missing or damaged file, a front end, label
    order or network other than the weights were trained with.
    """
    if not folder.is_dir():
        raise UserError(f"there is no bundle at {folder}; train one with `python -m slu.train`")
    folder = folder.resolve()  # an alias may move while it is read; a version never does
    try:
        document = read_json(folder / SPEC)
        metrics = read_json(folder / METRICS)
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        training = read_json(folder / TRAINING) if (folder / TRAINING).is_file() else {}
        for name, value in ((SPEC, document), (METRICS, metrics), (CONFIG, config), (TRAINING, training)):
            if not isinstance(value, dict):
                raise ValueError(f"{name} is not a mapping")
        spec = TaskSpec.from_json(document)
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            known = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        _check(known, pins(spec))
        for head in spec.heads:
            if read_json(folder / f"{head.label_map}2id.json") != head.to_ids():
                raise ValueError(f"{head.label_map}2id.json disagrees with {SPEC}")
        front_end = build_front_end(spec.front_end)
        recogniser = build_recogniser(config["model"], front_end.size, spec)
        if {n: v.shape for n, v in recogniser.state_dict().items()} != {n: v.shape for n, v in weights.items()}:
            raise ValueError("its weights are not those that this version makes of its settings; train it again")
        recogniser.load_state_dict(weights)
        if not all(parameter.isfinite().all() for parameter in recogniser.parameters()):
            raise ValueError("its weights are not all numbers; train it again, with a smaller optimizer.lr")
        _check(known, _network_pin(config))  # last: what does not even fit says so more clearly above
    except FileNotFoundError as error:
        missing = Path(error.filename or WEIGHTS).name  # safetensors leaves the name out
        raise UserError(f"the bundle {folder} is damaged: {missing} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, yaml.YAMLError, SafetensorError) as error:
        reason = textwrap.shorten(str(error), 200) or type(error).__name__
        raise UserError(f"the bundle {folder} cannot be used: {reason}") from None
    return Bundle(folder, folder.name, spec, front_end.eval(), recogniser.eval(), config, metrics, training)


def _check(known: Mapping[str, str], expected: Mapping[str, str]) -> None:
    for key, value in expected.items():
        if known.get(key) != value:
            raise ValueError(f"its {key.replace('_', ' ')} is not the one that the weights were trained with")


def _network_pin(config: Mapping[str, Any]) -> dict[str, str]:
    return {"network": settings_hash(dict(config["model"]))}

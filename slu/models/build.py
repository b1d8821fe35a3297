"""From settings to a network."""

import importlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from slu.models.hybrid_recogniser import HybridRecogniser
from slu.models.recogniser import Recogniser
from slu.spec import TaskSpec


def hears_frames(settings: Mapping[str, Any]) -> bool:
    """Whether the model learns from the times of words and phones, and needs the grammar of a menu."""
    return bool(_of_class(settings, "hears_frames", False))


def origin(settings: Mapping[str, Any]) -> str:
    """Where the weights come from that a training starts with; empty where it starts from none."""
    return str(_of_class(settings, "origin", ""))


def _of_class(settings: Mapping[str, Any], attribute: str, otherwise: Any) -> Any:
    module, _, name = str(settings.get("_target_", "")).rpartition(".")
    if not module.startswith("slu.models."):
        return otherwise
    try:
        return getattr(getattr(importlib.import_module(module), name), attribute, otherwise)
    except (ImportError, AttributeError):
        return otherwise  # build_recogniser says what is wrong


def build_recogniser(settings: Mapping[str, Any], n_features: int, spec: TaskSpec) -> Recogniser:
    """The recogniser that a `conf/model/*.yaml` describes: `_target_` names the encoder's class.

    Only classes under `slu.models` are built, because settings also arrive inside bundles.
    Raises ValueError for anything else, and for settings that the encoder refuses.
    """
    values = dict(settings)
    decoding = values.pop("decoding", {})
    target, normalise = str(values.pop("_target_", "")), str(values.pop("normalise", "bands"))
    module, _, name = target.rpartition(".")
    if not module.startswith("slu.models."):
        raise ValueError(f"model '{target}' is not one of slu.models")
    try:
        encoder = getattr(importlib.import_module(module), name)(n_features, **values)
    except (ImportError, AttributeError):
        raise ValueError(f"there is no model '{target}'") from None
    except (TypeError, ArithmeticError, LookupError, RuntimeError) as error:  # what torch makes of odd settings
        raise ValueError(f"model '{target}': {error}") from None
    if not isinstance(encoder, nn.Module) or not hasattr(encoder, "d_model"):
        raise ValueError(f"'{target}' is not an encoder")
    dropout = float(values.get("dropout", 0.1))
    if not getattr(encoder, "hears_frames", False):
        return Recogniser(encoder, n_features, spec, dropout=dropout, normalise=normalise)
    try:
        return HybridRecogniser(encoder, n_features, spec, dropout=dropout, settings=decoding)
    except TypeError as error:
        raise ValueError(f"model.decoding: {error}") from None

"""From settings to a network."""

import importlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from slu.decoding.grammar import Grammar
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.models.layers import SpeechNorm
from slu.models.listener import Listener
from slu.models.recogniser import PooledRecogniser, Recogniser
from slu.spec import TaskSpec

_NORM = {"baseline": "bands", "range_db": 45.0, "blur_bands": 0.0}
"""Settings of SpeechNorm that stand among those of a listener."""


def hears_frames(settings: Mapping[str, Any]) -> bool:
    """Whether the model learns from the times of words and phones, and needs the grammar of a menu."""
    return bool(_of_class(settings, "hears_frames", False))


def origin(settings: Mapping[str, Any]) -> str:
    """Where the weights come from that a training starts with; empty where it starts from none."""
    return str(_of_class(settings, "origin", "") or _of_class(settings.get("beside") or {}, "origin", ""))


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
    decoding, beside = dict(values.pop("decoding", {})), dict(values.pop("beside", None) or {})
    normalise = str(values.pop("normalise", "bands"))
    encoder = _encoder(values, n_features)
    if not getattr(encoder, "hears_frames", False):
        if beside:
            raise ValueError("model.beside: only what hears frame by frame can have something beside it")
        dropout = float(values.get("dropout", 0.1))
        return PooledRecogniser(encoder, n_features, spec, dropout=dropout, normalise=normalise)
    if not spec.grammar:
        raise ValueError("it needs a menu, and voices that speak it: data.synthetic_speech=true with a menu")
    grammar = Grammar.from_json(spec.grammar)
    listeners = [_listener(encoder, values, decoding, n_features, spec, grammar)]
    shares = [1.0]
    if beside:
        share = float(beside.pop("share", 0.5))
        if not 0 <= share <= 1:
            raise ValueError(f"model.beside.share is between 0 and 1, got {share:g}")
        norm = {name: beside.pop(name) for name in _NORM if name in beside}
        second = _encoder(beside, n_features)
        listeners.append(_listener(second, beside, norm, n_features, spec, grammar))
        shares = [1 - share, share]
    try:
        return HybridRecogniser(listeners, shares, spec, grammar, **decoding)
    except TypeError as error:
        raise ValueError(f"model.decoding: {error}") from None


def _encoder(values: Mapping[str, Any], n_features: int) -> nn.Module:
    target = str(values.get("_target_", ""))
    module, _, name = target.rpartition(".")
    if not module.startswith("slu.models."):
        raise ValueError(f"model '{target}' is not one of slu.models")
    try:
        own = {key: value for key, value in values.items() if key != "_target_"}
        encoder = getattr(importlib.import_module(module), name)(n_features, **own)
    except (ImportError, AttributeError):
        raise ValueError(f"there is no model '{target}'") from None
    except (TypeError, ArithmeticError, LookupError, RuntimeError) as error:  # what torch makes of odd settings
        raise ValueError(f"model '{target}': {error}") from None
    if not isinstance(encoder, nn.Module) or not hasattr(encoder, "d_model"):
        raise ValueError(f"'{target}' is not an encoder")
    return encoder


def _listener(
    encoder: nn.Module,
    values: Mapping[str, Any],
    norm: dict[str, Any],
    n_features: int,
    spec: TaskSpec,
    grammar: Grammar,
) -> Listener:
    """`norm` loses what is used of it."""
    if not getattr(encoder, "hears_frames", False):
        raise ValueError(f"model.beside: '{values['_target_']}' does not hear frame by frame")
    baseline, range_db, blur = (norm.pop(name, usual) for name, usual in _NORM.items())
    normalise = SpeechNorm(n_features, str(baseline), float(range_db), blur_bands=float(blur))
    return Listener(encoder, normalise, spec, grammar, dropout=float(values.get("dropout", 0.1)))

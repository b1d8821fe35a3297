"""Front ends and feature augmentation: the same modules in training, evaluation and serving."""

from collections.abc import Mapping
from typing import Any

from slu.features.base import FrontEnd
from slu.features.logmel import LogMel
from slu.features.mfcc import Mfcc
from slu.features.spectrum import Spectrum

FRONT_ENDS: dict[str, type[FrontEnd]] = {"logmel": LogMel, "mfcc": Mfcc, "spectrum": Spectrum}


def build_front_end(settings: Mapping[str, Any]) -> FrontEnd:
    """The front end that `settings["name"]` calls for. Raises ValueError for an unknown name or setting."""
    values = dict(settings)
    name = values.pop("name", None)
    if name not in FRONT_ENDS:
        raise ValueError(f"unknown front end '{name}'; known are {', '.join(FRONT_ENDS)}")
    try:
        return FRONT_ENDS[name](**values)
    except TypeError as error:
        raise ValueError(f"front end '{name}': {error}") from None


__all__ = ["FRONT_ENDS", "FrontEnd", "LogMel", "Mfcc", "Spectrum", "build_front_end"]

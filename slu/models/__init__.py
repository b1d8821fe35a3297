"""Encoders and heads, one file per encoder, pure torch. See `slu.models.build` for how they join."""

from slu.models.build import build_recogniser, hears_frames, origin
from slu.models.recogniser import Recogniser

__all__ = ["Recogniser", "build_recogniser", "hears_frames", "origin"]

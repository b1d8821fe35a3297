"""Encoders and heads, one file per encoder, pure torch. See `slu.models.recogniser` for how they join."""

from slu.models.recogniser import Recogniser, build_recogniser

__all__ = ["Recogniser", "build_recogniser"]

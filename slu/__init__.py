"""Spoken language understanding on small machines: an utterance in, named labels out."""

__version__ = "0.1.0"

"""Spoken language understanding on small machines: an utterance in, named labels out."""

import os

__version__ = "0.1.0"

# Since 1.29 onnxruntime tells its maker on Linux, too, which models are opened, unless this is set before it is
# imported (github.com/microsoft/onnxruntime, #27379). What a shop does stays in the shop.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

"""A second page at /gradio, made with Gradio, which is installed by those who want it: it asks this server over HTTP,
like any client, so that no recogniser is loaded twice.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from fastapi import FastAPI

from slu.common.errors import UserError
from slu.serving.gradio_blocks import speaking_page
from slu.serving.models import Board
from slu.serving.rate_limit import OWN, OWN_HEADER
from slu.serving.settings import ServeSettings

PATH = "/gradio"


def add_gradio(app: FastAPI, board: Board, settings: ServeSettings) -> None:
    """Raises UserError where Gradio is not installed, or where a key would keep its visitors out."""
    if settings.api_key:
        raise UserError("ui=gradio cannot ask its visitors for an API key; leave out api_key, or use ui=page")
    url = own_url(settings)
    try:
        blocks, shown = speaking_page(
            lambda sound, version: predict(url, sound, version), lambda: list(board.read().versions.values())
        )
        import gradio as gr
    except ImportError:
        raise UserError(
            "ui=gradio needs Gradio: install it with `.venv/bin/uv pip install --python .venv/bin/python gradio`"
        ) from None
    gr.mount_gradio_app(app, blocks, PATH, max_file_size=settings.max_upload_bytes, **shown)


def own_url(settings: ServeSettings) -> str:
    host = "[::1]" if settings.host == "::" else "127.0.0.1"
    return f"http://{host}:{settings.port}"


def predict(url: str, sound: bytes, version: str) -> dict[str, Any]:
    """The answer, or an object with `detail` where the server refused."""
    asked = urllib.request.Request(
        f"{url}/predict?{urllib.parse.urlencode({'model': version})}",
        sound,
        {"Content-Type": "application/octet-stream", OWN_HEADER: OWN},
    )
    try:
        with urllib.request.urlopen(asked, timeout=60) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))

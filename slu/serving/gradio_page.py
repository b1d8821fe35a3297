"""A second page at /gradio, made with Gradio, which is installed by those who want it: it asks this server over HTTP,
like any client, so that no recogniser is loaded twice.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from slu.common.errors import UserError
from slu.serving.models import Board
from slu.serving.rate_limit import OWN, OWN_HEADER
from slu.serving.settings import ServeSettings

PATH = "/gradio"
_UNASKED_S = 300
"""Gradio writes an upload to a temporary file before anybody presses the button."""


def add_gradio(app: FastAPI, board: Board, settings: ServeSettings) -> None:
    """Raises UserError where Gradio is not installed, or where a key would keep its visitors out."""
    if settings.api_key:
        raise UserError("ui=gradio cannot ask its visitors for an API key; leave out api_key, or use ui=page")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when it is imported
    try:
        import gradio as gr
    except ImportError:
        raise UserError(
            "ui=gradio needs Gradio: install it with `.venv/bin/uv pip install --python .venv/bin/python gradio`"
        ) from None

    url = own_url(settings)

    def versions() -> Any:
        names = list(board.read().versions.values())
        return gr.Dropdown(choices=names, value=names[0] if names else None)

    def ask(path: str | None, version: str | None) -> tuple[str, dict[str, float] | None, dict[str, Any]]:
        if not path:
            return "Record or choose a clip first.", None, {}
        sound = Path(path)
        try:
            data = sound.read_bytes()
        except OSError:
            return "The recording is gone; record it again.", None, {}
        finally:
            sound.unlink(missing_ok=True)  # nothing of the sound stays
        try:
            answer = predict(url, data, version or "")
        except OSError:
            return "The server does not answer; try again.", None, {}
        return headline(answer), scores(answer), answer

    # Fonts of the visitor's own machine: the default theme asks a font server on the internet.
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    with gr.Blocks(title="slu", analytics_enabled=False, delete_cache=(60, _UNASKED_S)) as blocks:
        gr.Markdown("# Say an order")
        model = gr.Dropdown(label="Recogniser")
        sound = gr.Audio(sources=["microphone", "upload"], type="filepath", label="Recording", buttons=[])
        button = gr.Button("What was said?", variant="primary")
        heard = gr.Textbox(label="Heard", interactive=False)
        bars = gr.Label(label="Scores", num_top_classes=8, show_heading=False)
        details = gr.JSON(label="Answer")
        button.click(ask, [sound, model], [heard, bars, details], api_name=False)
        blocks.load(versions, None, model, api_name=False)
    gr.mount_gradio_app(
        app, blocks, PATH, theme=theme, ssr_mode=False, max_file_size=settings.max_upload_bytes, footer_links=[]
    )


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


def headline(answer: Mapping[str, Any]) -> str:
    if "detail" in answer:
        return str(answer["detail"])
    if not answer["understood"]:
        return f"Not understood: {answer['reason']}"
    heard = [answer["display"].get(head) or label for head, label in answer["labels"].items() if label]
    return f"{', '.join(heard) or 'nothing'} (confidence {answer['confidence']:.2f})"


def scores(answer: Mapping[str, Any]) -> dict[str, float] | None:
    """Of each head's best classes, under one roof."""
    if "scores" not in answer:
        return None
    best = {head: sorted(known.items(), key=lambda one: -one[1])[:3] for head, known in answer["scores"].items()}
    return {f"{head} {label or '(none)'}": value for head, known in best.items() for label, value in known}

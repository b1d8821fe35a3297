"""A page made with Gradio: a recording goes in, what was heard comes out. Who hears it is for its user to say, a server
over HTTP (slu.serving.gradio_page) or a recogniser in the same process (deploy/space/app.py).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_UNASKED_S = 300
"""Gradio writes an upload to a temporary file before anybody presses the button."""


def speaking_page(
    answer: Callable[[bytes, str], Mapping[str, Any]], versions: Callable[[], Sequence[str]] | None = None
) -> tuple[Any, dict[str, Any]]:
    """(gradio.Blocks, how to show them: options of `launch` and of `mount_gradio_app`).

    `answer` gets the bytes of a recording and a version, and gives an answer as `POST /predict` does, or an object with
    `detail`; it raises OSError where nobody answers. With `versions` the visitor chooses among them.

    Raises ImportError where Gradio is not installed.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when it is imported
    import gradio as gr

    def choices() -> Any:
        names = [] if versions is None else list(versions())
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
            said = answer(data, version or "")
        except OSError:
            return "The server does not answer; try again.", None, {}
        return headline(said), scores(said), dict(said)

    # Fonts of the visitor's own machine: the default theme asks a font server on the internet.
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    with gr.Blocks(title="slu", analytics_enabled=False, delete_cache=(60, _UNASKED_S)) as blocks:
        gr.Markdown("# Say an order")
        model = gr.Dropdown(label="Recogniser", visible=versions is not None)
        sound = gr.Audio(sources=["microphone", "upload"], type="filepath", label="Recording", buttons=[])
        button = gr.Button("What was said?", variant="primary")
        heard = gr.Textbox(label="Heard", interactive=False)
        bars = gr.Label(label="Scores", num_top_classes=8, show_heading=False)
        details = gr.JSON(label="Answer")
        button.click(ask, [sound, model], [heard, bars, details], api_name=False)
        if versions is not None:
            blocks.load(choices, None, model, api_name=False)
    return blocks, {"theme": theme, "ssr_mode": False, "footer_links": []}


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

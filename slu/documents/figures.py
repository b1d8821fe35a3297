"""Figures in one style for pages and slides. They are made without pyplot, so no display is needed or touched."""

import base64
import io
import warnings
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1d2733", "#5c6b7a", "#dfe5ea"
ACCENT, WARN, GOOD = "#0b6e75", "#c2482e", "#3b8650"
SERIES = ("#0b6e75", "#c2482e", "#7a5aa6", "#b98a1c", "#3b6fb6", "#5a8f3c", "#a3476b", "#5c6b7a")
"""Colours of lines and bars, told apart in print and with common colour blindness."""

matplotlib.rcParams["text.parse_math"] = False  # a class called $x$ is a name, not a formula

_STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "slu",  # equal figures give equal bytes
}


def new_axes(width: float = 6.0, height: float = 3.2, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of `width` x `height` inches and its axes, row by row."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def encode(figure: Figure, kind: Literal["svg", "png"] = "svg", dpi: int = 130) -> bytes:
    """SVG for charts; PNG where pixels are meant (spectrograms) and in slides."""
    for axes in figure.axes:  # Matplotlib reads the style of titles when they are set, which is outside our style
        if title := axes.get_title():
            axes.set_title("")
            axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = _save(figure, kind, dpi, {})
        if kind == "svg" and any("Glyph" in str(w.message) for w in caught):
            # Our font lacks these letters; the reader's browser has them.
            content = _save(figure, kind, dpi, {"svg.fonttype": "none"})
    return content


def _save(figure: Figure, kind: str, dpi: int, style: Any) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context({**_STYLE, **style}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def data_uri(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"

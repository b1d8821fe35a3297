"""Figures. Matplotlib without a display."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
from matplotlib.figure import Figure


def confusion_figure(matrix: NDArray[np.int64], classes: Sequence[str], title: str) -> Figure:
    """Rows are the truth; colour is the share of the row, the number is the count."""
    size = max(3.5, 0.55 * len(classes) + 1.5)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.add_subplot()
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix > 0):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right")
    axes.set_yticks(ticks, classes)
    axes.set(xlabel="heard", ylabel="said", title=title)
    return figure

"""Figures of an evaluation. All text in them comes from the numbers given."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slu.documents.figures import ACCENT, GRID, MUTED, SERIES, WARN, new_axes
from slu.evaluation.calibration import Reliability
from slu.evaluation.curves import Curves, OperatingPoint
from slu.evaluation.intervals import exact_interval


def confusion_figure(matrix: NDArray[np.int64], classes: Sequence[str], title: str) -> Figure:
    """Rows are the truth; colour is the share of the row, the number is the count."""
    size = min(max(3.2, 0.36 * len(classes) + 1.6), 10.0)
    figure, (axes,) = new_axes(size, size)
    small = 8 if len(classes) <= 16 else 5
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix > 0):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=small)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right", fontsize=small + 1)
    axes.set_yticks(ticks, classes, fontsize=small + 1)
    axes.grid(visible=False)
    axes.set(xlabel="heard", ylabel="said", title=title)
    return figure


def reliability_figure(bins: Reliability, title: str) -> Figure:
    """Above the diagonal the model is better than it says, below it is worse."""
    figure, (axes,) = new_axes(3.3, 3.1)
    filled = bins.count > 0
    width = 1 / len(bins.count)
    centres = (bins.edges[:-1] + width / 2)[filled]
    axes.bar(centres, bins.count[filled] / bins.count.sum(), 0.92 * width, color=GRID, label="share of clips")
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
    for stated, happened, count in zip(bins.confidence[filled], bins.accuracy[filled], bins.count[filled], strict=True):
        interval = exact_interval(round(float(happened * count)), int(count))
        assert interval is not None
        axes.plot([stated, stated], interval, color=ACCENT, linewidth=1, alpha=0.6)
    axes.plot(bins.confidence[filled], bins.accuracy[filled], "o", color=ACCENT, label="share right, 95 %")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="stated confidence", ylabel="share right", title=title)
    axes.legend(loc="lower left", fontsize=8)
    return figure


def coverage_figure(share: NDArray[np.float64], accuracy: NDArray[np.float64], understood: float) -> Figure:
    figure, (axes,) = new_axes(5.0, 3.2)
    axes.plot(share, accuracy, color=ACCENT)
    axes.axvline(understood, color=WARN, linewidth=1, linestyle="--")
    low = max(0.0, float(accuracy.min()) - 0.05)
    axes.annotate("today's threshold", (understood, low), (-4, 6), textcoords="offset points", ha="right", color=WARN)
    axes.set(xlim=(0, 1.01), ylim=(low, 1.005), xlabel="share of clips answered, most confident first")
    axes.set(ylabel="share of the answers right", title="Answering less often")
    return figure


def curves_figure(curves: Curves, positive: str, points: Sequence[OperatingPoint] = ()) -> Figure:
    """`points` are marked on the ROC, the one in use first."""
    figure, (left, right) = new_axes(7.2, 3.4, columns=2)
    left.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
    left.plot(curves.false_positive_rate, curves.true_positive_rate, color=ACCENT)
    for place, point in enumerate(points):
        colour, hollow = (WARN, WARN) if place == 0 else (MUTED, "none")
        left.plot(
            point.false_positive_rate,
            point.true_positive_rate,
            "o",
            color=colour,
            markerfacecolor=hollow,
            clip_on=False,
            zorder=3,
            label=f"threshold {point.threshold:.3g}",
        )
    if points:
        left.legend(loc="lower right", fontsize=8)
    left.set(xlabel="false positive rate", ylabel="true positive rate", title=f"ROC, AUC {curves.roc_auc:.3f}")
    right.axhline(curves.positive_share, color=MUTED, linewidth=1, linestyle="--")
    right.plot(curves.recall, curves.precision, color=ACCENT)
    right.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02))
    right.set_title(f"Precision-recall, AP {curves.average_precision:.3f}")
    figure.suptitle(f"positive class: {positive}", fontsize=9, color=MUTED)
    return figure


def noise_figure(curves: Mapping[str, Sequence[tuple[float, Mapping[str, Any]]]], clean: Mapping[str, Any]) -> Figure:
    """All labels right over SNR, one line per family of noise, with intervals; the clean figure is the last point."""
    figure, (axes,) = new_axes(4.7, 3.2)
    highest = max(snr for points in curves.values() for snr, _ in points)
    for colour, (family, points) in zip(SERIES, curves.items(), strict=False):
        ordered = [*sorted(points, key=lambda point: point[0]), (highest + 5, clean)]
        snr = [place for place, _ in ordered]
        accuracy = [metrics["joint_accuracy"] for _, metrics in ordered]
        axes.plot(snr, accuracy, "o-", color=colour, label=family)
        low, high = zip(*(metrics["joint_interval"] or (np.nan, np.nan) for _, metrics in ordered), strict=True)
        axes.fill_between(snr, low, high, color=colour, alpha=0.15, linewidth=0)
    places = sorted({snr for points in curves.values() for snr, _ in points})
    axes.set_xticks([*places, highest + 5], [*(f"{p:g}" for p in places), "clean"])
    axes.set(xlabel="signal-to-noise ratio, dB", ylabel="all labels right", title="Noise")
    axes.set_ylim(top=1.01)
    axes.legend(loc="lower right")
    return figure


def bars_figure(rows: Sequence[tuple[str, Mapping[str, Any]]], title: str, clean: float | None = None) -> Figure:
    """One bar per condition or speaker: accuracy with its interval; a line marks the clean figure."""
    figure, (axes,) = new_axes(4.7, 0.9 + 0.25 * len(rows))
    for place, (_, metrics) in enumerate(reversed(rows)):
        value = metrics["joint_accuracy"]
        if value is None:
            continue
        axes.barh(place, value, 0.68, color=ACCENT, alpha=0.8)
        interval = metrics.get("joint_interval") or metrics.get("interval")
        if interval is not None:
            axes.plot(interval, [place, place], color="black", linewidth=1.2)
        axes.annotate(f"{value:.3f}", (0.0, place), (4, 0), textcoords="offset points", va="center", color="white")
    if clean is not None:
        axes.axvline(clean, color=WARN, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1.005), title=title, xlabel="all labels right")
    return figure


def clip_figure(samples: NDArray[np.float32], features: NDArray[np.float32], rate: int, hop_s: float) -> Figure:
    """Waveform above, what the front end makes of it below. `features` is (frames, size)."""
    figure, (wave, picture) = new_axes(4.4, 2.5, rows=2)
    seconds = len(samples) / rate
    # Thousands of samples on a few hundred pixels: the envelope is what shows.
    edges = np.linspace(0, len(samples), min(len(samples), 500) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    wave.fill_between(edges / rate, low, high, color=ACCENT, linewidth=0.3)
    wave.set(xlim=(0, seconds), yticks=[], xticklabels=[])
    wave.grid(visible=False)
    picture.imshow(
        features.T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(features) * hop_s, 0, features.shape[1])
    )
    picture.set(xlim=(0, seconds), xlabel="seconds", ylabel="band")
    picture.grid(visible=False)
    return figure

"""The pictures of an exploration; each also stands by itself in the notebook."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slu.documents.figures import ACCENT, GRID, INK, SERIES, WARN, new_axes
from slu.exploration.findings import Findings
from slu.exploration.labels import HeadFacts

MOST_BARS = 40
_BAR_IN = 0.21
_SIDE_COLOURS = dict(zip(("train", "val", "test"), (SERIES[0], SERIES[3], SERIES[1]), strict=True))


def durations_figure(findings: Findings) -> Figure:
    """Seconds; dashed are the limits that follow."""
    figure, (axes,) = new_axes(4.4, 2.7)
    _histogram(axes, findings.heard["duration_s"])
    if findings.durations is not None:
        for limit in (findings.durations.min_s, findings.durations.max_s):
            _mark(axes, limit)
    axes.set(title="How long the clips are", xlabel="seconds", ylabel="clips")
    return figure


def levels_figure(findings: Findings) -> Figure:
    """RMS over the clip, dB full scale; dashed is where a clip counts as very quiet."""
    figure, (axes,) = new_axes(4.4, 2.7)
    _histogram(axes, findings.heard["level_db"])
    _mark(axes, findings.settings.limits.quiet_db)
    axes.set(title="How loud they are", xlabel="RMS, dB full scale", ylabel="clips")
    return figure


def noise_figure(findings: Findings) -> Figure:
    """Loudest frames over quietest, dB: an estimate of the signal-to-noise ratio."""
    figure, (axes,) = new_axes(4.4, 2.7)
    _histogram(axes, findings.heard["snr_db"])
    axes.set(title="How far speech stands above the rest", xlabel="loud over quiet frames, dB", ylabel="clips")
    return figure


def silence_figure(findings: Findings) -> Figure:
    """Share of 20 ms frames more than 40 dB below the loudest."""
    figure, (axes,) = new_axes(4.4, 2.7)
    _histogram(axes, 100 * findings.heard["silent_share"])
    axes.set(title="How much of a clip is silence", xlabel="% of its frames", ylabel="clips")
    return figure


def copies_figure(findings: Findings) -> Figure:
    """Correlations of the pairs that were compared; dashed is where two clips count as one recording."""
    figure, (axes,) = new_axes(4.4, 2.7)
    axes.hist(findings.correlations, bins=np.linspace(0, 1, 51).tolist(), color=ACCENT)
    if len(findings.correlations) > 100:
        axes.set_yscale("log")
    _mark(axes, findings.settings.limits.same_recording)
    axes.set(title="How alike the most similar pairs are", xlabel="correlation of the waveforms", ylabel="pairs")
    return figure


def classes_figure(head: HeadFacts, sides: Sequence[str]) -> Figure:
    """Clips per class, stacked by split."""
    table = head.table.head(MOST_BARS) if len(head.table) <= MOST_BARS else head.table.nlargest(MOST_BARS, "clips")
    return _bars(table, sides, head.name)


def speakers_figure(findings: Findings) -> Figure:
    """Clips per speaker, stacked by split, those with most clips first; of many speakers, how many have how many."""
    table, sides = findings.speakers, findings.dataset.sides
    if len(table) <= MOST_BARS:
        return _bars(table, sides, "speakers")
    figure, (axes,) = new_axes(4.4, 2.7)
    columns = sides or ["clips"]
    counts = [table[name][table[name] > 0].to_numpy() for name in columns]
    colours = [_SIDE_COLOURS.get(name, ACCENT) for name in columns]
    axes.hist(counts, bins=20, stacked=True, color=colours, label=columns)
    axes.set(title="speakers", xlabel="clips of a speaker", ylabel="speakers")
    if sides:
        _legend(axes)
    return figure


def joint_figure(joint: pd.DataFrame) -> Figure:
    """Rows are the classes of the first head, columns those of the second; the number is the count of clips."""
    rows, columns = joint.shape
    figure, (axes,) = new_axes(min(max(3.2, 0.42 * columns + 1.6), 11.0), min(max(2.4, 0.3 * rows + 1.2), 11.0))
    counts = joint.to_numpy()
    axes.imshow(counts, cmap="Blues", aspect="auto", vmin=0, vmax=1.5 * max(1, counts.max()))
    if counts.size <= 600:
        for row, column in np.ndindex(*counts.shape):
            colour = "white" if counts[row, column] > 0.9 * counts.max() else WARN if not counts[row, column] else INK
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(columns), [str(name) for name in joint.columns], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(rows), [str(name) for name in joint.index], fontsize=8)
    axes.grid(visible=False)
    axes.set(
        xlabel=str(joint.columns.name),
        ylabel=str(joint.index.name),
        title=f"{joint.index.name} and {joint.columns.name}",
    )
    return figure


def wave_figure(samples: np.ndarray, sample_rate: int) -> Figure:
    """Lowest and highest sample of each of 300 stretches, over seconds."""
    figure, (axes,) = new_axes(3.6, 1.1)
    pieces = np.array_split(samples, min(300, len(samples)))
    time = np.linspace(0, len(samples) / sample_rate, len(pieces))
    low, high = ([float(reduce(piece)) for piece in pieces] for reduce in (np.min, np.max))
    axes.fill_between(time, low, high, color=ACCENT, linewidth=0.5)
    limit = max(1e-4, float(np.abs(samples).max())) * 1.05
    axes.set(ylim=(-limit, limit), xlim=(0, time[-1] if len(time) > 1 else 1))
    axes.tick_params(labelsize=7)
    axes.grid(visible=False)
    return figure


def _histogram(axes: Axes, values: pd.Series) -> None:
    bins = int(np.clip(np.sqrt(len(values)), 8, 50))
    axes.hist(values.to_numpy(), bins=bins, color=ACCENT)


def _mark(axes: Axes, value: float) -> None:
    """A dashed line, only where there is something on both sides of it, or nearly."""
    low, high = axes.get_xlim()
    if low <= value <= high:
        axes.axvline(value, color=WARN, linewidth=1.2, linestyle="--")


def _bars(table: pd.DataFrame, sides: Sequence[str], title: str) -> Figure:
    figure, (axes,) = new_axes(4.4, max(1.6, _BAR_IN * len(table) + 0.9))
    places = np.arange(len(table))
    left = np.zeros(len(table))
    for side in sides:
        axes.barh(places, table[side], left=left, color=_SIDE_COLOURS[side], label=side)
        left += table[side].to_numpy()
    rest = table["clips"].to_numpy() - left
    if rest.any():
        axes.barh(places, rest, left=left, color=GRID if sides else ACCENT, label="no split" if sides else None)
    axes.set_yticks(places, [_shortened(str(name)) for name in table.index])
    axes.margins(y=0.02)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.tick_params(labelsize=8)
    axes.set(title=title, xlabel="clips")
    if sides:
        _legend(axes)
    return figure


def _legend(axes: Axes) -> None:
    axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, frameon=False)


def _shortened(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"

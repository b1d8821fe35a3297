"""What was heard, as parts of the page: the sound, copies, and the clips to set aside."""

import pandas as pd

from slu.documents.page import Part, Picture, Side, Table, Text
from slu.exploration.figures import copies_figure, durations_figure, levels_figure, noise_figure, silence_figure
from slu.exploration.findings import Findings
from slu.exploration.record import pairs_table, percentiles
from slu.exploration.set_aside import set_aside_table
from slu.exploration.wording import counted

_SHOWN = 10
_FOLDED = 200
"""Rows of a long table that the page carries at most; the CSV files have all of them."""


def sound_parts(findings: Findings) -> list[Part]:
    caption = "An estimate from the clip alone"
    caption += "; beyond 60 dB there is digital silence in it." if (findings.heard["zero_share"] > 0).any() else "."
    pictures: list[Part] = [
        Picture(durations_figure(findings), "histogram of durations", "Limits that fall into the picture are dashed."),
        Picture(levels_figure(findings), "histogram of levels", "A wide spread is several microphones or distances."),
        Picture(
            noise_figure(findings),
            "histogram of estimated signal-to-noise ratios",
            caption,
        ),
        Picture(silence_figure(findings), "histogram of silence", "Frames more than 40 dB below the clip's loudest."),
    ]
    return [Side(pictures), _measures_table(findings.heard)]


def _measures_table(heard: pd.DataFrame) -> Table:
    kinds = [
        ("duration, s", "duration_s", 1, 2),
        ("RMS level, dB", "level_db", 1, 1),
        ("peak, dB", "peak_db", 1, 1),
        ("estimated SNR, dB", "snr_db", 1, 1),
        ("silent frames, %", "silent_share", 100, 0),
        ("frames of zeros, %", "zero_share", 100, 0),
        ("samples cut off flat, %", "clipped_share", 100, 2),
    ]
    rows = [
        [name, *(f"{round(factor * value, digits) + 0.0:.{digits}f}" for value in percentiles(heard[column]).values())]
        for name, column, factor, digits in kinds
    ]
    return Table(["", "least", "5th percentile", "median", "95th percentile", "largest"], rows)


def copies_parts(findings: Findings) -> list[Part]:
    kinds = [pair.kind for pair in findings.pairs]
    identical, near, limit = kinds.count("identical"), kinds.count("near"), findings.settings.limits.same_recording
    if not findings.pairs:
        verdict = Text("No recording was found twice.", "good")
    else:
        across = f", {len(findings.pairs_across)} of them on both sides of the split" if findings.pairs_across else ""
        kinds_found = [f"{counted(identical, 'pair')} of identical recordings"] if identical else []
        kinds_found += (
            [f"{counted(near, 'pair')} that differ only in loudness, silence, noise or coding"] if near else []
        )
        verdict = Text(f"{' and '.join(kinds_found)}{across}.", "warning")
    parts: list[Part] = [verdict]
    if findings.correlations:
        caption = (
            f"The {len(findings.correlations)} most similar pairs; from {limit:g} (dashed) the waveforms are one "
            "recording. Takes of one word by one person reach 0.96 at most."
        )
        parts.append(Picture(copies_figure(findings), "histogram of correlations", caption))
    if findings.pairs:
        table = pairs_table(findings).head(_FOLDED)
        rows = [
            [row["first"], row["second"], row["kind"], f"{row['correlation']:.3f}",
             "yes" if row["across_splits"] else "", row["different_labels"]]
            for row in table.to_dict("records")
        ]  # fmt: skip
        columns = ["clip", "its copy", "kind", "correlation", "across the split", "labels that differ"]
        parts.append(Table(columns, rows, text_columns=(0, 1, 2, 4, 5), fold_after=_SHOWN))
    return parts


def set_aside_parts(findings: Findings) -> list[Part]:
    counts = [[kind, str(count)] for kind, count in findings.reasons.most_common()]
    table = set_aside_table(findings.dataset, findings.set_aside).head(_FOLDED)
    rows = table[["where", "reason", "detail"]].to_numpy().tolist()
    more = len(findings.set_aside) - len(rows)
    caption = f"Each with its reason; {more} more are in set_aside.csv." if more > 0 else "Each with its reason."
    return [
        Table(["reason", "clips"], counts),
        Table(["clip", "reason", "detail"], rows, caption, text_columns=(0, 1, 2), fold_after=_SHOWN),
    ]

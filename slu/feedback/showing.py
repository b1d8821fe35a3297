"""Corrections on a terminal. Comments come from anybody: nothing of them may act on the terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slu.feedback.entries import Row

_COLUMNS = ("id", "received", "state", "sure", "correction", "flags", "audio", "client", "comment")


def show_rows(rows: Sequence[Row], outputs: Path, most: int) -> None:
    """`sure` is how sure the model was of what was corrected."""
    title = f"{len(rows)} correction{'s' * (len(rows) != 1)}" + (f", {most} of them" if len(rows) > most else "")
    table = Table(title=f"{title}; the model's surest mistakes first", title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in ("id", "sure") else "left", overflow="fold")
    for row in rows[:most]:
        cells = (
            str(row.id), f"{row.received:%Y-%m-%d %H:%M}", row.state, f"{row.disagreement:.2f}", change(row),
            " ".join(row.flags), sound(row, outputs), (row.client or "")[:16], row.comment,
        )  # fmt: skip
        table.add_row(*(Text(plain(cell)) for cell in cells))
    console = Console()
    # A pipe has no width: nothing is folded there, so that a line is a correction.
    (console if console.is_terminal else Console(width=1000)).print(table)


def change(row: Row) -> str:
    """`product tea > milk`; what was right already is not told."""
    changed = [f"{name} {row.predicted.get(name) or 'none'} > {row.actual[name] or 'none'}" for name in row.changed]
    same = ", ".join(f"{name} {label or 'none'}" for name, label in row.actual.items())
    return ", ".join(changed) or f"{same} (as heard)"


def sound(row: Row, outputs: Path) -> str:
    if not row.audio_path:
        return "hash only" if row.audio_sha256 else "none"
    if not (outputs / row.audio_path).is_file():
        return "gone"
    return row.split or "kept"


def plain(text: str) -> str:
    """Without line breaks, and without characters that command a terminal."""
    return "".join(one if one.isprintable() else " " for one in text)

"""What the study of drift found, as a table and in a sentence."""

from collections.abc import Sequence

from rich.table import Table

from slu.benchmarks.drift import Found

_NAMED = 4


def drift_table(found: Sequence[Found]) -> Table:
    table = Table(title="windows that are called drifted", title_justify="left")
    sizes = sorted(found[0].flagged)
    for column in (
        "",
        "understood",
        *(f"of {size} clips" for size in sizes),
        "what has drifted, the most certain first",
    ):
        table.add_column(column, justify="right" if column == "understood" or column.startswith("of ") else "left")
    for shifted in (True, False):
        for one in (one for one in found if one.shifted == shifted):
            counts = [f"{one.flagged[size][0]} of {one.flagged[size][1]}" for size in sizes]
            more = len(one.names) - _NAMED
            named = ", ".join(one.names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
            table.add_row(one.name, f"{one.understood:.0%}", *counts, named)
        table.add_section()
    return table


def summary(found: Sequence[Found]) -> dict[str, dict[str, str]]:
    """By size of window: conditions of which most windows drifted, and the share of windows."""
    told = {}
    for size in sorted(found[0].flagged):
        told[f"{size} clips"] = {
            "shifts found": _count(found, size, shifted=True),
            "false alarms": _count(found, size, shifted=False),
        }
    return told


def _count(found: Sequence[Found], size: int, *, shifted: bool) -> str:
    """Conditions whose first window of this size drifted are no more certain than the windows: both are told."""
    flagged = [one.flagged[size] for one in found if one.shifted == shifted and one.flagged[size][1]]
    any_of = sum(drifted > 0 for drifted, _ in flagged)
    every = sum(drifted == total for drifted, total in flagged)
    windows, all_windows = sum(drifted for drifted, _ in flagged), sum(total for _, total in flagged)
    return f"{windows} of {all_windows} windows; of {len(flagged)} conditions, {every} in every window, {any_of} in any"

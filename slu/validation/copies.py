"""One recording in several rows: across the split it spoils the test, with two labels it spoils the training."""

from collections.abc import Iterator, Sequence

from slu.corpus.manifest import SPLITS
from slu.exploration.clips import ClipFacts, Unreadable
from slu.exploration.dataset import Dataset
from slu.exploration.duplicates import Pair, group
from slu.exploration.set_aside import conflicts
from slu.validation.findings import Finding
from slu.validation.tables import finding_at

_KEPT_FIRST = [*reversed(SPLITS), ""]
"""Of copies, that of the test stays: there are most clips to spare in training."""


def check_copies(
    dataset: Dataset, facts: Sequence[ClipFacts | Unreadable | None], pairs: Sequence[Pair]
) -> Iterator[Finding]:
    table = dataset.table
    for rows in group(pairs):
        kept = min(rows, key=lambda row: (_KEPT_FIRST.index(str(table["split"].iloc[row])), row))
        for head, labels in conflicts(dataset, rows).items():
            sides = " but ".join(f"'{label}' ({table['where'].iloc[row]})" for label, row in labels.items())
            for row in rows:
                yield finding_at(table, row, "different labels", f"the same recording has {head} {sides}")
        for row in rows:
            if row != kept:
                side, other = str(table["split"].iloc[row]), str(table["split"].iloc[kept])
                across = bool(side) and bool(other) and side != other
                kind = ("copy" if _identical(facts[row], facts[kept]) else "near copy") + " across splits" * across
                in_side = f" in {other}" if across else ""
                yield finding_at(table, row, kind, f"the same recording as {table['where'].iloc[kept]}{in_side}")


def _identical(first: ClipFacts | Unreadable | None, second: ClipFacts | Unreadable | None) -> bool:
    if not isinstance(first, ClipFacts) or not isinstance(second, ClipFacts):
        return False
    return first.samples_hash == second.samples_hash

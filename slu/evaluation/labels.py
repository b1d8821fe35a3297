"""Labelled clips for a recogniser that may not know every label in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from slu.common.errors import UserError
from slu.corpus.labels import NO_LABEL, label_ids
from slu.corpus.manifest import Manifest, normalise_label, read_manifest
from slu.spec import NOT_MENTIONED, Head

OnUnknownLabel = Literal["error", "skip"]


def read_labelled(path: Path, heads: Sequence[Head], on_unknown: OnUnknownLabel) -> tuple[Manifest, dict[str, int]]:
    """The manifest, and how often each label was left out because the model does not know it.

    Raises UserError for an unknown label unless it is to be skipped, and for a manifest of unknown labels only.
    """
    if on_unknown == "error":
        try:
            return read_manifest(path, heads, require_heads=False), {}
        except UserError as error:
            cure = "; leave such labels out with on_unknown_label=skip" if "one of the classes" in str(error) else ""
            raise UserError(f"{error}{cure}") from None
    plain = read_manifest(path, labels=[head.name for head in heads])
    present = [head for head in heads if head.name in plain.table.columns]
    unknown: dict[str, int] = {}
    table = plain.table.copy()
    for head in present:
        labels = table[head.name].map(normalise_label)
        strange = ~labels.isin(["", *head.classes])
        for label, count in labels[strange].value_counts().sort_index().items():
            unknown[f"the model does not know {head.name} '{label}'"] = int(count)
        # Where an empty cell would say "not mentioned", the unknown label stays as it is: it has no index.
        table[head.name] = labels if NOT_MENTIONED in head.classes else labels.where(~strange, "")
    if not any((ids != NO_LABEL).any() for ids in label_ids(table, present).values()):
        raise UserError(f"{path} has no label that the model knows; its heads are {', '.join(h.name for h in heads)}")
    return Manifest(path, table), unknown

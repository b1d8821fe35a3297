"""The kinds of sources, by the name that settings give them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slu.common.errors import UserError
from slu.corpus.clips import Source
from slu.corpus.folders import read_class_folders, read_table
from slu.corpus.retail_tables import read_retail

_READERS: dict[str, Callable[[Mapping[str, Any], Sequence[str]], Source]] = {
    "manifest": read_table,
    "retail": read_retail,
    "folders": read_class_folders,
}


def read_source(values: Mapping[str, Any], heads: Sequence[str]) -> Source:
    """`values` is the `source` group: `kind` chooses the reader, the rest are its settings.

    Raises UserError for an unknown kind, and whatever the reader refuses.
    """
    reader = _READERS.get(str(values.get("kind")))
    if reader is None:
        raise UserError(f"source.kind must be one of {', '.join(_READERS)}, got {values.get('kind')!r}")
    return reader({key: value for key, value in values.items() if key != "kind"}, heads)

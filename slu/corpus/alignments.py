"""The alignments of a corpus: `alignment.jsonl` beside its manifest, one line per clip that has one."""

import json
from collections.abc import Mapping
from pathlib import Path

from slu.common.errors import UserError
from slu.common.files import atomic_write
from slu.decoding.alignment import Alignment

ALIGNMENTS = "alignment.jsonl"


def write_alignments(folder: Path, alignments: Mapping[str, Alignment]) -> None:
    """By `file_name` as the manifest has it."""
    with atomic_write(folder / ALIGNMENTS) as file:
        for name, alignment in alignments.items():
            line = {"file_name": name, **alignment.to_json()}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_alignments(manifest: Path) -> dict[str, Alignment]:
    """By `file_name`; clips without voice or with unknown times are not in it. Empty where there is no such file.

    Raises UserError for a damaged file.
    """
    path = manifest.parent / ALIGNMENTS
    if not path.is_file():
        return {}
    found = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                value = json.loads(line)
                found[str(value["file_name"])] = Alignment.from_json(value)
            except (ValueError, KeyError, TypeError):
                raise UserError(f"{path}:{number} is damaged; delete the folder to have it spoken again") from None
    return found

"""The alignments of a corpus: `alignment.jsonl` beside its manifest, one line per clip that has one."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from slu.common.errors import UserError
from slu.common.files import atomic_write
from slu.decoding.alignment import Alignment

ALIGNMENTS = "alignment.jsonl"
_DEPTH = 3
"""Folders between a clip and its manifest, at most."""


def write_alignments(folder: Path, alignments: Mapping[str, Alignment]) -> None:
    """By `file_name` as the manifest has it."""
    with atomic_write(folder / ALIGNMENTS) as file:
        for name, alignment in alignments.items():
            line = {"file_name": name, **alignment.to_json()}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def find_alignments(files: Iterable[str]) -> dict[str, Alignment]:
    """Of absolute paths of clips, whichever corpora they are of: the alignments of those that have one, by path."""
    names: dict[Path, set[str]] = {}
    for name in files:
        names.setdefault(Path(name).parent, set()).add(name)
    found = {}
    for folder, own in names.items():
        corpus = next((place for place in (folder, *folder.parents[:_DEPTH]) if (place / ALIGNMENTS).is_file()), None)
        if corpus is not None:
            known = {str(corpus / name): value for name, value in read_alignments(corpus / "metadata.csv").items()}
            found.update({name: known[name] for name in own if name in known})
    return found


def read_alignments(manifest: Path) -> dict[str, Alignment]:
    """By `file_name`; clips of which the times are not known are not in it. Empty where there is no such file.

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

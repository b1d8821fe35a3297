"""The alignments of a corpus: `alignment.jsonl` beside its manifest, one line per clip that has one."""

import json
from collections.abc import Iterable, Iterator, Mapping
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


class Alignments(Mapping[str, Alignment]):
    """By path of the clip; kept as the lines of the file, which take a tenth of the memory, and read when asked for."""

    def __init__(self, lines: Mapping[str, str]) -> None:
        self._lines = lines

    def __getitem__(self, name: str) -> Alignment:
        return Alignment.from_json(json.loads(self._lines[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def find_alignments(files: Iterable[str]) -> Alignments:
    """Of absolute paths of clips, whichever corpora they are of: the alignments of those that have one, by path.

    Raises UserError for a damaged file.
    """
    names: dict[Path, set[str]] = {}
    for name in files:
        names.setdefault(Path(name).parent, set()).add(name)
    wanted: dict[Path, set[str]] = {}
    for folder, own in names.items():
        corpus = next((place for place in (folder, *folder.parents[:_DEPTH]) if (place / ALIGNMENTS).is_file()), None)
        if corpus is not None:
            wanted.setdefault(corpus, set()).update(own)
    found = {}
    for corpus, own in wanted.items():
        for line, name, _ in _read(corpus / ALIGNMENTS):
            if (path := f"{corpus}/{name}") in own:
                found[path] = line
    return Alignments(found)


def read_alignments(manifest: Path) -> dict[str, Alignment]:
    """By `file_name`; clips of which the times are not known are not in it. Empty where there is no such file.

    Raises UserError for a damaged file.
    """
    return dict(each_alignment(manifest))


def each_alignment(manifest: Path) -> Iterator[tuple[str, Alignment]]:
    """The same one after the other: all together are large."""
    path = manifest.parent / ALIGNMENTS
    if path.is_file():
        yield from ((name, alignment) for _, name, alignment in _read(path))


def _read(path: Path) -> Iterator[tuple[str, str, Alignment]]:
    """Line, `file_name` and what it says. Raises UserError for a damaged line."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                value = json.loads(line)
                name, alignment = str(value["file_name"]), Alignment.from_json(value)
            except (ValueError, KeyError, TypeError):
                raise UserError(f"{path}:{number} is damaged; delete the folder to have it spoken again") from None
            yield line, name, alignment

"""Public recordings as their owners lay them out, or as an AudioFolder, put into one form.

The benchmark's labels and audio are not copied: a manifest is written below the outputs, and a link `clips` beside it
leads to the recordings.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from slu.common.errors import UserError
from slu.common.files import read_json, settings_hash
from slu.corpus.manifest import read_manifest, write_manifest

CLIPS = "clips"


@dataclass(frozen=True)
class Public:
    """A benchmark: what its labels are called, and where its recordings come from."""

    name: str
    heads: tuple[str, ...]
    where: str
    """How to get the recordings, and their licence: the end of the sentence that says that they are missing."""
    find: "Callable[[Path], Found | None]"
    """From the owners' own layout; None where the folder is none."""


@dataclass(frozen=True)
class Found:
    table: pd.DataFrame
    """A manifest's, `file_name` relative to `audio`."""
    audio: Path
    noises: tuple[Path, ...] = ()
    """Noise that the benchmark itself mixes in, one recording per kind."""


@dataclass(frozen=True)
class Recordings:
    manifest: Path
    """`metadata.csv` of the folder that was written."""
    noises: tuple[Path, ...]
    source: Path
    """As the user named it."""


def open_recordings(public: Public, data: str | None, work: Path) -> Recordings:
    """`data` is the folder of the owners' repository, an AudioFolder or its table.

    Raises UserError where there is nothing of the kind, with where to get it.
    """
    if data is None:
        raise UserError(f"{public.name} needs recordings of people: {public.where}, then name the folder with data=…")
    source = Path(data)
    table = source if source.suffix == ".csv" else source / "metadata.csv"
    found = public.find(source) if source.is_dir() else None
    if found is None and not table.is_file():
        raise UserError(f"data: {source} holds no recordings of {public.name}; {public.where}, and name the folder")
    if found is None:
        rows = read_manifest(table).table
        if not set(public.heads) & set(rows.columns):
            raise UserError(
                f"{table} has no column '{public.heads[0]}'; {public.name} is scored by {', '.join(public.heads)}"
            )
        found = Found(rows.reset_index(drop=True), table.parent)
    return Recordings(write_beside(found.table, found.audio, work, "metadata.csv"), found.noises, source)


def write_beside(table: pd.DataFrame, audio: Path, work: Path, name: str) -> Path:
    """The manifest `name` with its link to `audio`, in a folder of these recordings below `work`."""
    folder = work / f"recordings-{settings_hash(str(audio.resolve()))[:8]}"
    link, target = folder / CLIPS, audio.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.resolve() != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target, target_is_directory=True)
    write_manifest(folder / name, table.assign(file_name=f"{CLIPS}/" + table["file_name"]))
    return folder / name


def _coffee_orders(folder: Path) -> Found | None:
    """`data/label/label.json`, `data/speech/clean/*.wav` and `data/noise/*.wav`; a slot that is not in a label is
    not mentioned."""
    root = next((p for p in (folder / "data", folder) if (p / "label" / "label.json").is_file()), None)
    if root is None:
        return None
    path, audio = root / "label" / "label.json", root / "speech" / "clean"
    try:
        labels: dict[str, dict[str, Any]] = read_json(path)
        slots = {name: label["slots"] for name, label in sorted(labels.items()) if (audio / name).is_file()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is not the label file of the benchmark; fetch it again") from None
    if not slots:
        raise UserError(f"{audio} holds none of the recordings that {path} names; fetch the benchmark again")
    columns = sorted({slot for of in slots.values() for slot in of} | set(BARISTA.heads))
    rows = [
        {"file_name": name} | {column: str(of.get(column, "")).strip() for column in columns}
        for name, of in slots.items()
    ]
    return Found(pd.DataFrame(rows), audio, tuple(sorted((root / "noise").glob("*.wav"))))


def _free_digits(folder: Path) -> Found | None:
    """`recordings/<digit>_<speaker>_<take>.wav`; the data set's own split: takes 0 to 4 test."""
    audio = folder / "recordings"
    parts = [(path, re.fullmatch(r"(\d)_([^_]+)_(\d+)", path.stem)) for path in sorted(audio.glob("*.wav"))]
    rows = [
        {
            "file_name": path.name,
            "digit": match[1],
            "speaker": match[2],
            "source_split": "test" if int(match[3]) < 5 else "train",
        }
        for path, match in parts
        if match is not None
    ]
    return Found(pd.DataFrame(rows), audio) if rows else None


BARISTA = Public(
    "barista",
    ("coffeeDrink", "size", "roast", "numberOfShots", "milkAmount", "sugarAmount"),
    "get them from github.com/Picovoice/speech-to-intent-benchmark (Apache-2.0)",
    _coffee_orders,
)
FSDD = Public(
    "fsdd",
    ("digit",),
    "get them from github.com/Jakobovski/free-spoken-digit-dataset (CC BY-SA 4.0)",
    _free_digits,
)
DIGITS_ID = Public(
    "digits_id",
    ("digit",),
    "make a folder of recorded Indonesian digits with metadata.csv (file_name, digit, speaker)",
    lambda folder: None,
)

"""A large corpus from a small one: the same clips again and again, each time turned by one more sample."""

import json
from pathlib import Path

import numpy as np
import soundfile as sf

from slu.common.files import atomic_write
from slu.corpus.alignments import ALIGNMENTS, each_alignment
from slu.corpus.manifest import read_manifest, write_manifest


def repeat(manifest: Path, clips: int, folder: Path) -> Path:
    """Write `clips` clips, all to be trained on, their alignments and their manifest, whose path is returned.

    No two files are equal, so that each has features of its own; what is heard when moves by microseconds.
    """
    table = read_manifest(manifest).table
    waves = [sf.read(manifest.parent / name, dtype="int16") for name in table["file_name"]]
    known = dict(each_alignment(manifest))
    rows = np.arange(clips) % len(table)
    names = [f"audio/{number // 1000:04d}/{number % 1000:03d}.flac" for number in range(clips)]
    with atomic_write(folder / ALIGNMENTS) as lines:
        for number, (row, name) in enumerate(zip(rows.tolist(), names, strict=True)):
            samples, rate = waves[row]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            sf.write(folder / name, np.roll(samples, number // len(table)), rate, subtype="PCM_16")
            if (alignment := known.get(table["file_name"].iloc[row])) is not None:
                lines.write(json.dumps({"file_name": name, **alignment.to_json()}, separators=(",", ":")) + "\n")
    write_manifest(folder / "metadata.csv", table.iloc[rows].assign(file_name=names, split="train"))
    return folder / "metadata.csv"

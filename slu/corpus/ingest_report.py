"""What an ingest leaves for its reader: merged labels, reasons, counts."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from slu.common.files import atomic_write, read_json, write_json
from slu.corpus.clips import Clip, Rejection, Source
from slu.corpus.ingest import Piece, Recording
from slu.corpus.splits import leaking_speakers


def clip_columns(clip: Clip) -> dict[str, str]:
    """A row of the manifest, less its `file_name`. What the source carries along never hides a column of ours."""
    ours = {"speaker": clip.speaker, "split": clip.split, "text": clip.text, **clip.extra, "source": clip.source}
    return {**clip.labels, **ours, **clip.labels}


def piece_columns(recording: Recording, piece: Piece, *, cut: bool) -> dict[str, str]:
    """A row of the manifest. A segment has its recording's labels and speaker, but says only a part of its text."""
    row = {"file_name": piece.file_name, **clip_columns(recording.clip)}
    if cut:
        origin = recording.clip.extra.get("recording") or recording.clip.key
        row |= {"text": "", "recording": origin, "start_s": f"{piece.start_s:g}"}
    return row


def write_report(folder: Path, source: Source, recordings: Sequence[Recording], rejected: Sequence[Rejection]) -> None:
    """`merged.csv` (every clip, before its audio was opened), `rejected.csv` and `summary.json`."""
    merged = [
        {"clip": c.key, **clip_columns(c), "paths": " | ".join(c.paths), "problem": str(c.problem or "")}
        for c in source.clips
    ]
    _write_csv(folder / "merged.csv", list(merged[0]) if merged else ["clip"], merged)
    reasons = [{"source": r.source, "file": r.file, "reason": str(r.reason)} for r in rejected]
    _write_csv(folder / "rejected.csv", ["source", "file", "reason"], reasons)
    write_json(folder / "summary.json", _summarise(source, recordings, rejected))


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with atomic_write(path) as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _summarise(source: Source, recordings: Sequence[Recording], rejected: Sequence[Rejection]) -> dict[str, Any]:
    """Counts of the accepted clips, or of all clips of the source when none was accepted."""
    clips = [recording.clip for recording in recordings] or list(source.clips)
    split = pd.DataFrame([{"speaker": c.speaker, "split": c.split} for c in clips if c.split])
    return {
        "clips": len(source.clips),
        "rows": source.rows,
        "accepted": len(recordings),
        "duration_s": round(sum(recording.duration_s for recording in recordings), 1),
        "files": sum(len(recording.pieces) for recording in recordings),
        "silent_segments": sum(recording.silent_segments for recording in recordings),
        "notes": list(source.notes),
        "rejected": dict(Counter(rejection.reason.kind for rejection in rejected).most_common()),
        "counted": "accepted clips" if recordings else "merged clips",
        "labels": {head: _count(clip.labels[head] for clip in clips) for head in (clips[0].labels if clips else ())},
        "speakers": _count(clip.speaker for clip in clips),
        "splits": _count(clip.split for clip in clips),
        "leaking_speakers": leaking_speakers(split),
        "audio": str(source.audio),
        "tables": [str(table) for table in source.tables],
    }


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(value for value in values if value).items()))


def describe(folder: Path) -> str:
    """The summary of a finished ingest, to be printed."""
    summary = read_json(folder / "summary.json")
    speakers, splits = summary["speakers"], summary["splits"]
    lines = [f"warning: {note}" for note in summary["notes"]]
    lines.append(f"{summary['accepted']} clips accepted, {summary['duration_s'] / 60:.1f} minutes of audio")
    if (folder / "metadata.json").is_file() and read_json(folder / "metadata.json")["recordings"]:
        silent = summary["silent_segments"]
        lines.append(f"  cut into {summary['files']} segments" + (f", {silent} silent ones left out" if silent else ""))
    for head, counts in summary["labels"].items():
        lines.append(f"  {head}: {_listed(counts)}")
    if speakers:
        lines.append(f"  speakers: {_listed(speakers)}")
    if splits:
        lines.append(f"  splits: {_listed(splits)}")
    if summary["rejected"]:
        lines.append(f"{sum(summary['rejected'].values())} rejected: {_listed(summary['rejected'])}")
        lines.append(f"  the reason for each: {folder / 'rejected.csv'}")
    if leaking := summary["leaking_speakers"]:
        lines.append(
            f"warning: {len(leaking)} of {len(speakers)} speakers stand on more than one side of the source's split "
            f"({', '.join(leaking[:5])}{', ...' if len(leaking) > 5 else ''}); "
            "train with data.split.method=speaker for results that hold for new voices"
        )
    return "\n".join(lines)


def _listed(counts: Mapping[str, int], at_most: int = 12) -> str:
    shown = [f"{name} {count}" for name, count in list(counts.items())[:at_most]]
    return ", ".join(shown) + (f" and {len(counts) - at_most} more" if len(counts) > at_most else "")

"""What an exploration leaves beside its page: eda.json for programs, and the clips by name for spreadsheets."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slu.common.errors import UserError
from slu.common.files import atomic_write, write_json
from slu.corpus.manifest import read_manifest, write_manifest
from slu.exploration.findings import Findings
from slu.exploration.set_aside import conflicts, set_aside_table
from slu.exploration.wording import Decision

MEASURES = ("duration_s", "level_db", "peak_db", "snr_db", "silent_share", "zero_share", "clipped_share")


def write_record(
    folder: Path,
    findings: Findings,
    warnings: Sequence[str],
    decisions: Sequence[Decision],
    commands: Sequence[str],
) -> None:
    """`eda.json`, `set_aside.csv`, `near_duplicates.csv`."""
    write_json(folder / "eda.json", summarise(findings, warnings, decisions, commands))
    for name, table in (
        ("set_aside.csv", set_aside_table(findings.dataset, findings.set_aside)),
        ("near_duplicates.csv", pairs_table(findings)),
    ):
        with atomic_write(folder / name) as file:
            table.to_csv(file, index=False)


def summarise(
    findings: Findings, warnings: Sequence[str], decisions: Sequence[Decision], commands: Sequence[str]
) -> dict[str, Any]:
    """Plain values for JSON."""
    dataset = findings.dataset
    kinds = [pair.kind for pair in findings.pairs]
    return {
        "data": dataset.name,
        "clips": findings.clips,
        "minutes": round(findings.minutes, 2),
        "audio": {"read": len(findings.heard), "unreadable": findings.unreadable, "missing": findings.missing},
        "warnings": list(warnings),
        "decisions": [asdict(decision) for decision in decisions],
        "commands": list(commands),
        "split": {"origin": dataset.split_origin, "clips": {s: _size(dataset.table, s) for s in dataset.sides}},
        "heads": {
            head.name: {
                "classes": head.table.to_dict("index"),
                "empty": head.empty,
                "imbalance": head.imbalance,
                "absent": {side: head.absent(side) for side in dataset.sides},
            }
            for head in findings.heads
        },
        "joint": None if findings.joint is None else findings.joint.to_dict("index"),
        "speakers": findings.speakers.round(2).to_dict("index"),
        "sentences": findings.sentences.head(50).to_dict("index"),
        "columns": {name: table.to_dict("index") for name, table in findings.others.items()},
        "leaks": [asdict(leak) for leak in findings.leaks],
        "repeated_sentences": None if findings.repeats is None else asdict(findings.repeats),
        "measures": {name: percentiles(findings.heard[name]) for name in MEASURES} if len(findings.heard) else {},
        "formats": {name: int(count) for name, count in formats(findings).items()},
        "durations": None if findings.durations is None else asdict(findings.durations),
        "copies": {
            "identical": kinds.count("identical"),
            "near": kinds.count("near"),
            "across_splits": len(findings.pairs_across),
            "same_recording_from": findings.settings.limits.same_recording,
        },
        "set_aside": dict(findings.reasons.most_common()),
    }


def _size(table: pd.DataFrame, side: str) -> int:
    return int((table["split"] == side).sum())


def percentiles(values: pd.Series) -> dict[str, float]:
    """Least, 5th percentile, median, 95th percentile, largest."""
    names = ("min", "p5", "median", "p95", "max")
    return dict(zip(names, np.percentile(values, [0, 5, 50, 95, 100]).round(3).tolist(), strict=True))


def formats(findings: Findings) -> pd.Series:
    """Clips by file format, rate and channels, the commonest first."""
    heard = findings.heard
    names = [
        f"{row['format']}, {int(row['sample_rate'])} Hz, {'mono' if row['channels'] == 1 else int(row['channels'])}"
        + ("" if row["channels"] == 1 else " channels")
        for row in heard[["format", "sample_rate", "channels"]].to_dict("records")
    ]
    return pd.Series(names, dtype=str).value_counts()


def pairs_table(findings: Findings) -> pd.DataFrame:
    """Copies, the most alike first: which rows, whether they stand across the split and disagree on a label."""
    table = findings.dataset.table
    across = set(findings.pairs_across)
    rows = []
    for pair in sorted(findings.pairs, key=lambda pair: -pair.correlation):
        first, second = table.iloc[pair.first], table.iloc[pair.second]
        clash = conflicts(findings.dataset, (pair.first, pair.second))
        rows.append(
            {
                "kind": pair.kind,
                "correlation": round(pair.correlation, 4),
                "first": first["file_name"],
                "second": second["file_name"],
                "across_splits": pair in across,
                "different_labels": " ".join(clash),
                **{f"{name}_{which}": row[name] for name in ("split", "speaker", "where")
                   for which, row in (("first", first), ("second", second))},
            }
        )  # fmt: skip
    columns = ["kind", "correlation", "first", "second", "across_splits", "different_labels"]
    columns += [f"{name}_{which}" for name in ("split", "speaker", "where") for which in ("first", "second")]
    return pd.DataFrame(rows, columns=columns)


def free_name(path: Path) -> Path:
    """The path, or where that is taken, the first of kept2.csv, kept3.csv, ... that is not."""
    names = (path.with_stem(f"{path.stem}{number}") for number in itertools.count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())


def write_kept(manifest: Path, name: str, findings: Findings) -> Path:
    """The manifest without the rows set aside, beside it, because its file names are relative to its folder.

    Raises UserError for a name that is a path or taken, and when no row is left.
    """
    path = manifest.parent / name
    if Path(name).name != name or not name.endswith(".csv"):
        raise UserError(f"kept={name}: give a file name, as in kept=kept.csv; it is written into {manifest.parent}")
    if path.exists():
        raise UserError(f"{path} exists already; choose another name for kept=, or delete it")
    table = read_manifest(manifest).table
    kept = [row for row in range(len(table)) if row not in findings.set_aside]
    if not kept:
        raise UserError(f"{manifest}: every clip is set aside, so there is nothing to keep")
    write_manifest(path, table.iloc[kept])
    return path

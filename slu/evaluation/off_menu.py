"""Recordings of what is not on the menu: how often a bundle answers them all the same.

A false accept is an answer that somebody would act on. Its rate means little alone, for a recogniser that refuses
everything has none: it stands beside the share of the menu's own clips that are answered (true accepts).
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.common.errors import UserError
from slu.corpus.audio_finder import AUDIO_SUFFIXES
from slu.corpus.manifest import Manifest, read_manifest
from slu.corpus.other_speech import off_menu
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.intervals import exact_interval
from slu.inference.prediction import DOUBTS

TRUE_ACCEPTS = 0.97
"""At which false accepts are compared."""


@dataclass(frozen=True)
class OffMenu:
    name: str
    evaluation: Evaluation
    """Without labels: what was answered, and how surely."""


def read_off_menu(place: Path) -> Manifest:
    """Every audio file below a folder, or the rows of a table (also of the `metadata.csv` in a folder).

    Of a table in which some rows are known not to be on a menu, as in a synthesised corpus, these alone. Raises
    UserError where there is nothing.
    """
    if place.is_dir() and not (place / "metadata.csv").is_file():
        files = sorted(
            (Path(folder) / name).relative_to(place).as_posix()
            for folder, _, names in os.walk(place)
            for name in names
            if Path(name).suffix.lower() in AUDIO_SUFFIXES
        )
        if not files:
            raise UserError(f"off_menu={place}: there is no audio in it; name a folder or a table of recordings")
        return Manifest(place / "metadata.csv", pd.DataFrame({"file_name": files}))
    manifest = read_manifest(place / "metadata.csv" if place.is_dir() else place)
    known = off_menu(manifest.table)
    return Manifest(manifest.path, manifest.table[known]) if known.any() else manifest


def names_of(places: Sequence[Path]) -> list[str]:
    """The shortest endings of the paths that tell them apart: `noise`, or `a/noise` and `b/noise`."""
    paths = [(p.parent if p.name == "metadata.csv" else p).resolve() for p in places]
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise UserError(f"off_menu names {paths[0]} twice; name different recordings")


def sureness(evaluation: Evaluation) -> NDArray[np.float64]:
    """Per clip the confidence of the whole answer; -1 where it is refused whatever the confidence (silence, noise,
    length)."""
    answers = [evaluation.prediction(i) for i in range(len(evaluation.table))]
    return np.array([a.confidence if a.reason in ("", *DOUBTS) else -1.0 for a in answers], dtype=np.float64)


def threshold_for(true_accepts: float, on_menu: NDArray[np.float64]) -> float | None:
    """The highest confidence from which on at least this share of the menu's clips is answered; None where silence
    and lengths refuse more than that."""
    allowed = int(np.floor((1 - true_accepts) * len(on_menu) + 1e-9))
    value = float(np.sort(on_menu)[allowed])
    return None if value < 0 else value


def rejection(clean: Evaluation, sets: Sequence[OffMenu]) -> dict[str, Any]:
    """For metrics.json: what is refused as the bundle stands, and at a given share of true accepts.

    `clean` are the menu's own clips; those without all labels do not count. Raises UserError where none has.
    """
    if not clean.complete.any():
        raise UserError("off_menu needs clips of the menu beside it: manifest= holds none with all labels")
    on_menu = sureness(clean)[clean.complete]
    standing = clean.spec.min_confidence
    at = threshold_for(TRUE_ACCEPTS, on_menu)
    return {
        "min_confidence": standing,
        "true_accepts": float((on_menu >= standing).mean()),
        "clips": len(on_menu),
        "at_true_accepts": TRUE_ACCEPTS,
        "confidence_there": at,
        "sets": {one.name: _of_set(one.evaluation, standing, at) for one in sets},
    }


def _of_set(evaluation: Evaluation, standing: float, at: float | None) -> dict[str, Any]:
    values = sureness(evaluation)
    answered = int((values >= standing).sum())
    return {
        "clips": len(values),
        "false_accepts": answered / len(values),
        "interval": exact_interval(answered, len(values)),
        "false_accepts_there": None if at is None else float((values >= at).mean()),
        "reasons": dict(Counter(reason for reason in evaluation.reasons if reason).most_common()),
        "unreadable": len(evaluation.broken),
    }


def unreadable(sets: Sequence[OffMenu], named: int = 3) -> list[str]:
    """A sentence for every set of which files could not be read: how many, and why for the first few."""
    found = []
    for one in sets:
        rows, reasons = one.evaluation.answers.broken_rows.tolist(), one.evaluation.answers.broken
        if not rows:
            continue
        first = [f"{one.evaluation.manifest.audio_path(row)} ({why})" for row, why in zip(rows, reasons, strict=True)]
        more = f", and {len(rows) - named} more" if len(rows) > named else ""
        total = len(rows) + len(one.evaluation.table)
        found.append(
            f"{len(rows)} of {total} recordings of {one.name} cannot be read and are not counted: "
            f"{', '.join(first[:named])}{more}"
        )
    return found


def trade_off(
    on_menu: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of true and of false accepts at every confidence that changes one of them, the highest first."""
    places = np.unique(np.concatenate([on_menu, others]))[::-1]
    places = places[places >= 0]

    def share(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1 - np.searchsorted(np.sort(values), places, side="left") / len(values)

    return share(on_menu), share(others)

"""What a recogniser answered, as arrays, and a store of it so that an interrupted evaluation goes on.

Answers are kept in chunks under a folder named after everything they depend on: the weights, the audio's bytes
and their order, the condition. So a changed clip or model never meets old answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slu.bundles import Bundle
from slu.common.files import content_hash, settings_hash
from slu.evaluation.conditions import Condition
from slu.evaluation.kept import KeptArrays
from slu.inference.files import SPEC, WEIGHTS

# Raised whenever the same bundle, audio and condition would give other answers, so that older ones are not used.
_VERSION = 2


@dataclass(frozen=True)
class Answers:
    """Of the clips that could be read, in the manifest's order."""

    rows: NDArray[np.int64]
    """Rows of the manifest's table, counted from 0."""
    scores: Mapping[str, NDArray[np.float32]]
    """(clips, classes) by head."""
    duration_s: NDArray[np.float64]
    level_db: NDArray[np.float64]
    snr_db: NDArray[np.float64]
    """Estimated, see slu.audio.measure."""
    broken_rows: NDArray[np.int64]
    broken: tuple[str, ...]
    """Why each of `broken_rows` cannot be read."""
    cpu_s: float
    evidence: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """(clips,) by name: what else speaks for the answers."""

    @staticmethod
    def join(parts: Sequence["Answers"]) -> "Answers":
        return Answers(
            rows=np.concatenate([p.rows for p in parts]),
            scores={name: np.concatenate([p.scores[name] for p in parts]) for name in parts[0].scores},
            duration_s=np.concatenate([p.duration_s for p in parts]),
            level_db=np.concatenate([p.level_db for p in parts]),
            snr_db=np.concatenate([p.snr_db for p in parts]),
            broken_rows=np.concatenate([p.broken_rows for p in parts]),
            broken=tuple(reason for p in parts for reason in p.broken),
            cpu_s=sum(p.cpu_s for p in parts),
            evidence={name: np.concatenate([p.evidence[name] for p in parts]) for name in parts[0].evidence},
        )


class AnswerStore(KeptArrays):
    """A model's answers, kept for its weights and the clips' bytes."""

    def __init__(self, root: Path | None, bundle: Bundle, digests: Sequence[str]) -> None:
        """`digests` are the content hashes of the clips, in the manifest's order."""
        if root is not None:
            weights = [content_hash(bundle.folder / name) for name in (WEIGHTS, SPEC)]
            root = root / f"{bundle.version}-{settings_hash(_VERSION, weights, list(digests))}"
        super().__init__(root)

    def load(self, condition: Condition, start: int) -> Answers | None:
        fields = self.read(condition, start)
        if fields is None:
            return None
        nested: dict[str, dict[str, Any]] = {"scores": {}, "evidence": {}}
        for name in [name for name in fields if "." in name]:
            group, _, key = name.partition(".")
            nested[group][key] = fields.pop(name)
        fields["broken"] = tuple(str(reason) for reason in fields["broken"])
        return Answers(**{**fields, **nested, "cpu_s": float(fields["cpu_s"])})

    def save(self, condition: Condition, start: int, answers: Answers) -> None:
        fields = {name: value for name, value in vars(answers).items() if name not in ("scores", "evidence")}
        fields["broken"] = np.array(answers.broken, dtype=str)
        fields |= {f"scores.{name}": values for name, values in answers.scores.items()}
        fields |= {f"evidence.{name}": values for name, values in answers.evidence.items()}
        self.write(condition, start, fields)

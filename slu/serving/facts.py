"""What the log says of a sound without keeping any of it: how loud and long it is, and how it sounds.

A microphone that was moved, or a shop that got louder, shows here before it shows in the answers (`python -m
slu.monitor`). The worker has the sound and the HTTP process the log: the facts travel in a header of the answer, which
the guard takes out.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the process that speaks HTTP does without what the worker needs
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

HEADER = "x-slu-log"
NAMES = ("duration_s", "level_db", "noise_db", "snr_db", "crest_db", "clipped_share", "speech_s", "pace_hz",
         "rolloff_hz", "tilt_db", "pitch_hz", "frames", "mel_mean", "mel_std")  # fmt: skip
"""What a line may hold; slu.audio.shape says what most of them mean."""
_DIGITS = {"clipped_share": 5, "speech_s": 3, "rolloff_hz": 0}


def sound_facts(samples: "NDArray[np.float32]", rate: int) -> dict[str, float]:
    """A sound without a voice has no `pitch_hz`; one without a sample has its level alone."""
    from slu.audio.decode import rms_db
    from slu.audio.shape import shape

    facts = {"duration_s": round(len(samples) / rate, 3), "level_db": round(rms_db(samples), 2)}
    known = vars(shape(samples, rate)) if len(samples) else {}
    return facts | {name: round(value, _DIGITS.get(name, 2)) for name, value in known.items() if value is not None}


def feature_facts(features: "ArrayLike") -> dict[str, float]:
    """Of (frames, size); they are log-mel energies unless the task has another front end."""
    import numpy as np

    matrix = np.asarray(features, np.float64)
    return {
        "frames": len(matrix),
        "mel_mean": round(float(matrix.mean()), 3),
        "mel_std": round(float(matrix.std()), 3),
    }


def heard_facts(samples: "NDArray[np.float32]", rate: int, features: "ArrayLike") -> dict[str, float]:
    facts = sound_facts(samples, rate) | feature_facts(features)
    return {name: value for name, value in facts.items() if math.isfinite(value)}


def as_header(facts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """One entry per file of the request, empty for what could not be decoded."""
    return {HEADER: json.dumps(facts)}


def told(document: Mapping[str, Any], facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer with its facts, for the log."""
    if "results" in document:
        known = facts or [{}] * len(document["results"])
        return {**document, "results": [told(one, [own]) for one, own in zip(document["results"], known, strict=False)]}
    return {**document, **(facts[0] if facts else {})}

"""What the log says of a sound without keeping any of it: how loud, how long in frames, and what its features are like.

A microphone that was moved, or a shop that got louder, shows here before it shows in the answers. The worker has the
sound and the HTTP process the log: the facts travel in a header of the answer, which the guard takes out.
"""

import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the process that speaks HTTP does without what the worker needs
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

HEADER = "x-slu-log"
_LOG = logging.getLogger(__name__)


def sound_facts(samples: "NDArray[np.float32]", rate: int) -> dict[str, float]:
    from slu.audio.decode import rms_db

    return {"duration_s": round(len(samples) / rate, 3), "level_db": round(rms_db(samples), 2)}


def feature_facts(features: "ArrayLike") -> dict[str, float]:
    """Of (frames, size); they are log-mel energies unless the task has another front end."""
    import numpy as np

    matrix = np.asarray(features, np.float64)
    return {
        "frames": len(matrix),
        "mel_mean": round(float(matrix.mean()), 3),
        "mel_std": round(float(matrix.std()), 3),
    }


def heard_facts(predictor: Any, samples: "NDArray[np.float32]") -> dict[str, Any]:
    """`features_ms` is that of one look at the whole clip; the recogniser makes its features itself."""
    try:
        start = time.perf_counter()
        features = predictor.features(samples)
        spent = 1e3 * (time.perf_counter() - start)
        facts = sound_facts(samples, predictor.sample_rate) | feature_facts(features)
    except Exception:  # the recogniser will meet it, too, and say so to this client alone
        _LOG.debug("no facts on a clip of %d samples", len(samples), exc_info=True)
        return {}
    return {name: value for name, value in (facts | {"features_ms": round(spent, 2)}).items() if math.isfinite(value)}


def as_header(facts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """One entry per file of the request, empty for what could not be decoded."""
    return {HEADER: json.dumps(facts)}


def told(document: Mapping[str, Any], facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The answer with its facts, for the log: `features` takes its place among the timings."""
    if "results" in document:
        known = facts or [{}] * len(document["results"])
        return {**document, "results": [told(one, [own]) for one, own in zip(document["results"], known, strict=False)]}
    own = dict(facts[0]) if facts else {}
    spent = own.pop("features_ms", None)
    if spent is not None and "timings_ms" in document:
        own["timings_ms"] = {"features": spent, **document["timings_ms"]}
    return {**document, **own}

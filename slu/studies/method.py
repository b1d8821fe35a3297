"""How a learning curve was measured, and what its numbers do not say."""

import math
from collections.abc import Sequence

from slu.studies.curve import Curve
from slu.studies.fits import FitResult


def describe_method(curve: Curve, results: Sequence[FitResult], train_clips: int, max_epochs: int) -> list[str]:
    """Sentences for the reader; every fit sees `train_clips` per epoch, for at most `max_epochs`."""
    seeds = sorted({result.seed for result in results})
    read = sum(len(by_share) for by_share in curve.differences.values())
    whole = [sum(r.epochs >= max_epochs for r in results if r.model == model) for model in curve.models]
    used = ", ".join(f"{n} of {model}" for n, model in zip(whole, curve.models, strict=True))
    sizes = {result.model: f"{result.model} {result.parameters:,}" for result in results}
    minutes = sum(result.cpu_s for result in results) / 60
    notes = [
        f"{len(results)} fits: {', '.join(curve.models)}, {len(curve.shares)} shares of the training voices, "
        f"seeds {', '.join(map(str, seeds))}; {minutes:.0f} CPU minutes of training. "
        f"Parameters: {', '.join(sizes.values())}.",
        "Each seed draws an order of the training voices, and a share takes the first of them: the voices of a "
        "smaller share are among those of a larger one, and all models hear the same voices. Fewer voices are fewer "
        "different clips too, as they would be if fewer people were recorded.",
        f"Every fit sees {train_clips} clips per epoch: the clips of fewer voices are repeated, each time augmented "
        "anew. So the steps, the learning-rate schedule and the validations are equal, and what differs is the "
        "voices heard.",
        "The settings are the same for every model and share. All validation voices choose the best epoch and "
        "the early stop whatever the share; whoever records that little has less to validate on.",
        f"At most {max_epochs} epochs, which these many fits used up: {used}. A model that learns slowly may gain "
        "more from a longer training than one that learns fast.",
        f"Tested on {curve.test_clips} clips that no fit has heard. The answers of the seeds are averaged clip by "
        f"clip; the 95 % intervals are a bootstrap over {curve.resampled}.",
        "The intervals cover the choice of test speakers, not the draw of training voices nor of initial "
        "weights; the dots of the single seeds show how much those matter.",
    ]
    if read:
        notes.append(
            f"Differences are paired, clip by clip. {read} of them are read at 95 %: "
            f"about {max(1, math.ceil(read / 20))} may exclude zero by chance."
        )
    return notes

"""The whole of an adaptation: statistics, fine-tuning, self-training, and what came of it."""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from slu.adaptation.check import Change, answered, change, together, understood
from slu.adaptation.clips import Clips
from slu.adaptation.drawing import in_turn
from slu.adaptation.fine_tune import FineTuned, fine_tune
from slu.adaptation.replay import Replay
from slu.adaptation.self_training import self_labelled
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.adaptation.statistics import mix_statistics
from slu.bundles import Bundle
from slu.common.files import short_hash
from slu.models import Recogniser
from slu.training.feature_store import audio_digest

_NOT_LABELLED = "(not labelled)"
"""In a cell of a head that a manifest does not have: no class, so no label; an empty one may be a class."""


@dataclass(frozen=True)
class Adapted:
    network: Recogniser
    changes: tuple[Change, ...]
    facts: dict[str, Any]

    @property
    def worse(self) -> Change | None:
        """What speaks against registering it."""
        return next((row for row in self.changes if row.guards and row.is_worse), None)


@dataclass(frozen=True)
class Tuned:
    network: Recogniser
    fits: tuple[FineTuned, ...]
    believed: tuple[int, ...] = ()
    """Clips without labels that each round learnt from."""

    def facts(self, own: Clips | None, heard: Clips | None, replay: Clips) -> dict[str, Any]:
        """For metrics.json."""
        return {
            "labelled": 0 if own is None else len(own.files),
            "unlabelled_clips": 0 if heard is None else len(heard.files),
            "believed": list(self.believed),
            "replayed": len(replay.files),
            "steps": [fit.steps for fit in self.fits],
            "cpu_s": round(sum(fit.cpu_s for fit in self.fits), 1),
        }


def tuned(
    bundle: Bundle, own: Clips | None, heard: Clips | None, replay: Clips, settings: AdaptSettings, *, seed: int = 0
) -> Tuned:
    """The bundle's recogniser after clips with labels (`own`), without (`heard`), or both.

    The batch statistics move once, on all of them. Every round of self-training starts from there again with what the
    network of the round before hears, so that its mistakes are not learnt twice.
    """
    recipe, start = Recipe.of(bundle), deepcopy(bundle.recogniser)
    features = [f for clips in (own, heard) if clips is not None for f in clips.features()]
    mix_statistics(start, features, settings.prior_clips)
    network, fits, believed = start.eval(), [], []
    if own is not None:
        fits.append(fine_tune(start, own, replay, recipe, settings, seed=seed))
        network = fits[-1].network
    for number in range(settings.rounds if heard is not None else 0):
        assert heard is not None
        share = float(np.linspace(*settings.keep, settings.rounds)[number])
        sure = self_labelled(network, heard, share, settings.threshold)
        believed.append(len(sure))
        if not len(sure):
            break
        fits.append(fine_tune(start, _both(own, sure), replay, recipe, settings, seed=seed + number + 1))
        network = fits[-1].network
    return Tuned(network, tuple(fits), tuple(believed))


def adapt(bundle: Bundle, own: Clips | None, heard: Clips | None, replay: Replay, settings: AdaptSettings) -> Adapted:
    """And what it changed: on the frozen check, on held-out parts of `own` where they are many enough, on `heard`."""
    result = tuned(bundle, own, heard, replay.train, settings)
    frozen = replay.check.manifest()
    before, after = (answered(bundle, network, frozen) for network in (bundle.recogniser, result.network))
    changes = [change("frozen check (validation clips of the bundle's training)", before, after, guards=True)]
    if own is not None:
        clips = own.manifest()
        before, after = (answered(bundle, network, clips) for network in (bundle.recogniser, result.network))
        changes.append(change("your clips (trained on: no test)", before, after, guards=False))
        fresh = _fresh(bundle, own)
        if settings.folds and len(fresh) >= max(settings.min_clips, settings.folds):
            changes.insert(1, _held_out(bundle, own, fresh, heard, replay.train, settings))
    if heard is not None:
        clips = heard.manifest()
        before, after = (understood(bundle, network, clips) for network in (bundle.recogniser, result.network))
        changes.append(change("your clips without labels (understood, rightly or not)", before, after, guards=False))
    return Adapted(result.network, tuple(changes), result.facts(own, heard, replay.train))


def _fresh(bundle: Bundle, own: Clips) -> list[str]:
    """The files that the bundle was not trained on already, so that they can be held out."""
    known = set(map(short_hash, bundle.training.get("clips", ())))
    digests = own.table["feature_path"].map(lambda path: short_hash(audio_digest(path)))
    return list(dict.fromkeys(own.table["file_name"][~digests.isin(known)].astype(str)))


def _held_out(
    bundle: Bundle, own: Clips, fresh: list[str], heard: Clips | None, replay: Clips, settings: AdaptSettings
) -> Change:
    """Every fresh clip heard by a network that was adapted to the others."""
    files = own.of_files(set(fresh)).table.drop_duplicates("file_name").reset_index(drop=True)
    order = in_turn(files, own.spec.heads, np.random.default_rng(settings.seed))
    names = [str(files["file_name"].iloc[row]) for row in order]
    before, after = [], []
    for fold in range(settings.folds):
        held = set(names[fold :: settings.folds])
        network = tuned(
            bundle, own.of_files(set(own.files) - held), heard, replay, settings, seed=100 * (fold + 1)
        ).network
        clips = own.of_files(held).manifest()
        before.append(answered(bundle, bundle.recogniser, clips))
        after.append(answered(bundle, network, clips))
    name = f"your clips, held out ({settings.folds}-fold cross-validation)"
    return change(name, together(before), together(after), guards=True)


def _both(own: Clips | None, sure: Clips) -> Clips:
    if own is None:
        return sure
    missing = {name: _NOT_LABELLED for name in own.spec.head_names if name not in own.table.columns}
    table = pd.concat([own.table.assign(**missing), sure.table], ignore_index=True).fillna("")
    return replace(own, table=table)

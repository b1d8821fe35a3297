"""What a bundle was trained on, to be replayed and to be checked on: its own synthetic voices, or recordings.

Without replay a network forgets whatever the few new clips do not say. The validation clips train nothing: on them it
is seen whether the adapted network still understands what the bundle did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from slu.adaptation.clips import Clips
from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.common.stage import is_fresh
from slu.corpus.labels import label_ids
from slu.corpus.manifest import Manifest, read_manifest
from slu.corpus.menu import Menu
from slu.corpus.splits import SplitSettings, assign_splits
from slu.corpus.synthesis_plan import SynthesisSettings
from slu.corpus.synthesised import corpus_fingerprint, corpus_heads, ensure_synthesised, synthesis_settings
from slu.models import hears_frames
from slu.training.preprocessing import preprocess


@dataclass(frozen=True)
class ReplaySettings:
    """The `replay` group."""

    clips: Annotated[int, Field(ge=10)] = 1000
    """Training clips that are replayed, at most; a corpus that is not there any more is spoken again this small."""
    check_clips: Annotated[int, Field(ge=10)] = 400
    """Validation clips that are checked on, at most."""
    manifest: str | None = None
    """Recordings to replay instead, split as in training: for bundles that were not trained on a menu's voices."""


@dataclass(frozen=True)
class Replay:
    train: Clips
    check: Clips


def replayed(bundle: Bundle, settings: ReplaySettings, outputs: Path, workers: int, seed: int = 0) -> Replay:
    """Raises UserError where there is nothing to replay or to check on."""
    if settings.manifest is None:
        manifest = _own_voices(bundle, settings, outputs)
    else:
        path = Path(settings.manifest)
        read = read_manifest(path, bundle.spec.heads)
        manifest = Manifest(path, assign_splits(read.table, SplitSettings(test=0.0), str(path)))
    train = _chosen(manifest, bundle, "train", settings.clips, seed)
    check = _chosen(manifest, bundle, "val", settings.check_clips, seed)
    hop_s = bundle.front_end.hop_s
    # Clips of the bundle's own training were usable, but a long one of a table may not be.
    tables = [preprocess(part, bundle.spec, outputs, on_bad_audio="skip", workers=workers) for part in (train, check)]
    return Replay(*(Clips(manifest.path, t.table.reset_index(drop=True), bundle.spec, hop_s) for t in tables))


def _chosen(manifest: Manifest, bundle: Bundle, split: str, most: int, seed: int) -> Manifest:
    """Some of the rows of a split. Those without a label stay in training, where they teach doubt."""
    table = manifest.table[manifest.table["split"] == split]
    ids = label_ids(table, bundle.spec.heads)
    if split == "val":
        table = table[np.logical_or.reduce([values >= 0 for values in ids.values()])]
    if table.empty:
        raise UserError(f"{manifest.path}: the {split} split is empty, and an adaptation needs it; fill a split column")
    rows = np.sort(np.random.default_rng([seed, len(split)]).permutation(len(table))[:most])
    return Manifest(manifest.path, table.iloc[rows])


def _own_voices(bundle: Bundle, settings: ReplaySettings, outputs: Path) -> Manifest:
    config: Mapping[str, Any] = bundle.config
    parts = ("menu", "voices", "synthesis")
    cure = "name recordings like those that it was trained on with replay.manifest=path/metadata.csv"
    if not (config.get("data") or {}).get("synthetic_speech") or any(not config.get(part) for part in parts):
        raise UserError(
            f"the bundle {bundle.folder} was not trained on the voices of a menu, and nothing can be replayed; {cure}"
        )
    where = str(bundle.folder / "config.yaml")
    menu = Menu.parse(config["menu"], f"{where}: menu")
    synthesis = synthesis_settings(config["synthesis"], config["voices"])
    known = {head.name: head.classes for head in corpus_heads(menu, synthesis.voices)}
    if any(known.get(head.name) != head.classes for head in bundle.spec.heads):
        raise UserError(f"{where}: the menu in it is not that of the bundle's heads; {cure}")
    fingerprint = corpus_fingerprint(menu, synthesis)
    if not is_fresh(outputs / "corpus" / f"{menu.task}-{fingerprint[:8]}", fingerprint):
        synthesis = _smaller(synthesis, settings)
    path, is_new = ensure_synthesised(menu, synthesis, outputs, aligned=hears_frames(config["model"]))
    print(f"replay: {'spoken now' if is_new else 'up to date'}, {path}", flush=True)
    return read_manifest(path, bundle.spec.heads)


def _smaller(synthesis: SynthesisSettings, settings: ReplaySettings) -> SynthesisSettings:
    """As many clips as are used; beside them as large a share of other sounds as before."""
    most = {"train": settings.clips, "val": settings.check_clips, "test": 1}
    counts = {split: min(count, most.get(split, count)) for split, count in synthesis.counts.items()}

    def scaled(values: Mapping[str, int]) -> dict[str, int]:
        return {s: round(n * counts[s] / synthesis.counts[s]) if s in counts else n for s, n in values.items()}

    return replace(synthesis, counts=counts, other=scaled(synthesis.other), no_voice=scaled(synthesis.no_voice))

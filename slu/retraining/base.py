"""What the champion was trained and tested on: the ground that a challenger stands on, too."""

from pathlib import Path

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.manifest import Manifest
from slu.corpus.splits import SplitSettings, assign_splits
from slu.evaluation.clip_choice import choose_clips
from slu.evaluation.labels import read_labelled
from slu.evaluation.run import subset


def base_corpus(champion: Bundle) -> Manifest:
    """Every clip on the side where it stood in the champion's training; of a menu's voices, or recordings.

    Raises UserError where they are not there any more, or cannot be told apart.
    """
    path = champion.metrics.get("manifest")
    if path is None or not Path(path).is_file():
        raise UserError(
            f"the clips beside which {champion.version} was trained are not there any more; name others to test on: "
            "test=path/metadata.csv"
        )
    manifest, _ = read_labelled(Path(path), champion.spec.heads, "error")
    data = champion.config.get("data") or {}
    if data.get("manifest") is None:
        return manifest
    split = parse_settings(SplitSettings, data.get("split") or {}, "data.split")
    return Manifest(manifest.path, assign_splits(manifest.table, split, str(path)))


def frozen_test(champion: Bundle, test: str | None) -> Manifest:
    """The same clips for every generation: the test split of `test`, or of what the first champion was trained on."""
    if test is not None:
        return choose_clips(Path(test), champion.spec.heads, split="test", needs_column=False).clips
    base = base_corpus(champion)
    clips = subset(base, "split", "test") if "split" in base.table.columns else base
    if clips.table.empty:
        raise UserError(f"{base.path}: the test split is empty; name clips to test on: test=path/metadata.csv")
    return clips

"""What the champion was trained and tested on: the ground that a challenger stands on, too."""

from pathlib import Path

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.corpus.manifest import Manifest
from slu.evaluation.clip_choice import ChosenClips, choose_clips, trained_beside


def base_corpus(champion: Bundle) -> Manifest:
    """Every clip on the side where it stood in the champion's training; of a menu's voices, or recordings.

    Raises UserError where they are not there any more, or cannot be told apart.
    """
    return _chosen(champion).whole


def frozen_test(champion: Bundle, test: str | None) -> Manifest:
    """The same clips for every generation: the test split of `test`, or of what the first champion was trained on."""
    if test is not None:
        return choose_clips(Path(test), champion.spec.heads, split="test", needs_column=False).clips
    return _chosen(champion).clips


def _chosen(champion: Bundle) -> ChosenClips:
    path = champion.metrics.get("manifest")
    if path is None or not Path(path).is_file():
        raise UserError(
            f"the clips beside which {champion.version} was trained are not there any more; name others to test on: "
            "test=path/metadata.csv"
        )
    return trained_beside(Path(path), champion.spec.heads, champion.config.get("data") or {}, split="test")

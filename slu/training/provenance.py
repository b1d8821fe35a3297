"""What a recogniser was trained on, so that a later test on the same clips or people can be recognised."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from slu.common.files import short_hash
from slu.corpus.splits import describe_split, leaking_speakers, speaker_hash
from slu.training.feature_store import audio_digest


def training_record(table: pd.DataFrame, heads: Sequence[str] = ()) -> dict[str, Any]:
    """The content of a bundle's `training.json`, of a table of features.

    `clips` are shortened content hashes of the audio that trained, `speakers` hashes of the names of those with a label
    of one of the heads.
    """
    train = table[table["split"] == "train"]
    heads = [name for name in heads if name in train.columns]
    people = train[(train[heads] != "").any(axis=1)] if heads else train  # a clip without a label may hold no voice
    names = set(people["speaker"]) - {""} if "speaker" in train.columns else set()
    return {
        "clips": sorted({short_hash(audio_digest(path)) for path in train["feature_path"]}),
        "speakers": sorted(speaker_hash(str(name)) for name in names),
        "split": describe_split(table),
        "leaking_speakers": leaking_speakers(table),
    }

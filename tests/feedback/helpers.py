"""Stores with corrections of real sounds, and a registry that knows their labels."""

import datetime
import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slu.common.files import write_json
from slu.feedback import Answered, AudioFile, Correction, FeedbackStore, Row, default_url
from slu.feedback.audio import keep_audio
from slu.spec import Head, TaskSpec
from tests.conftest import RATE, tone
from tests.serving.helpers import audio

TASK = TaskSpec(
    task="drinks",
    heads=(Head("product", ("tea", "coffee", "milk")), Head("quantity", ("", "1", "2"))),
    front_end={"name": "logmel"},
    min_duration_s=0.2,
    max_duration_s=5.0,
)
HEADS = {head.name: list(head.classes) for head in TASK.heads}
NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


def said(**changes: Any) -> Answered:
    values: dict[str, Any] = {
        "labels": {"product": "tea", "quantity": "1"},
        "confidence": 0.4,
        "model_version": "20260101-000000-abcdef01",
        "confidences": {"product": 0.5, "quantity": 0.8},
        "duration_s": 0.6,
        "level_db": -20.0,
        "task": "drinks",
    }
    return Answered(**values | changes)


def voice(pitch: float = 300.0) -> bytes:
    """A FLAC of a tone between pauses: its level moves, as speech does."""
    pause = 0.001 * np.random.default_rng(int(pitch)).standard_normal(RATE // 4).astype(np.float32)
    return audio(np.concatenate([pause, tone(pitch, 0.4), pause]), "FLAC")


def make_store(outputs: Path, **options: Any) -> FeedbackStore:
    return FeedbackStore(default_url(outputs), outputs, **options)


def add(
    store: FeedbackStore, sound: bytes | AudioFile | None = None, answered: Answered | None = None, **facts: Any
) -> Row:
    """`facts` are `client`, `now`, `comment`, and labels."""
    name = uuid.uuid4().hex
    options = {key: facts.pop(key) for key in ("client", "now") if key in facts}
    comment = facts.pop("comment", "")
    kept = keep_audio(sound, store.outputs) if isinstance(sound, bytes) else sound
    correction = Correction(request_id=name, labels=facts or {"product": "milk"}, comment=comment)
    store.add(correction, answered or said(), kept, **options)
    return next(row for row in store.rows() if row.request_id == name)


def flags(store: FeedbackStore) -> list[tuple[str, ...]]:
    return [row.flags for row in store.rows()]


def register(outputs: Path, version: str = "20260101-000000-abcdef01", clips: tuple[str, ...] = ()) -> Path:
    """What the commands read of a bundle, and `latest`."""
    folder = outputs / "registry" / "drinks" / version
    write_json(folder / "spec.json", TASK.to_json())
    write_json(folder / "training.json", {"clips": list(clips)})
    latest = folder.parent / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(folder.name)
    return folder


class Command:
    """`python -m slu.feedback` in this process."""

    def __init__(self, outputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.outputs, self.monkeypatch, self.capsys = outputs, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and both streams as one text."""
        from slu.feedback.__main__ import main

        self.monkeypatch.setattr(sys, "argv", ["slu.feedback", *arguments, f"outputs={self.outputs}"])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        streams = self.capsys.readouterr()
        return code, streams.out + streams.err

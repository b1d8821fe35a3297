"""The command, in outputs of its own."""

from pathlib import Path

import pytest

from tests.feedback.helpers import Command


@pytest.fixture
def feedback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)

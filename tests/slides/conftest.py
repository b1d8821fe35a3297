"""One evaluated run with all that a deck can tell of."""

from pathlib import Path

import pytest

from tests.slides.helpers import evaluate_tones, write_exploration, write_study


@pytest.fixture(scope="session")
def run(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    run = evaluate_tones(tones, home, leak=True, synthetic=True)
    write_study(home / "study")
    write_exploration(home / "outputs" / "runs" / "eda" / "2026-01-01", tones)
    write_exploration(home / "outputs" / "runs" / "eda" / "2026-01-02", tones, clips_of_first=7)
    return run

"""Which evaluation to tell about; without torch, so that there being none is said at once."""

from pathlib import Path

from slu.common.errors import UserError

METRICS = "metrics.json"


def newest_run(outputs: Path) -> Path:
    """Raises UserError when nothing was evaluated yet."""
    home = outputs / "runs" / "evaluate"
    runs = sorted(home.glob(f"*/{METRICS}"))
    if not runs:
        raise UserError(f"there is no evaluation in {home}; run `python -m slu.evaluate`, or name one with run=FOLDER")
    return runs[-1].parent

"""Which evaluation to tell about; without torch, so that there being none is said at once."""

from pathlib import Path

from slu.common.errors import UserError

METRICS = "metrics.json"
COMPARISON = "comparison.json"


def newest_run(outputs: Path) -> Path:
    """Of one bundle. Raises UserError when there is none yet."""
    home = outputs / "runs" / "evaluate"
    runs = sorted(home.glob(f"*/{METRICS}"))
    if not runs and (compared := sorted(home.glob(f"*/{COMPARISON}"))):
        folder = compared[-1].parent
        raise UserError(f"{folder} compares several bundles; name one of them with {compared_bundles(folder)}")
    if not runs:
        raise UserError(f"there is no evaluation in {home}; run `python -m slu.evaluate`, or name one with run=FOLDER")
    return runs[-1].parent


def newer_comparison(run: Path) -> Path | None:
    """The newest comparison beside that run, if it was made after it."""
    newer = [path.parent for path in run.parent.glob(f"*/{COMPARISON}") if path.parent.name > run.name]
    return max(newer, default=None, key=lambda folder: folder.name)


def compared_bundles(folder: Path) -> str:
    """The settings that name one of them each."""
    found = [f"run={path.parent}" for path in sorted(folder.glob(f"*/{METRICS}"))]
    return " or ".join(found) if found else "run=FOLDER"

"""What a run ends on: where everything lies, and what speaks against it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from slu.bundles.store import Registered
from slu.common.wording import against_reference
from slu.evaluation.tables import facts_table
from slu.training.fit import Fitted


def run_facts(
    fitted: Fitted,
    registered: Registered,
    run: Path,
    clean: Mapping[str, Any] | None = None,
    decisions: Sequence[str] = (),
    published: Sequence[tuple[str, str]] = (),
) -> Table:
    """`clean` are the metrics of the clean test clips, `decisions` sentences on what validation chose.

    `published` says where else the bundle is.
    """
    beside = (clean or {}).get("reference")
    return facts_table(
        [
            *([] if beside is None else [("" if beside["better"] else "warning", against_reference(beside))]),
            *(("decision", sentence) for sentence in decisions),
            ("parameters", f"{fitted.parameters:,}"),
            ("training", f"{fitted.epochs} epochs, {fitted.cpu_s:.0f} CPU seconds"),
            ("run", f"{run}  (tensorboard --logdir {run.parent})" if (run / "tensorboard").is_dir() else str(run)),
            ("bundle", str(registered.folder)),
            *registered.facts(),
            *published,
            ("report", f"python -m slu.evaluate bundle={registered.folder}"),
        ]
    )

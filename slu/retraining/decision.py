"""What a retraining has decided, and why: a page for people, and the same for programs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slu.common.files import write_json
from slu.documents.page import Bullets, Card, Cards, Page, Section, Table, Text, write_page
from slu.retraining.corrections import DECISION
from slu.retraining.gate import Check, refusals, to_json

PAGE = "decision.html"


def write_decision(
    work: Path, facts: Mapping[str, Any], checks: Sequence[Check], corrections: Sequence[int], settings: str
) -> None:
    """`decision.html`, and then `decision.json`, whose presence says that it is final; `settings` are those that it was
    made under, hashed."""
    against = refusals(checks)
    verdict = "promoted" if not against else "refused"
    sections = [
        Section(
            "Decision",
            [
                Cards([Card(verdict, f"champion {facts['champion']}", tone="good" if not against else "warning")]),
                Text(_verdict(against)),
                *([Bullets(against)] if against else []),
            ],
        ),
        Section("Every check", [_table(checks)]),
        Section("What it learnt from", [Bullets([f"{key}: {value}" for key, value in facts.items()])]),
    ]
    write_page(work / PAGE, Page(f"Retraining: {verdict}", str(facts["task"]), sections))
    write_json(
        work / DECISION,
        {
            **facts,
            "settings": settings,
            "passed": not against,
            "refusals": against,
            "checks": to_json(checks),
            "corrections": list(corrections),
        },
    )


def _verdict(against: Sequence[str]) -> str:
    if not against:
        return "Every check holds: the challenger answers from now on, and `slu.registry rollback` takes it back."
    return (
        "The champion goes on answering. Corrections that contradict each other or the sound are the usual reason: "
        "look at them (`python -m slu.feedback list`), reject what is wrong, and retrain."
    )


def _table(checks: Sequence[Check]) -> Table:
    rows = [
        [c.name, "holds" if c.passed else "fails", _figure(c.champion), _figure(c.challenger), c.reason] for c in checks
    ]
    return Table(
        ["check", "", "champion", "challenger", "what was asked, and what came of it"], rows, text_columns=(0, 1, 4)
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"

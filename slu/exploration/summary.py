"""What the terminal shows of an exploration: a line for the data, the warnings, what to do, and where the rest is."""

from collections.abc import Sequence
from pathlib import Path

from slu.exploration.findings import Findings
from slu.exploration.wording import Decision, counted


def summary(
    findings: Findings, warnings: Sequence[str], decisions: Sequence[Decision], commands: Sequence[str], folder: Path
) -> str:
    dataset = findings.dataset
    facts = [counted(findings.clips, "clip")]
    facts.append(f"{findings.minutes:.1f} minutes" if len(findings.heard) else "no audio")
    facts.append(counted(len(dataset.speakers), "speaker") if dataset.speakers else "speakers unknown")
    facts += [counted(head.occurring, f"class of {head.name}", f"classes of {head.name}") for head in findings.heads]
    lines = [f"{dataset.name}: {', '.join(facts)}"]
    lines += [f"note: {note}" for note in dataset.notes]
    lines += [f"warning: {warning}" for warning in warnings]
    lines.append("what to do:")
    for decision in decisions:
        settings = f" [{' '.join(decision.settings)}]" if decision.settings else ""
        lines.append(f"  {decision.topic}: {decision.what}{settings}")
    lines.append(f"report: {folder / 'report.html'} (beside it eda.json, set_aside.csv, near_duplicates.csv)")
    lines += [f"{'then' if number else 'next'}: {command}" for number, command in enumerate(commands)]
    return "\n".join(lines)

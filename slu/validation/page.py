"""The validation as a page: how many files are in order, what is wrong with the others, and what to do about it."""

from slu.common.files import from_here
from slu.documents.page import Card, Cards, Page, Part, Section, Table, Text
from slu.exploration.wording import counted
from slu.validation.findings import KINDS
from slu.validation.record import by_kind, where
from slu.validation.settings import Limits
from slu.validation.validate import Validation

_SHOWN = 200
"""Files with findings before the rest is folded away."""


def validation_page(validation: Validation, limits: Limits) -> Page:
    counts = validation.counts
    cards = Cards(
        [
            Card(str(counts["ok"]), "in order", tone="good"),
            Card(str(counts["warning"]), "with warnings", tone="warning" if counts["warning"] else "plain"),
            Card(str(counts["error"]), "with errors", tone="warning" if counts["error"] else "plain"),
            *([Card(about, "of the table itself", tone="warning")] if (about := validation.about_tables) else []),
        ]
    )
    sections = [Section("Verdict", [cards, *(Text(note, "warning") for note in validation.notes)])]
    if validation.findings:
        sections += [Section("What to do", [_kinds(validation)]), Section("Files", [_files(validation)])]
    sections.append(Section("Limits", [_limits(limits)]))
    names = ", ".join(str(from_here(path.absolute())) for path in validation.tables) or "recordings without a table"
    verdict = {"ok": "everything is in order", "warning": "there are warnings", "error": "there are errors"}
    return Page(
        f"Validation: {verdict[validation.verdict]}",
        f"{counted(sum(counts.values()), 'file')} of {names}",
        sections,
        footer="verdicts.json and verdicts.csv lie beside this page.",
    )


def _kinds(validation: Validation) -> Part:
    rows = [
        [
            kind,
            KINDS[kind].severity,
            str(len(findings)),
            f"{where(findings[0])}: {findings[0].detail}",
            findings[0].cure,
        ]
        for kind, findings in by_kind(validation)
    ]
    return Table(["what", "verdict", "times", "the first", "cure"], rows, text_columns=(0, 1, 3, 4))


def _files(validation: Validation) -> Part:
    rows = [
        [where(finding), finding.severity, finding.kind, finding.detail, finding.cure]
        for file in validation.files
        for finding in file.findings
    ]
    return Table(["where", "verdict", "what", "detail", "cure"], rows, text_columns=(0, 1, 2, 3, 4), fold_after=_SHOWN)


def _limits(limits: Limits) -> Part:
    rows = [
        ["shortest and longest", f"{limits.min_duration_s:g} to {limits.max_duration_s:g} s"],
        ["lowest sample rate", f"{limits.sample_rate} Hz"],
        ["silent, quiet", f"RMS below {limits.silent_db:g} dB, below {limits.quiet_db:g} dB (full scale)"],
        ["mostly silence", f"more than {limits.silent_share:.0%} of the frames 40 dB below the loudest"],
        ["clipped", f"more than {limits.clipped_share:.1%} of the samples cut off flat"],
        ["one recording", f"waveforms that correlate by {limits.same_recording:g} or more"],
    ]
    return Table(["limit", "value"], rows, text_columns=(0, 1))

"""The report on a log as a page."""

from collections.abc import Mapping, Sequence

from slu.documents.page import Bullets, Card, Cards, Page, Part, Picture, Section, Side, Table, Text
from slu.monitoring.alerts import Alert
from slu.monitoring.facts import FACTS
from slu.monitoring.figures import (
    classes_figure,
    distribution_figure,
    fact_figure,
    fact_named,
    latency_figure,
    requests_figure,
    understood_figure,
)
from slu.monitoring.findings import Findings, Seen
from slu.monitoring.sketch import UNDERSTOOD
from slu.monitoring.tables import (
    ACCURACY_COLUMNS,
    CHANGE_COLUMNS,
    WINDOW_COLUMNS,
    accuracy_rows,
    change_rows,
    compared_sentence,
    read_sentence,
    window_row,
)

_SHOWN = ("level_db", "noise_db", "pace_hz", "pitch_hz", "rolloff_hz", "confidence")
"""Facts that are drawn whether they drifted or not."""
_MOST_DRIFTED = 8


def monitor_page(findings: Findings, alerts: Sequence[Alert]) -> Page:
    """`findings` has at least one window."""
    newest = next(reversed(findings.newest_compared), findings.seen[-1])
    sections = [
        Section("In short", _in_short(findings, alerts)),
        Section("What has changed", _changes(findings, newest)),
        Section("Over time", _over_time(findings)),
        Section("What was answered", _answers(findings, newest)),
        Section("Corrections", _corrections(findings)),
    ]
    title = f"{findings.version or 'No recogniser'} at work"
    return Page(title, read_sentence(findings), sections, [alert.sentence for alert in alerts])


def _in_short(findings: Findings, alerts: Sequence[Alert]) -> list[Part]:
    total = findings.total
    slow = total.latency(0.95)
    cards = [
        Card(f"{len(alerts)}", "alerts", "", "warning" if alerts else "good"),
        Card(f"{total.window.requests:,}", "requests", f"{total.window.failed:,} failed"),
        Card("-" if slow is None else f"{slow:.0f} ms", "for 95 % of them"),
        Card("-" if total.understood is None else f"{total.understood:.0%}", "of the clips understood"),
    ]
    told = [f"{alert.window or 'all'}: {alert.sentence} Look at: {alert.look}." for alert in alerts]
    return [Cards(cards), Bullets(told) if told else Text("Nothing to be told about the newest windows.", "good")]


def _changes(findings: Findings, newest: Seen) -> list[Part]:
    parts: list[Part] = [Text(compared_sentence(findings), "plain" if findings.reference else "warning")]
    if not newest.changes or findings.reference is None:
        return parts
    caption = f"The window from {newest.window.start or 'the beginning'}"
    parts.append(Table(CHANGE_COLUMNS, change_rows(newest.changes), caption, text_columns=(0, 1, 2, 7)))
    parts.append(Bullets([change.sentence for change in newest.drifted] or ["Nothing in it has drifted."]))
    pictures: list[Part] = []
    for change in newest.drifted[:_MOST_DRIFTED]:
        if (fact := fact_named(change.name)) is not None:
            figure = distribution_figure(fact, newest.sketch.of(fact.name), findings.reference.sketch.of(fact.name))
            pictures.append(Picture(figure, f"{fact.title}: the window beside the reference"))
    return parts + _in_pairs(pictures)


def _over_time(findings: Findings) -> list[Part]:
    seen, reference = findings.seen, findings.reference
    parts: list[Part] = [Table(WINDOW_COLUMNS, [window_row(one) for one in seen], text_columns=(0, 9), fold_after=40)]
    if len(seen) < 2:
        return parts
    pictures: list[Part] = [
        Picture(requests_figure(seen), "requests per window"),
        Picture(latency_figure(seen, findings.settings.alerts.latency_ms), "latency per window"),
        Picture(understood_figure(seen, reference), "share understood per window"),
    ]
    drifted = {change.name for one in seen for change in one.drifted}
    for fact in FACTS:
        if (fact.name in _SHOWN or fact.name in drifted) and any(fact.name in one.medians for one in seen):
            pictures.append(Picture(fact_figure(fact, seen, reference), f"{fact.title} per window"))
    caption = Text("Dots are medians; grey is the middle half of what it is compared with; red has drifted.", "small")
    return [*parts, *_in_pairs(pictures), caption]


def _answers(findings: Findings, newest: Seen) -> list[Part]:
    known = findings.reference.sketch if findings.reference else None
    reasons = classes_figure("Answers, and reasons against them", newest.sketch.reasons, known.reasons if known else {})
    pictures: list[Part] = [Picture(reasons, "reasons")] if newest.sketch.clips else []
    for head, labels in newest.sketch.labels.items():
        before: Mapping[str, int] = known.labels.get(head, {}) if known else {}
        pictures.append(Picture(classes_figure(head, labels, before), f"classes of {head}"))
    given = newest.sketch.reasons[UNDERSTOOD]
    text = f"{given:,} of {newest.sketch.clips:,} clips of the newest window with enough of them were understood."
    return [Text(text), *_in_pairs(pictures)]


def _corrections(findings: Findings) -> list[Part]:
    if findings.reviewed is None:
        return [Text("No corrections were read: there is no database, or feedback=none.")]
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(findings.reviewed.states.items()))
    parts: list[Part] = [Text(f"Corrections of this version: {states or 'none'}.")]
    if rows := accuracy_rows(findings):
        parts.append(Table(ACCURACY_COLUMNS, rows))
        parts.append(Text("People correct what is wrong more readily than they confirm what is right: of all answers, "
                          "rather more are right than here.", "small"))  # fmt: skip
    else:
        parts.append(Text("None has been reviewed yet, so nothing is said about accuracy."))
    return parts


def _in_pairs(parts: Sequence[Part]) -> list[Part]:
    return [Side(parts[i : i + 2]) for i in range(0, len(parts), 2)]

"""The exploration as a page: warnings, what to do, then what the data are."""

from collections.abc import Sequence

from slu.documents.page import Bullets, Card, Cards, Code, Page, Part, Players, Section, Side, Step, Steps, Table, Text
from slu.exploration.command_line import wrapped
from slu.exploration.findings import Findings
from slu.exploration.label_parts import label_parts, speaker_parts
from slu.exploration.labels import HeadFacts
from slu.exploration.listen import players
from slu.exploration.record import formats
from slu.exploration.sound_parts import copies_parts, set_aside_parts, sound_parts
from slu.exploration.wording import Decision, counted

_SHOWN = 10
_HEAD_CARDS = 4


def exploration_page(
    findings: Findings, warnings: Sequence[str], decisions: Sequence[Decision], commands: Sequence[str]
) -> Page:
    """`commands` end in the training that follows; none when these data cannot train yet."""
    known, heard = bool(findings.dataset.speakers), len(findings.heard) > 0
    clips = players(findings)
    sections = [
        Section("What to do", _decisions(decisions, commands)),
        Section("What it is", _overview(findings)),
        Section("Labels", label_parts(findings)),
        *([Section("Speakers and split", speaker_parts(findings))] if known else []),
        *([Section("Sound", sound_parts(findings)), Section("Copies", copies_parts(findings))] if heard else []),
        *([Section("Set aside", set_aside_parts(findings))] if heard and findings.set_aside else []),
        *([Section("Worth hearing", [Players(clips)])] if clips else []),
    ]
    return Page(
        title=f"{findings.dataset.name}: what is in the data?",
        subtitle=_subtitle(findings),
        sections=sections,
        warnings=warnings,
        footer="Measured at each file's own sample rate. eda.json, set_aside.csv and near_duplicates.csv lie beside "
        "this page.",
    )


def _subtitle(findings: Findings) -> str:
    origin = findings.dataset.split_origin
    return f"{counted(findings.clips, 'clip')}; {f'the split is {origin}' if origin else 'there is no split'}"


def _decisions(decisions: Sequence[Decision], commands: Sequence[str]) -> list[Part]:
    steps = [Step(decision.topic, decision.what, decision.why, " ".join(decision.settings)) for decision in decisions]
    parts: list[Part] = [Steps(steps)]
    if commands:
        caption = "The command that carries this out:" if len(commands) == 1 else "The commands that carry this out:"
        parts.append(Code("\n".join(wrapped(command) for command in commands), caption))
    else:
        parts.append(Text("Nothing can be trained on these data yet: see the warnings above.", "warning"))
    return parts


def _overview(findings: Findings) -> list[Part]:
    dataset = findings.dataset
    heard = len(findings.heard) > 0
    lost = findings.missing + findings.unreadable
    known = len(dataset.speakers)
    cards = [
        Card(f"{findings.clips:,}", "clips", f"{lost} without audio" if lost else "", "warning" if lost else "plain"),
        Card(_minutes(findings.minutes), "minutes of audio") if heard else Card("no", "audio", tone="warning"),
        Card(str(known), "speaker" if known == 1 else "speakers", tone="warning" if known == 1 else "plain")
        if known
        else Card("?", "speakers", "no column says who", "warning"),
        *(
            Card(str(head.occurring), f"{'class' if head.occurring == 1 else 'classes'} of {head.name}", _balance(head))
            for head in findings.heads[:_HEAD_CARDS]
        ),
    ]
    if heard:
        aside = len(findings.set_aside)
        name = "clip to set aside" if aside == 1 else "clips to set aside"
        cards.append(Card(str(aside), name, tone="warning" if aside else "good"))
    parts: list[Part] = [Cards(cards)]
    if dataset.notes:
        parts.append(Bullets(dataset.notes))
    if len(findings.heads) > _HEAD_CARDS:
        rows = [[head.name, str(len(head.classes)), _balance(head)] for head in findings.heads]
        parts.append(Table(["head", "classes", "balance"], rows, text_columns=(0, 2)))
    tables: list[Part] = []
    if heard:
        rows = [[str(name), str(count)] for name, count in formats(findings).items()]
        tables.append(Table(["files", "clips"], rows, fold_after=_SHOWN))
    for name, table in findings.others.items():
        rows = [[str(value) or "(empty)", *(str(count) for count in row)] for value, *row in table.itertuples()]
        tables.append(Table([name, *table.columns], rows, fold_after=_SHOWN))
    return [*parts, Side(tables)] if tables else parts


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.1f}"


def _balance(head: HeadFacts) -> str:
    return "" if head.imbalance is None else f"commonest {head.imbalance:.1f} x the rarest"

"""What makes any result on these data less than it seems: the first lines of the page, of the terminal, of eda.json."""

from slu.exploration.dataset import Dataset
from slu.exploration.findings import Findings
from slu.exploration.set_aside import conflicts
from slu.exploration.wording import counted, listed


def warn(findings: Findings) -> list[str]:
    """One sentence or two each, the gravest first."""
    return [*_audio(findings), *_leaks(findings), *_copies(findings), *_labels(findings)]


def _audio(findings: Findings) -> list[str]:
    found = []
    if findings.missing:
        all_of_it = findings.missing == findings.clips
        cure = f"; name its folder with {findings.dataset.audio_cure}" if findings.dataset.audio_cure else ""
        found.append(
            f"The audio of {'all ' if all_of_it else ''}{counted(findings.missing, 'clip')} "
            f"{'is' if all_of_it else f'of {findings.clips} is'} missing, so this page says nothing of their sound, "
            f"durations and copies{cure}."
        )
    if findings.unreadable:
        first = findings.measured.index[findings.measured["unreadable"] != ""][0]
        where, reason = findings.dataset.table["where"].iloc[first], findings.measured["unreadable"].iloc[first]
        found.append(
            f"{counted(findings.unreadable, 'clip')} cannot be read, the first is {where}: {reason}. "
            "All are in set_aside.csv."
        )
    return found


def _leaks(findings: Findings) -> list[str]:
    dataset = findings.dataset
    found = []
    for leak in findings.leaks:
        who = "new people" if leak.column == "speaker" else f"a new {leak.column}"
        found.append(
            f"Leak: {leak.sentence()}. A test on this split says nothing about {who}: keep each {leak.column} on one "
            "side, as under What to do."
        )
    if not dataset.speakers:
        found.append(
            "Nothing says who speaks: whether the same people stand on both sides of a split cannot be told. Add a "
            "column speaker."
        )
    elif len(dataset.speakers) == 1:
        found.append("There is one speaker: results hold for this voice.")
    found += _gaps(dataset) + _spellings(dataset)
    if dataset.split_problem:
        found.append(dataset.split_problem)
    if dataset.sides and "train" not in dataset.sides:
        only = f"Every row is {dataset.sides[0]}" if len(dataset.sides) == 1 else "No row is train"
        found.append(f"{only}: on this split there is nothing to train on.")
    return found


def _gaps(dataset: Dataset) -> list[str]:
    gaps = int((dataset.people["speaker"] == "").sum())
    if not dataset.speakers or not gaps:
        return []
    return [
        f"{gaps} of {len(dataset.people)} clips {'has' if gaps == 1 else 'have'} no speaker: leaks cannot be seen for "
        "those, and a split by speaker needs every speaker. Fill the speaker column."
    ]


def _spellings(dataset: Dataset) -> list[str]:
    names: dict[str, list[str]] = {}
    for speaker in dataset.speakers:
        names.setdefault(speaker.casefold(), []).append(speaker)
    alike = [" and ".join(repr(name) for name in same) for same in names.values() if len(same) > 1]
    if not alike:
        return []
    return [f"Speakers that differ only in case: {listed(alike)}. If they are one person, a leak goes unseen."]


def _copies(findings: Findings) -> list[str]:
    found = []
    table = findings.dataset.table
    if findings.pairs_across:
        first = findings.pairs_across[0]
        example = " and ".join(f"{table['where'].iloc[row]}" for row in (first.first, first.second))
        found.append(
            f"Leak: {counted(len(findings.pairs_across), 'recording stands', 'recordings stand')} on both sides of "
            f"the split, the first is {example}. near_duplicates.csv lists them."
        )
    clashing = [pair for pair in findings.pairs if conflicts(findings.dataset, (pair.first, pair.second))]
    if clashing:
        first = clashing[0]
        head, labels = next(iter(conflicts(findings.dataset, (first.first, first.second)).items()))
        found.append(
            f"{counted(len(clashing), 'pair')} of copies have different labels, the first is {head} "
            + " but ".join(f"'{label}' ({table['where'].iloc[row]})" for label, row in labels.items())
            + "."
        )
    conflicting = table["problem"].str.startswith("conflicting labels")
    if conflicting.any():
        first_row = table[conflicting].iloc[0]
        found.append(
            f"{counted(int(conflicting.sum()), 'clip')} have conflicting labels in the tables, the first is "
            f"{first_row['where']}: {first_row['problem'].partition(': ')[2]}."
        )
    return found


def _labels(findings: Findings) -> list[str]:
    found = []
    for head in findings.heads:
        present = head.occurring
        if present == 0:
            found.append(f"No clip has a label for {head.name}: there is nothing to learn for it.")
        elif present == 1:
            found.append(f"Every label of {head.name} is '{head.classes[0]}': there is nothing to tell apart.")
        elif present > 20 and present > findings.clips / 3:
            found.append(f"{head.name} has {present} classes for {findings.clips} clips: that is hardly a label.")
        for side in findings.dataset.sides:
            if present > 1 and (absent := head.absent(side)):
                found.append(
                    f"{head.name}: {listed([repr(label) for label in absent])} "
                    f"{'has' if len(absent) == 1 else 'have'} no clip in {side}."
                )
    return found

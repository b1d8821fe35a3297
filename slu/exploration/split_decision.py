"""How to split: as the data come, by speaker, or each speaker in turn."""

from slu.corpus.manifest import SPLITS
from slu.exploration.findings import Findings
from slu.exploration.wording import Decision, counted, listed

_CROSS_VALIDATION = "cross_validation=leave_one_speaker_out"
_RANDOM = "data.split.method=random"
_BY_SPEAKER = "data.split.method=speaker"


def decide_split(findings: Findings) -> Decision | None:
    dataset = findings.dataset
    if dataset.spoken:
        return Decision("Split", "Use it as it is.", "The synthesiser gives each split voices of its own.")
    if findings.clips == 1:
        return Decision("Split", "Record more.", "There is one clip.")
    if dataset.speakers and (dataset.people["speaker"] == "").any():
        return _some_speakers(findings)
    if not dataset.speakers:
        return _unknown_speakers(findings)
    return _known_speakers(findings)


def can_split(findings: Findings) -> bool:
    """Without all speakers by name, training only takes a split that stands in a column or is drawn at random."""
    dataset = findings.dataset
    if dataset.spoken or not dataset.speakers or not (dataset.people["speaker"] == "").any():
        return True
    return dataset.split_origin.startswith("drawn at random") or _column_serves(findings)


def _column_serves(findings: Findings) -> bool:
    dataset = findings.dataset
    given = dataset.split_origin.startswith("the ") and not dataset.split_problem
    return given and {"train", "test"} <= set(dataset.sides)


def _without_val(findings: Findings) -> tuple[str, ...]:
    return () if "val" in findings.dataset.sides else ("data.split.val=0",)


def _some_speakers(findings: Findings) -> Decision:
    people = findings.dataset.people
    gaps = int((people["speaker"] == "").sum())
    why = f"{gaps} of {len(people)} clips have no speaker: nobody can keep them apart."
    if _column_serves(findings):
        what = "Fill the speaker column. Until then use the split as it is, and believe its test less."
        return Decision("Split", what, why, _without_val(findings))
    return Decision("Split", "Fill the speaker column.", why)


def _unknown_speakers(findings: Findings) -> Decision:
    what = "Add a speaker column."
    why = "There is none, so a test may be passed by knowing the voices."
    if groups := [name for name in findings.settings.group_columns if name in findings.dataset.table.columns]:
        why = f"{why} Where {listed(groups)} stands for the speaker, name that column so."
    if _column_serves(findings):
        what = f"{what} Until then use the split as it is, and believe its test less."
        return Decision("Split", what, why, _without_val(findings))
    what = f"{what} Until then split at random, and do not take the test for one with new people."
    return Decision("Split", what, why, (_RANDOM,))


def _known_speakers(findings: Findings) -> Decision:
    dataset = findings.dataset
    speakers = len(dataset.speakers)
    leaks = next((shared for shared in findings.leaks if shared.column == "speaker"), None)
    why = [f"{counted(speakers, 'speaker')}."]
    if leaks:
        why.append(f"{leaks.sentence()}: a test on it says nothing about new people.")
    if speakers == 1:
        what = "Split at random, and expect the result to hold for this one voice only; record other people."
        return Decision("Split", what, " ".join(why), (_RANDOM,))
    if speakers < findings.settings.limits.few_speakers:
        return _each_in_turn(findings, why)
    lacking = [side for side in ("train", "test") if side not in dataset.sides]
    given = dataset.split_origin.startswith("the ")
    if _column_serves(findings) and not leaks:
        if "val" in dataset.sides:
            return Decision("Split", "Use it as it is.", f"{why[0]} None of them stands on two sides.")
        what = "Use it as it is, without validation: training then keeps its last epoch."
        return Decision(
            "Split", what, f"{why[0]} None of them stands on two sides; there is no val.", ("data.split.val=0",)
        )
    if given and lacking:
        why.append(f"The split has no {' and no '.join(lacking)}.")
    if not given:
        why.append("The table has no split of its own, or it is not used.")
    return Decision("Split", "Split by speaker: whole people train, validate or test.", " ".join(why), (_BY_SPEAKER,))


def _each_in_turn(findings: Findings, why: list[str]) -> Decision:
    dataset = findings.dataset
    limit = findings.settings.limits.few_speakers
    why.append(f"With fewer than {limit}, one test person more or less would decide the result.")
    only = _said_by_one(findings)
    if only:
        why.append(
            f"But {listed(only)} would have no training example when its only speaker is held out: record others."
        )
    what = "Hold out each speaker in turn, and look at the mean and at the worst."
    settings = [_CROSS_VALIDATION]
    unfilled = bool(dataset.split_problem) and dataset.split_origin.startswith("the ")
    if unfilled or (not set(dataset.sides) >= set(SPLITS) and len(dataset.speakers) < len(SPLITS)):
        settings.append(_RANDOM)  # training draws a split before the folds replace it
    return Decision("Split", what, " ".join(why), tuple(settings))


def _said_by_one(findings: Findings) -> list[str]:
    return [
        f"{head.name} '{label}'"
        for head in findings.heads
        for label, speakers, clips in zip(head.classes, head.table["speakers"], head.table["clips"], strict=True)
        if speakers == 1 and clips
    ]

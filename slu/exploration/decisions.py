"""What to do about it: each decision with its figures, its reason, and the setting that carries it out."""

from collections.abc import Sequence

import numpy as np

from slu.exploration.findings import Findings
from slu.exploration.set_aside import empty_cells_are_common, without_label
from slu.exploration.split_decision import decide_split
from slu.exploration.wording import Decision, counted, listed

_SINGLE_WORD_S = 0.8
_TRAINING_RATE = 16_000
_CLEAN_DB = 30.0
"""Estimated SNR beyond which a shop is noisier than the recordings."""
_SOME = 0.02


def decide(findings: Findings) -> list[Decision]:
    """In the order in which one would act on them."""
    makers = (_audio, decide_split, _groups, _set_aside, _durations, _weights, _more_recordings, _empty_cells)
    decisions = [*(maker(findings) for maker in makers), *_sound(findings)]
    return [decision for decision in decisions if decision is not None]


def settings_of(decisions: Sequence[Decision]) -> list[str]:
    """The settings of all decisions, as they stand on the command line of training."""
    return [setting for decision in decisions for setting in decision.settings]


def _audio(findings: Findings) -> Decision | None:
    if not findings.missing:
        return None
    cure = findings.dataset.audio_cure
    what = f"Name the folder that holds it: {cure}." if cure else "Put it where the table says."
    return Decision(
        "Audio",
        f"Find the audio of {counted(findings.missing, 'clip')}. {what}",
        f"{findings.missing} of {findings.clips} clips have none. Until it is there, nothing can be said of durations, "
        "loudness, noise, clipping or copies, and nothing can be trained on them.",
    )


def _groups(findings: Findings) -> Decision | None:
    shared = [leak for leak in findings.leaks if leak.column != "speaker"]
    if not shared:
        return None
    what = (
        f"Keep what belongs together on one side: put the {shared[0].column} into the speaker column, where there is "
        "no better name for who speaks."
    )
    why = "; ".join(leak.sentence() for leak in shared)
    return Decision("Recordings", what, f"{why}: pieces of one recording know each other.", ())


def _set_aside(findings: Findings) -> Decision | None:
    reasons = {kind: count for kind, count in findings.reasons.items() if kind != "missing audio"}
    if not reasons:
        return None
    total = sum(reasons.values())
    # The clips without audio are a decision of their own, but stand in the same file.
    skipped = sum(reason.skipped for reason in findings.set_aside.values())
    by_hand = total - skipped
    missing = findings.reasons["missing audio"]
    what = [f"Leave {counted(total, 'clip')} out" + ("." if missing else "; set_aside.csv names each with its reason.")]
    if by_hand:
        what.append(
            f"{by_hand if skipped else 'All'} of them have to be taken out of the table, because training cannot know "
            "better (kept=FILE.csv writes the table without them)."
        )
    if skipped:
        what.append(f"Training leaves {f'{skipped} of them' if by_hand else 'them'} out by itself.")
    if missing:
        also = f"{missing} whose audio is missing"
        what.append(f"With the {also}, set_aside.csv names {len(findings.set_aside)}, each with its reason.")
    why = listed([f"{kind} {count}" for kind, count in sorted(reasons.items(), key=lambda item: -item[1])], 12)
    return Decision("Clips", " ".join(what), f"{why}.", ("data.on_bad_audio=skip",) if skipped else ())


def _durations(findings: Findings) -> Decision | None:
    limits = findings.durations
    if limits is None:
        return None
    shortest, longest = limits.regular_s
    regular = f"Clips last {shortest:.2f} to {longest:.2f} s, leaving out what lies far from the rest"
    cost = f"{limits.outside} of {len(findings.heard)} clips are outside of the limits"
    if not limits.changed:
        what = f"Keep the limits of {limits.min_s:g} to {limits.max_s:g} s."
        return Decision("Durations", what, f"{regular}; {cost}.")
    today = findings.settings
    return Decision(
        "Durations",
        f"Accept {limits.min_s:g} to {limits.max_s:g} s; the recogniser will refuse what is outside.",
        f"{regular}; today's limits are {today.min_duration_s:g} to {today.max_duration_s:g} s. {cost}.",
        tuple(
            f"data.{name}={value:g}"
            for name, value, old in (
                ("min_duration_s", limits.min_s, today.min_duration_s),
                ("max_duration_s", limits.max_s, today.max_duration_s),
            )
            if value != old
        ),
    )


def _weights(findings: Findings) -> Decision | None:
    ratios = {head.name: head.imbalance for head in findings.heads if head.imbalance is not None}
    if not ratios:
        return None
    limit = findings.settings.limits.imbalance
    figures = ", ".join(f"{name} {ratio:.1f}" for name, ratio in ratios.items())
    reason = f"Commonest class over rarest, by head: {figures}; weights help from about {limit:g}."
    if max(ratios.values()) < limit:
        return Decision("Class weights", "Train without class weights.", reason)
    what = "Weight the classes, so that rare ones count as much as common ones."
    return Decision("Class weights", what, reason, ("loss.class_weights=true",))


def _more_recordings(findings: Findings) -> Decision | None:
    limits = findings.settings.limits
    few, narrow = [], []
    for head in findings.heads:
        for label, row in zip(head.classes, head.table.to_dict("records"), strict=True):
            if row["clips"] < limits.clips_per_class:
                few.append(f"{head.name} '{label}' ({row['clips']})")
            elif row.get("speakers", limits.speakers_per_class) < limits.speakers_per_class:
                narrow.append(f"{head.name} '{label}' ({counted(row['speakers'], 'speaker')})")
    if not few and not narrow:
        return None
    why = []
    if few:
        why.append(f"Fewer than {limits.clips_per_class} clips: {listed(few, 12)}.")
    if narrow:
        why.append(f"Fewer than {limits.speakers_per_class} speakers: {listed(narrow, 12)}.")
    what = f"Record more of {counted(len(few) + len(narrow), 'class', 'classes')}, by other people."
    return Decision("More recordings", what, " ".join(why))


def _empty_cells(findings: Findings) -> Decision | None:
    shares = {head.name: head.empty / findings.clips for head in findings.heads if head.empty}
    nothing = sum(without_label(findings.dataset))
    figures = f"Empty cells: {', '.join(f'{name} {share:.0%}' for name, share in shares.items())}"
    if empty_cells_are_common(findings.dataset):
        if nothing:
            figures += f"; {counted(nothing, 'clip has', 'clips have')} no label at all"
        what = (
            "Say what an empty label cell means. It counts as unknown and teaches nothing; where it means "
            "'not mentioned', write that as a class of its own, such as none, or the model cannot learn to say it."
        )
        return Decision("Empty labels", what, f"{figures}.")
    if all(head.empty == nothing for head in findings.heads):  # none, or clips that are set aside
        return None
    what = "Leave the empty label cells: a clip without a label for one head still trains the others."
    return Decision("Empty labels", what, f"{figures}.")


def _sound(findings: Findings) -> list[Decision | None]:
    heard = findings.heard
    if heard.empty:
        return []
    return [_rates(findings), _loudness(findings), _noise(findings), _single_words(findings)]


def _rates(findings: Findings) -> Decision:
    rates = findings.heard["sample_rate"].astype(int).value_counts()
    figures = ", ".join(f"{count} at {rate} Hz" for rate, count in rates.items())
    low = rates.index < _TRAINING_RATE
    if low.any() and len(rates) > 1:
        highest = int(rates.index.min()) // 2
        return Decision(
            "Sample rates",
            f"Resample (training does it by itself) and look at no more than {highest} Hz, which all clips have.",
            f"{figures}: a model could tell the recordings apart by what is missing above {highest} Hz.",
            (f"features.f_max={highest}",),
        )
    what = "Nothing to set: training resamples to features.sample_rate."
    extra = f"; above {int(rates.index.max()) // 2} Hz there is nothing to learn from" if low.any() else ""
    return Decision("Sample rates", what, f"{figures}{extra}.")


def _loudness(findings: Findings) -> Decision:
    low, median, high = np.percentile(findings.heard["level_db"], [5, 50, 95])
    quiet = int((findings.heard["level_db"] < findings.settings.limits.quiet_db).sum())
    extra = (
        f" {counted(quiet, 'clip')} below {findings.settings.limits.quiet_db:g} dB: worth a listen." if quiet else ""
    )
    return Decision(
        "Loudness",
        "Do not normalise: the model takes every clip's own level off (model.normalise).",
        f"RMS is {median:.0f} dB in the median; nine of ten clips lie between {low:.0f} and {high:.0f} dB.{extra}",
    )


def _noise(findings: Findings) -> Decision:
    median = float(findings.heard["snr_db"].median())
    gated = int((findings.heard["zero_share"] > _SOME).sum())
    extra = ""
    if gated > _SOME * len(findings.heard):
        extra = (
            f" {counted(gated, 'clip')} hold stretches of exact zeros (padding or a noise gate), which use will not."
        )
    if median > _CLEAN_DB:
        what = "Train with generated noise, as the shipped augmentations do: use is noisier than these recordings."
    else:
        what = "Nothing to set: the recordings have noise of their own, and the shipped augmentations add other kinds."
    return Decision("Noise", what, f"Speech stands {median:.0f} dB above the quietest moments in the median.{extra}")


def _single_words(findings: Findings) -> Decision | None:
    median = float(findings.heard["duration_s"].median())
    if median >= _SINGLE_WORD_S:
        return None
    return Decision(
        "Single words",
        "Subtract only the tilt of each clip's mean spectrum, not all of it.",
        f"Half of the clips are shorter than {median:.2f} s: of so short a word, the mean spectrum is half the word.",
        ("model.normalise=tilt",),
    )

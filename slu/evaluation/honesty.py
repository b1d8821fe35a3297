"""What makes the figures less than they seem. These are the first lines of every report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slu.audio.segment import SILENCE_DB
from slu.bundles import Bundle
from slu.common.files import short_hash
from slu.corpus.manifest import Manifest
from slu.corpus.splits import leaking_recordings, leaking_speakers, speaker_hash
from slu.evaluation.evaluation import Evaluation

_FEW_SPEAKERS = 10
_FEW_CLIPS = 30


@dataclass(frozen=True)
class Overlap:
    """Between what was scored and what the bundle was trained on, by its own record."""

    recorded: bool
    """False when the bundle does not say what it was trained on."""
    clips: int = 0
    """Scored clips whose very file was trained on."""
    speakers: tuple[str, ...] = ()
    """Speakers of the scored clips whose name is one that trained, sorted."""


def find_overlap(bundle: Bundle, manifest: Manifest, digests: Sequence[str]) -> Overlap:
    record = bundle.training
    if "clips" not in record:
        return Overlap(recorded=False)
    trained = set(map(short_hash, record["clips"]))
    names = set(manifest.table["speaker"]) - {""} if "speaker" in manifest.table.columns else set()
    heard = set(record.get("speakers", ()))
    return Overlap(
        True,
        sum(short_hash(digest) in trained for digest in digests if digest),
        tuple(sorted(name for name in names if speaker_hash(name) in heard)),
    )


def warnings(
    evaluation: Evaluation,
    whole: Manifest,
    overlap: Overlap,
    left_out: Mapping[str, int] | None = None,
    digests: Sequence[str] = (),
) -> list[str]:
    """Sentences, gravest first. `whole` is the manifest before a split was chosen from it, `digests` are the content
    hashes of the scored clips' files, `left_out` counts labels that were not scored, by reason."""
    found = []
    total, complete = len(evaluation.table), int(evaluation.complete.sum())
    by = evaluation.units_of(evaluation.complete)
    if overlap.clips:
        found.append(
            f"LEAK: {overlap.clips} of the {len(evaluation.manifest.table)} clips were trained on. "
            "The figures below are not a test; score clips that the model has not seen."
        )
    if cut := leaking_recordings(whole.table):
        found.append(
            f"LEAK: the split cuts through {_listed(cut, what='recording')}: other pieces of what is scored here were "
            "there to train on. Expect less from any other recording."
        )
    if leaking := leaking_speakers(whole.table):
        known = overlap.speakers or str(whole.path) == evaluation.predictor.bundle.metrics.get("manifest")
        found.append(
            f"LEAK: {_listed(leaking)} stand on more than one side of the split"
            + (
                ", so the model is asked about people it was trained on. "
                if known
                else ". If the other rows of this table trained the model, it is asked about people it knows. "
            )
            + "Expect less from anybody else; a leave-one-speaker-out figure says how much less."
        )
    elif overlap.speakers:
        found.append(
            f"LEAK: {_listed(overlap.speakers)} bear the name of a speaker that was trained on. Unless these are "
            "other people, expect less from anybody else."
        )
    if found and (honest := _held_out(evaluation.predictor.bundle)):
        found.append(honest)
    if not overlap.recorded:
        found.append("The bundle keeps no record of what it was trained on: a leak would not be noticed here.")
    found += _unscored(evaluation)
    found += [f"{count} labels were not scored: {why}." for why, count in (left_out or {}).items() if count]
    spoken = _synthetic_share(evaluation)
    if spoken == 1:
        found.append(
            "Every clip was spoken by a synthesiser. That compares models; it does not say how well people are "
            "understood. Record ten people and score them before you rely on it."
        )
    elif spoken > 0:
        found.append(f"{spoken:.0%} of the clips were spoken by a synthesiser, which is easier than people.")
    if not by.kind.endswith(" speakers"):
        found.append(
            f"The intervals are over {by.kind}. Clips of one person succeed and fail together, "
            "so the true uncertainty is larger; name the speakers in a column 'speaker'."
        )
    elif by.count < _FEW_SPEAKERS:
        found.append(f"Only {by.kind}: even the intervals are rough.")
    if evaluation.broken:
        found.append(
            f"{len(evaluation.broken)} of {total + len(evaluation.broken)} clips cannot be read and were not scored; "
            f"the first is {evaluation.broken[0]}."
        )
    found += _odd_clips(evaluation, digests)
    if complete < _FEW_CLIPS:
        labelled = "" if complete == total else f" with all labels, of {total},"
        found.append(
            f"{complete} clip{'s' if complete != 1 else ''}{labelled} "
            f"{'are' if complete != 1 else 'is'} too few to judge anything by."
        )
    return found


def _unscored(evaluation: Evaluation) -> list[str]:
    """Heads and cells without a label: what the figures say nothing about."""
    columns = ", ".join(evaluation.manifest.table.columns)
    found = [
        f"Nothing is said of {head.name}: the table has no column of that name (its columns are {columns})."
        for head in evaluation.spec.heads
        if head not in evaluation.heads
    ]
    for head in evaluation.heads:
        if missing := int((evaluation.truth[head.name] < 0).sum()):
            found.append(f"{missing} of {len(evaluation.table)} clips have no label for {head.name} that is scored.")
    return found


def _odd_clips(evaluation: Evaluation, digests: Sequence[str]) -> list[str]:
    found = []
    if silent := int((evaluation.answers.level_db < SILENCE_DB).sum()):
        found.append(f"{silent} of {len(evaluation.table)} clips are silent, and were scored all the same.")
    copies = [count for digest, count in Counter(digests).items() if digest and count > 1]
    if copies:
        found.append(
            f"{sum(copies)} clips share {len(copies)} recording{'s' if len(copies) != 1 else ''}: copies count double, "
            "and where their labels differ, one of them must be wrong."
        )
    return found


def _held_out(bundle: Bundle) -> str:
    """The figure to set beside a leaky one, where the bundle's training measured it."""
    folds = (bundle.metrics.get("test") or {}).get("leave_one_speaker_out")
    if not folds:
        return ""
    low, high = folds["interval_95"]
    return (
        f"With each speaker held out in turn, the recipe of this bundle gets {folds['mean']:.1%} right on average "
        f"(95 % interval {low:.1%} to {high:.1%}) and {folds['worst']:.1%} for {folds['worst_speaker']}: expect that "
        "of new people."
    )


def _synthetic_share(evaluation: Evaluation) -> float:
    if "source" not in evaluation.table.columns:
        return 0.0
    return float(evaluation.table["source"].str.startswith("espeak-ng").mean())


def _listed(names: Sequence[str], most: int = 5, what: str = "speaker") -> str:
    shown = ", ".join(names[:most]) + (", …" if len(names) > most else "")
    return f"{len(names)} {what}{'s' if len(names) != 1 else ''} ({shown})"

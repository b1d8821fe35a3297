"""What is still weak, and what to do next; both follow from numbers and warnings."""

from dataclasses import dataclass

from slu.documents.page import Bullets, Table
from slu.documents.slide_parts import Slide
from slu.evaluation.metrics import worst_speaker
from slu.evaluation.verdict import GOOD_ENOUGH, WRONG_AT_MOST, described, hardest_condition
from slu.slides.commands import is_of_experiment
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, counted, percent, span

_ECE = 0.05
"""From here on a stated confidence is not to be taken for a probability."""


def weak_slide(s: Sources) -> Slide:
    m = s.metrics
    items = list(s.warnings)
    hardest = hardest_condition(m["conditions"])
    if hardest is None:
        items.append("Harder conditions than clean clips were not tested.")
    elif (accuracy := hardest[1]["joint_accuracy"]) < 1:
        items.append(
            f"Hardest condition: {described(hardest[0])}, {percent(accuracy)} right "
            f"({span(hardest[1]['joint_interval'])})."
        )
    if (worst := worst_speaker(m)) is not None and m["speakers"][worst]["joint_accuracy"] < 1:
        values = m["speakers"][worst]
        items.append(f"Worst speaker: {worst}, {percent(values['joint_accuracy'])} of {counted(values['n'], 'clip')}.")
    if (ece := m.get("joint_ece")) is not None:
        items.append(f"The stated confidence is off by {ece:.3f} on average (expected calibration error).")
    wrong = m.get("wrong_and_understood_share")
    if wrong:
        items.append(f"{percent(wrong)} of all clips are answered wrong without being questioned.")
    items += [f"{counted(n, 'clip')} had no label for {head}." for head, n in (m.get("unlabelled") or {}).items()]
    items.append("How it does in use was not measured: no answers of a running service belong to this evaluation.")
    about = counted(len(s.warnings), "warning") if s.warnings else "no warning"
    title = f"Still weak: {about}"
    if hardest is not None:
        title += f", and {percent(1 - hardest[1]['joint_accuracy'])} wrong under {described(hardest[0])}"
    notes = [cite(s.metrics_path, "warnings, conditions, speakers, joint_ece, wrong_and_understood_share")]
    return Slide(title, Bullets(items), [*notes, *(f"Warning: {text}" for text in s.warnings)])


@dataclass(frozen=True)
class _Step:
    why: str
    what: str
    command: str


def next_slide(s: Sources) -> Slide:
    steps = _steps(s)
    table = Table(["because", "do this", "with"], [[x.why, x.what, x.command] for x in steps], text_columns=(0, 1, 2))
    first = steps[0]
    notes = [cite(s.metrics_path, "warnings, overlap_with_training, conditions, speakers, joint_ece")]
    return Slide(f"Next: {first.what[0].lower()}{first.what[1:]}", table, notes)


def _steps(s: Sources) -> list[_Step]:
    """Gravest first; never empty, because nothing was measured in use."""
    return [*_honesty_steps(s), *_quality_steps(s), *_open_steps(s), _Step(
        "live monitoring: not measured",
        "Collect corrected answers in use, and score them like any other clips",
        s.evaluate("manifest=my/feedback.csv"),
    )]  # fmt: skip


def _honesty_steps(s: Sources) -> list[_Step]:
    steps = []
    if any(text.startswith("LEAK") for text in s.warnings) and not s.held_out:
        steps.append(
            _Step(
                "the test knows people or clips of the training",
                "Hold every speaker out in turn",
                s.train("cross_validation=leave_one_speaker_out"),
            )
        )
    if any("synthesiser" in text for text in s.warnings):
        steps.append(
            _Step(
                "the clips were spoken by a synthesiser",
                "Record ten people and score them",
                s.evaluate("manifest=my/metadata.csv"),
            )
        )
    if not (s.metrics.get("overlap_with_training") or {}).get("recorded", True):
        steps.append(
            _Step(
                "the bundle keeps no record of its training clips",
                "Train again, so that a leak would be noticed",
                s.train(),
            )
        )
    return steps


def _quality_steps(s: Sources) -> list[_Step]:
    steps, m = [], s.metrics
    hardest = hardest_condition(m["conditions"])
    if hardest is not None and ((hardest[1]["joint_interval"] or (0.0,))[0]) < GOOD_ENOUGH:
        steps.append(
            _Step(
                f"{described(hardest[0])}: {percent(hardest[1]['joint_accuracy'])}",
                "Record the noise of the place of use, and score with it",
                s.evaluate("conditions.noise_folder=my/noise"),
            )
        )
    if (worst := worst_speaker(m)) is not None and m["speakers"][worst]["joint_accuracy"] < GOOD_ENOUGH:
        steps.append(
            _Step(
                f"{worst}: {percent(m['speakers'][worst]['joint_accuracy'])}",
                "Listen to this speaker's mistakes; add voices like it to the training",
                "report.html beside these slides",
            )
        )
    if (m.get("wrong_and_understood_share") or 0.0) > WRONG_AT_MOST or (m.get("joint_ece") or 0.0) > _ECE:
        steps.append(
            _Step(
                f"calibration error {m.get('joint_ece') or 0.0:.3f}",
                "Choose the threshold from the curve of answers, not from the stated confidence",
                s.train("min_confidence=VALUE"),
            )
        )
    return steps


def _open_steps(s: Sources) -> list[_Step]:
    steps = []
    if isinstance(s.exploration, Missing):
        steps.append(_Step("the clips were not explored", "Look for copies, leaks and gaps", s.explore()))
    if not s.metrics["conditions"]:
        steps.append(_Step("only clean clips", "Test in noise, coding and rooms", s.evaluate("conditions=standard")))
    if s.study is None and not is_of_experiment(s.bundle):
        steps.append(
            _Step(
                "no comparison of models",
                "Compare M1 with M2, for many voices and for few",
                s.train("experiment=m1_vs_m2"),
            )
        )
    return steps

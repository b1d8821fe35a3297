"""What the system is: the cover's facts, the problem, the way from recordings to an answer."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from slu.bundles import Bundle
from slu.documents.page import Bullets
from slu.documents.slide_parts import Arrow, Columns, Diagram, Node, Slide
from slu.slides.missing import missing_slide
from slu.slides.predictions import Predictions
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, counted, known, listed, percent, shown

_SHOWN_HEADS = 3


def parameters(bundle: Bundle) -> int:
    return sum(weights.numel() for weights in bundle.recogniser.parameters())


def encoder_name(bundle: Bundle) -> str:
    return str(bundle.config["model"].get("_target_", "encoder")).rpartition(".")[2]


def front_end_name(bundle: Bundle) -> str:
    """`logmel 64` for 64 values per frame."""
    return f"{bundle.spec.front_end.get('name', 'features')} {bundle.front_end.size}"


def cover_lines(s: Sources) -> list[str]:
    lines = [f"Bundle {s.metrics['bundle']}"]
    if not isinstance(s.bundle, Missing):
        lines[0] += f": {encoder_name(s.bundle)}, {parameters(s.bundle):,} parameters"
    where = "" if isinstance(s.manifest, Missing) else f" of {s.manifest.path.parent.name}/{s.manifest.path.name}"
    return [*lines, f"Evaluated on {counted(s.metrics['n'], 'clip')}{where}"]


def problem_slide(s: Sources) -> Slide:
    classes = dict(s.classes)
    if not isinstance(s.bundle, Missing):
        classes = {head.name: [head.shown(c) for c in head.classes] for head in s.bundle.spec.heads}
    heads = list(classes) or list(s.metrics["heads"])
    title = f"One utterance in, {counted(len(heads), 'label')} out: {listed(heads)}"
    items = [
        "The problem: somebody says something short, and a program needs the labels in it, at once and without typing.",
        *(f"{name}: one of {len(labels)} ({listed(labels, 6)})" for name, labels in classes.items()),
    ]
    notes = [cite(s.metrics_path, "heads and their classes")]
    if not isinstance(s.bundle, Missing):
        spec = s.bundle.spec
        items += [
            f"From sound to labels in one step, without a transcript and without a cloud: {encoder_name(s.bundle)}, "
            f"{parameters(s.bundle):,} parameters.",
            f"It takes {spec.min_duration_s:g} to {spec.max_duration_s:g} s of audio. Below a confidence of "
            f"{spec.min_confidence:.3g} it says that it has not understood.",
        ]
        notes += [cite(s.bundle.folder / "spec.json", "durations and the confidence that counts as understood")]
    if isinstance(s.predictions, Missing):
        return Slide(title, Bullets(items), [*notes, s.predictions.sentence])
    notes.append(cite(s.predictions.path, "the example"))
    return Slide(title, Columns([Bullets(items), _example(s, s.predictions)], (6, 5)), notes)


def _example(s: Sources, predictions: Predictions) -> Diagram:
    row, heads = predictions.example(), predictions.heads[:_SHOWN_HEADS]
    values = predictions.table.iloc[row]
    name = "the recogniser" if isinstance(s.bundle, Missing) else encoder_name(s.bundle)
    confidence = f"confidence {float(values['confidence']):.2f}"
    nodes = [
        Node("said", "Said", predictions.said(row), 0, 0, len(heads)),
        Node("model", name, confidence, 0, 1, len(heads), "strong"),
        *(Node(head, str(values[f"heard_{head}"]), head, column, 2) for column, head in enumerate(heads)),
    ]
    return Diagram(nodes, [Arrow("said", "model"), *(Arrow("model", head) for head in heads)])


def workflow_slide(s: Sources) -> Slide:
    title = "The way from recordings to an answer"
    if isinstance(s.bundle, Missing):
        return missing_slide(title, s.bundle)
    bundle, spec = s.bundle, s.bundle.spec
    heads = "\n".join(f"{head.name}: {len(head.classes)} classes" for head in spec.heads)
    hop = f"every {1000 * bundle.front_end.hop_s:g} ms"
    conditions = counted(1 + len(s.metrics["conditions"]), "condition")
    nodes = [
        Node("source", "Source", _source(s, bundle), 0, 0),
        Node("manifest", "Manifest", _manifest(s), 1, 0),
        Node("front end", "Front end", f"{front_end_name(bundle)}\n{hop}\n{bundle.front_end.sample_rate:,} Hz", 2, 0),
        Node(
            "encoder", f"Encoder {encoder_name(bundle)}", f"{_encoder(bundle)}\n{parameters(bundle):,} parameters",
            3, 0, tone="strong",
        ),
        Node("heads", "Heads", heads, 4, 0),
        Node("answer", "Answer", f"labels, scores, confidence; asked again below {spec.min_confidence:.3g}", 5, 0),
        Node("training", "Training", _training(s, bundle), 2, 1, 2),
        Node("evaluation", "Evaluation", f"{counted(s.metrics['n'], 'clip')}, {conditions}", 4, 1),
        Node(
            "feedback", "Feedback", "Corrected answers become rows of the manifest; training starts again from there.",
            1, 2, 5, "soft",
        ),
    ]  # fmt: skip
    chain = ["source", "manifest", "front end", "encoder", "heads", "answer"]
    arrows = [
        *(Arrow(a, b) for a, b in pairwise(chain)),
        Arrow("training", "encoder", column=3),
        Arrow("heads", "evaluation"),
        Arrow("answer", "feedback", column=5, dashed=True),
        Arrow("feedback", "manifest", column=1, dashed=True),
    ]
    notes = [
        cite(bundle.folder / "spec.json", "front end, heads, threshold"),
        cite(bundle.folder / "config.yaml", "source, encoder"),
        cite(bundle.folder / "metrics.json", "epochs, CPU seconds, objective"),
        cite(s.metrics_path, "clips and conditions of the evaluation"),
        "Parameters are counted from the bundle's weights.",
    ]
    if not isinstance(s.data, Missing):
        notes.append(cite(s.data.path, "clips and speakers of the manifest"))
    message = (
        f"From {front_end_name(bundle)} through {encoder_name(bundle)} ({parameters(bundle):,} parameters) to "
        f"{counted(len(spec.heads), 'head')}; every corrected answer can train the next version"
    )
    return Slide(message, Diagram(nodes, arrows, (2.4, 1.3, 0.9)), notes)


def _source(s: Sources, bundle: Bundle) -> str:
    if not isinstance(s.data, Missing) and s.data.sources:
        return "\n".join(f"{name}: {count:,}" for name, count in list(s.data.sources.items())[:3])
    data: Mapping[str, Any] = bundle.config.get("data") or {}
    found = ["recordings"] if data.get("manifest") else []
    found += ["menu spoken by espeak-ng"] if data.get("synthetic_speech") else []
    return " and ".join(found) or "recordings"


def _manifest(s: Sources) -> str:
    if isinstance(s.data, Missing):
        return "not found"
    lines = [counted(s.data.clips, "clip")]
    if s.data.people:
        lines.append(counted(s.data.people, "speaker"))
    return "\n".join(lines)


def _encoder(bundle: Bundle) -> str:
    settings: Mapping[str, Any] = bundle.config["model"]
    found = []
    strides: Sequence[int] = settings.get("strides") or ()
    if strides:
        product = 1
        for stride in strides:
            product *= int(stride)
        found.append(f"{counted(len(strides), 'convolution')}, stride {product}")
    if layers := settings.get("layers"):
        found.append(counted(int(layers), "layer"))
    return "\n".join(found) or "one file per model"


def _training(s: Sources, bundle: Bundle) -> str:
    metrics = bundle.metrics
    if metrics.get("epochs") is None:
        return "epochs and objective not recorded"
    objective = metrics.get("objective")
    chosen = "no validation" if objective is None else f"validation objective {objective:.3f}"
    clips = bundle.training.get("clips")
    on = f" on {len(clips):,} clips" if clips else ""
    splits = f"training split: {known(s.training_split)}"
    if s.evaluated_split is not None:
        splits += f"\nevaluated split: {s.evaluated_split}"
    return f"{counted(int(metrics['epochs']), 'epoch')}{on}, {chosen}\n{splits}"


def cover_notes(s: Sources) -> list[str]:
    notes = [f"All figures are of the evaluation in {shown(s.run)}.", cite(s.metrics_path, "bundle, clips")]
    notes += [f"Warning: {text}" for text in s.warnings]
    accuracy = percent(s.metrics["joint_accuracy"])
    return [*notes, f"In one sentence: {s.all_right} in {accuracy} of {counted(s.metrics['n_joint'], 'clip')}."]

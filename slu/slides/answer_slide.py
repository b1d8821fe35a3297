"""What a program gets: the answer of this bundle to one clip, as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from slu.audio.decode import AudioError
from slu.bundles import Prediction, Predictor
from slu.documents.page import Bullets, Code
from slu.documents.slide_parts import Columns, Slide
from slu.slides.missing import missing_slide
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, shown

_SCORES = 3
"""Best classes per head; the others are counted."""


def answer_slide(s: Sources) -> Slide:
    title = "The answer that a program gets"
    for source in (s.bundle, s.manifest, s.predictions):
        if isinstance(source, Missing):
            return missing_slide(title, source)
    assert not isinstance(s.bundle, Missing)
    assert not isinstance(s.manifest, Missing)
    assert not isinstance(s.predictions, Missing)
    row = s.predictions.example()
    clip = s.manifest.folder / str(s.predictions.table["file_name"].iloc[row])
    if not clip.is_file():
        cure = "start the command where `python -m slu.evaluate` was started"
        return missing_slide(title, Missing(f"{clip.name} is not where the manifest says", cure))
    try:
        prediction = Predictor(s.bundle).predict(clip)
    except AudioError as error:
        return missing_slide(title, Missing(f"{clip.name} cannot be read", str(error)))
    items = [
        f"Said: {s.predictions.said(row)}.",
        "labels: the answer of each head.",
        "scores: a probability for every class; they sum to 1 in each head.",
        "confidence: the probability that all labels are right.",
        "understood: false where nobody should act on the labels; reason says why.",
        "model_version: the bundle that answered.",
    ]
    notes = [
        f"The clip: {shown(clip)}",
        f"The bundle: {shown(s.bundle.folder)}",
        "The answer was computed for this slide; scores are rounded and cut to the best classes.",
        cite(s.predictions.path, "which clip"),
    ]
    title = f"One clip in, one JSON out: {prediction.heard()} (confidence {prediction.confidence:.2f})"
    return Slide(title, Columns([Code(shortened(prediction)), Bullets(items)], (1, 1)), notes)


def shortened(prediction: Prediction) -> str:
    """Valid JSON of the whole answer, with the best scores only, and names to show only where there are any."""
    document: dict[str, Any] = prediction.to_json()
    if prediction.display == prediction.labels:
        del document["display"]
    del document["alternatives"]
    document["scores"] = {head: _best(scores) for head, scores in prediction.scores.items()}
    document["confidence"] = round(prediction.confidence, 4)
    lines = [f'  "{name}": {_value(name, value)}' for name, value in document.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(name: str, value: Any) -> str:
    if name != "scores":
        return json.dumps(value, ensure_ascii=False)
    heads = [f'    "{head}": {_one_per_line(scores)}' for head, scores in value.items()]
    return "{\n" + ",\n".join(heads) + "\n  }"


def _one_per_line(scores: Mapping[str, Any]) -> str:
    lines = [f'      "{label}": {json.dumps(value, ensure_ascii=False)}' for label, value in scores.items()]
    return "{\n" + ",\n".join(lines) + "\n    }"


def _best(scores: Mapping[str, float]) -> dict[str, Any]:
    ordered = sorted(scores.items(), key=lambda item: -item[1])
    best: dict[str, Any] = {label: round(value, 4) for label, value in ordered[:_SCORES]}
    if len(ordered) > _SCORES:
        best["…"] = f"{len(ordered) - _SCORES} more"
    return best

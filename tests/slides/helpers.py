"""A tiny evaluation with everything that slides are drawn from, in the forms in which the commands leave it."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pptx import Presentation

from slu.bundles import Predictor, load_bundle, save_bundle
from slu.common.files import write_json
from slu.corpus.manifest import read_manifest
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.honesty import find_overlap, warnings
from slu.evaluation.run import clip_digests, evaluate, subset
from slu.evaluation.summary import metrics_document
from slu.spec import Head
from tests.bundles.helpers import MODEL, make_recogniser, make_spec

HEADS = (Head("pitch", ("low", "high")), Head("length", ("short", "long"), "len"))
CONDITIONS = ConditionSettings(noise_snr_db=(10.0, 0.0), telephone=True)


def write_training_run(folder: Path) -> None:
    """As Lightning's CSV logger writes it: steps, and per epoch a row of the training and one of the validation."""
    rows = [
        {"epoch": None, "step": 9, "lr-AdamW": 0.1},
        *({"epoch": e, "step": 10 * e + 9, "train/loss": 3.0 - e} for e in range(3)),
        *({"epoch": e, "step": 10 * e + 9, "val/clean/loss": 2.5 - e, "val/objective": v} for e, v in
          enumerate((0.25, 0.875, 0.75))),
    ]  # fmt: skip
    (folder / "csv").mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / "csv" / "metrics.csv", index=False)


def evaluate_tones(tones: Path, home: Path, *, leak: bool = False, synthetic: bool = False) -> Path:
    """The folder of the run, below `home`/outputs; the manifest is the tones with words, and `source` if synthetic."""
    manifest_path = tones.parent / f"spoken-{home.name}.csv"
    table = pd.read_csv(tones, dtype=str)
    table["text"] = table["pitch"] + " and " + table["length"]
    if synthetic:
        table["source"] = "espeak-ng id"
    table.to_csv(manifest_path, index=False)
    manifest = read_manifest(manifest_path, HEADS)
    test = subset(manifest, "split", "test")

    spec = make_spec(task="tones", heads=HEADS)
    training_run = home / "outputs" / "runs" / "train" / "one"
    write_training_run(training_run)
    bundle_folder = home / "outputs" / "registry" / "tones" / "v1"
    bundle_folder.mkdir(parents=True)
    facts: dict[str, Any] = {
        "run": str(training_run), "epochs": 3, "cpu_s": 7.0, "objective": 0.875, "split": "speaker-disjoint",
    }  # fmt: skip
    trained = clip_digests(test)[:5] if leak else []
    record = {"clips": trained, "speakers": [], "split": "speaker-disjoint", "leaking_speakers": []}
    save_bundle(bundle_folder, make_recogniser(spec), spec, {"model": MODEL}, facts, record)

    predictor = Predictor(load_bundle(bundle_folder))
    results = evaluate(predictor, test, CONDITIONS)
    overlap = find_overlap(predictor.bundle, test, clip_digests(test))
    found = warnings(results["clean"], manifest, overlap)
    run = home / "outputs" / "runs" / "evaluate" / "2026-01-02_03-04-05"
    write_json(run / "metrics.json", metrics_document(results, overlap, found, {}))
    results["clean"].answer_table().to_csv(run / "predictions.csv", index=False)
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text(yaml.safe_dump({"bundle": str(bundle_folder)}))
    return run


def write_exploration(folder: Path, manifest: Path, *, clips_of_first: int = 0) -> None:
    """`eda.json` about that manifest; with another count of the first class it is about other clips."""
    table = pd.read_csv(manifest, dtype=str)
    heads = {
        head.name: {"classes": {c: {"clips": int((table[head.name] == c).sum())} for c in head.classes}}
        for head in HEADS
    }
    if clips_of_first:
        heads["pitch"]["classes"]["low"]["clips"] = clips_of_first
    decision = {"topic": "Split", "what": "Use it as it is.", "why": "6 speakers, each on one side.", "settings": []}
    write_json(
        folder / "eda.json",
        {
            "warnings": ["Leak: 3 recordings stand on both sides. Mend it."],
            "decisions": [decision],
            "heads": heads,
            "copies": {"identical": 3, "near": 1},
        },
    )


def write_study(folder: Path) -> None:
    points = [
        {"condition": c, "model": m, "share": s, "voices": v, "mean": 0.5 * s + 0.1 * (m == "m1"),
         "interval": [0.1, 0.9], "by_seed": [0.4, 0.6]}
        for c in ("clean", "20 dB", "10 dB", "0 dB") for m in ("m1", "m2") for s, v in ((0.1, 2), (1.0, 20))
    ]  # fmt: skip
    question = "Does it help?"
    write_json(
        folder / "learning_curve.json",
        {
            "question": question,
            "answer": f"{question} Yes: with 2 voices m1 is ahead by 10.0 points. In clean speech by 9.5 points.",
            "models": ["m1", "m2"],
            "conditions": ["clean", "20 dB", "10 dB", "0 dB"],
            "points": points,
        },
    )


def slides_of(path: Path) -> list[Any]:
    return list(Presentation(str(path)).slides)


def texts_of(slide: Any) -> list[str]:
    """Of all boxes and table cells."""
    found = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    for shape in slide.shapes:
        if shape.has_table:
            found += [cell.text for row in shape.table.rows for cell in row.cells]
    return found


def notes_of(slide: Any) -> str:
    return str(slide.notes_slide.notes_text_frame.text)


def pictures_of(slide: Any) -> list[Any]:
    return [shape for shape in slide.shapes if hasattr(shape, "image")]


def titled(slides: list[Any], part: str) -> Any:
    """The one slide whose title holds that text."""
    found = [slide for slide in slides if part in slide.shapes.title.text_frame.text]
    assert len(found) == 1, [slide.shapes.title.text_frame.text for slide in slides]
    return found[0]

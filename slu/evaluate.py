"""Score bundles on labelled recordings, and write the report."""

import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from slu.bundles import Bundle, Predictor, load_bundle
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import atomic_write, from_here, write_json
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.common.wording import against_reference
from slu.corpus.manifest import SPLIT_NAMES, SPLITS, Manifest
from slu.corpus.splits import SplitSettings, assign_splits
from slu.documents.page import write_page
from slu.evaluation.compare_report import (
    compare_bundles,
    comparison_page,
    comparison_table,
    merge_warnings,
    short_names,
)
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.honesty import Overlap, find_overlap, warnings
from slu.evaluation.labels import OnUnknownLabel, read_labelled
from slu.evaluation.reference import build_rule
from slu.evaluation.report import ReportFacts, report_page
from slu.evaluation.run import Evaluation, clip_digests, evaluate, subset
from slu.evaluation.summary import metrics_document
from slu.evaluation.tables import facts_table, metrics_table, show, speaker_table
from slu.evaluation.text_report import classification_report


@dataclass(frozen=True)
class EvaluateSettings:
    bundle: str | tuple[str, ...]
    manifest: str | None
    split: str | None
    split_column: str
    conditions: ConditionSettings
    on_unknown_label: OnUnknownLabel
    force: bool
    threads: Annotated[int, Field(ge=1)]
    outputs: str
    reference: Mapping[str, Any] | None = None
    """None: the one that the bundle was trained beside."""

    @property
    def bundles(self) -> tuple[str, ...]:
        return (self.bundle,) if isinstance(self.bundle, str) else self.bundle


@dataclass(frozen=True)
class _Scored:
    results: Mapping[str, Evaluation]
    overlap: Overlap
    warnings: list[str]
    unknown: Mapping[str, int]


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(
        EvaluateSettings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings"
    )
    run = from_here(Path(HydraConfig.get().runtime.output_dir))
    torch.set_num_threads(settings.threads)
    predictors = [Predictor(load_bundle(Path(folder))) for folder in settings.bundles]
    if not predictors:
        raise UserError("bundle=[] names none; name at least one")
    if len({p.bundle.version for p in predictors}) < len(predictors):
        raise UserError("bundle names one version twice; compare different ones")
    scored = {p.bundle.version: _score(p, settings) for p in predictors}
    alone = len(scored) == 1
    for version, result in scored.items():
        folder = run if alone else run / version
        start = time.process_time()
        _write(result, folder, settings)
        show(*_tables(result, folder, time.process_time() - start))
    if not alone:
        _compare(scored, run)


def _compare(scored: Mapping[str, _Scored], run: Path) -> None:
    labels = short_names([result.results["clean"].predictor.bundle for result in scored.values()])
    results = {labels[version]: result.results for version, result in scored.items()}
    pairs = compare_bundles(results)
    conditions = {name: [asdict(pair) for pair in rows] for name, rows in pairs.items()}
    names = {label: version for version, label in labels.items()}
    write_json(run / "comparison.json", {"bundles": names, "conditions": conditions})
    texts = {labels[version]: result.warnings for version, result in scored.items()}
    write_page(run / "report.html", comparison_page(results, pairs, merge_warnings(texts)))
    show(comparison_table(results, pairs), facts_table([*names.items(), ("report", str(run / "report.html"))]))


def _score(predictor: Predictor, settings: EvaluateSettings) -> _Scored:
    whole, unknown, split = _clips(predictor.bundle, settings)
    split = None if split is None else SPLIT_NAMES.get(split, split)
    if split is not None and split not in SPLITS:
        raise UserError(f"split={split}: it must be one of {', '.join(SPLITS)}")
    manifest = whole if split is None else subset(whole, "split", split)
    if manifest.table.empty:
        raise UserError(f"{whole.path}: the {split} split is empty")
    digests = clip_digests(manifest)
    bundle = predictor.bundle
    rule = build_rule(bundle.config.get("reference") if settings.reference is None else settings.reference, bundle.spec)
    with progress_bar(f"scoring {predictor.bundle.version}") as progress:
        results = evaluate(
            predictor,
            manifest,
            settings.conditions,
            rule=rule,
            keep=Path(settings.outputs) / "answers",
            digests=digests,
            force=settings.force,
            progress=progress,
        )
    clean = results["clean"]
    if clean.metrics["n"] == 0:
        raise UserError(f"{manifest.path}: not one readable clip has a label; there is nothing to score")
    overlap = find_overlap(bundle, manifest, digests)
    found = warnings(clean, whole, overlap, unknown, digests)
    if (beside := clean.metrics.get("reference")) and not beside["better"]:
        found.append(f"{against_reference(beside)} On these clips the rule would do.")
    return _Scored(results, overlap, found, unknown)


def _clips(bundle: Bundle, settings: EvaluateSettings) -> tuple[Manifest, dict[str, int], str | None]:
    """What to score: the clips that are named, or else the test split that the bundle was trained beside."""
    if settings.manifest is not None:
        manifest, unknown = read_labelled(Path(settings.manifest), bundle.spec.heads, settings.on_unknown_label)
        return _with_split(manifest, settings.split_column, settings.split is not None), unknown, settings.split
    own = bundle.metrics.get("manifest")
    if own is None or not Path(own).is_file():
        raise UserError("name the recordings to score: manifest=path/metadata.csv")
    manifest, unknown = read_labelled(Path(own), bundle.spec.heads, settings.on_unknown_label)
    column = ((bundle.config.get("data") or {}).get("split") or {}).get("column", settings.split_column)
    return _with_split(manifest, column, True), unknown, settings.split or "test"


def _with_split(manifest: Manifest, column: str, needed: bool) -> Manifest:
    """The manifest with `column` as its split, to choose rows by and to look for leaks in."""
    if column not in manifest.table.columns:
        if needed or column != "split":
            cure = "leave split= out to score every row, or name the column that has it with split_column="
            raise UserError(f"{manifest.path} has no column '{column}'; {cure}")
        return manifest
    if column == "split":
        return manifest
    split = SplitSettings(method="column", column=column)
    return Manifest(manifest.path, assign_splits(manifest.table, split, str(manifest.path)))


def _write(scored: _Scored, folder: Path, settings: EvaluateSettings) -> None:
    clean = scored.results["clean"]
    write_json(
        folder / "metrics.json", metrics_document(scored.results, scored.overlap, scored.warnings, scored.unknown)
    )
    with atomic_write(folder / "predictions.csv") as file:
        clean.answer_table().to_csv(file, index=False)
    with atomic_write(folder / "classification_report.txt") as file:
        file.write(classification_report(clean.metrics, clean.heads))
    how = [
        ("command", shlex.join(["python", "-m", "slu.evaluate", *sys.argv[1:]])),
        ("bundle", str(clean.predictor.bundle.folder)),
        ("noise and rooms", f"generated from seed {settings.conditions.seed}: a rerun gives the same figures"),
        ("recorded noise", settings.conditions.noise_folder or "none"),
        ("intervals", str(clean.metrics["interval"])),
        ("calibration", "expected calibration error over 15 bins of equal width"),
        ("speed", f"{clean.clips_per_cpu_second:.0f} clips per CPU second, decoding included"),
    ]
    write_page(folder / "report.html", report_page(scored.results, ReportFacts(scored.warnings, how)))


def _tables(scored: _Scored, folder: Path, report_s: float) -> list[Any]:
    clean = scored.results["clean"]
    version = clean.predictor.bundle.version
    metrics = {name: result.metrics for name, result in scored.results.items()}
    facts = [("warning", text) for text in scored.warnings]
    facts += [("unreadable", message) for message in clean.broken[:10]]
    if len(clean.broken) > 10:
        facts.append(("unreadable", f"and {len(clean.broken) - 10} more, all in metrics.json"))
    facts += [
        ("report", f"{folder / 'report.html'} (written in {report_s:.0f} CPU seconds)"),
        ("metrics", str(folder / "metrics.json")),
        ("every answer", str(folder / "predictions.csv")),
    ]
    return [
        metrics_table(metrics, f"{version} on {clean.manifest.path}; {clean.metrics['interval']}"),
        speaker_table(clean.metrics),
        facts_table(facts),
    ]


if __name__ == "__main__":
    run_command(main)

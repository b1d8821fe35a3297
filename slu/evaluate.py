"""Score bundles on labelled recordings, and write the report."""

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from slu.bundles import Bundle, Predictor, load_bundle
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import atomic_write, from_here, write_json
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.common.wording import against_reference
from slu.documents.page import write_page
from slu.evaluation.champion import NAMES, champion_at, is_worse, same_task, write_summary
from slu.evaluation.clip_choice import ChosenClips, choose_clips, trained_beside
from slu.evaluation.compare_report import (
    Pair,
    compare_bundles,
    comparison_page,
    comparison_table,
    merge_warnings,
    short_names,
)
from slu.evaluation.corpora import choose_corpora, corpora_tables, counted_head, require_one_task
from slu.evaluation.corpora_report import against_rules, notes, terminal_table, write_corpora
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.honesty import Overlap, find_overlap, warnings
from slu.evaluation.off_menu import OffMenu, names_of, read_off_menu, rejection, unreadable
from slu.evaluation.off_menu_section import off_menu_table
from slu.evaluation.reference import Rule, build_rule
from slu.evaluation.report import ReportFacts, report_page
from slu.evaluation.run import evaluate
from slu.evaluation.settings import EvaluateSettings
from slu.evaluation.summary import metrics_document
from slu.evaluation.tables import facts_table, metrics_table, show, speaker_table
from slu.evaluation.text_report import classification_report
from slu.versions.places import bundle_place


@dataclass(frozen=True)
class _Scored:
    results: Mapping[str, Evaluation]
    overlap: Overlap
    warnings: list[str]
    unknown: Mapping[str, int]
    off_menu: Sequence[OffMenu] = ()


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(
        EvaluateSettings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings"
    )
    settings.refuse_combined()
    run = from_here(Path(HydraConfig.get().runtime.output_dir))
    torch.set_num_threads(settings.threads)
    registry = Path(settings.outputs) / "registry"
    champion = champion_at(settings.champion, settings.bundles, registry)
    named = [bundle_place(name, registry) for name in settings.bundles]
    folders = [*named, *([] if champion is None else [champion])]
    predictors = [Predictor(load_bundle(folder)) for folder in folders]
    if champion is not None and not same_task(predictors[-1].bundle, predictors[0].bundle):
        predictors.pop()
    if len({p.bundle.version for p in predictors}) < len(predictors):
        raise UserError("bundle names one version twice; compare different ones")
    if len(settings.manifests) > 1:
        _score_corpora(predictors, settings, run)
        return
    scored = {}
    for p in predictors:
        clips = _clips(p.bundle, p.bundle if champion is None else predictors[0].bundle, settings)
        scored[p.bundle.version] = _score(p, clips, settings, _rule(p.bundle, settings))
    alone = len(scored) == 1
    for version, result in scored.items():
        folder = run if alone else run / version
        start = time.process_time()
        _write(result, folder, settings)
        show(*_tables(result, folder, time.process_time() - start))
    pairs = _compare(scored, run, () if settings.champion is None else NAMES[: len(scored)])
    if settings.fail_if_worse and is_worse(pairs):
        print("error: the champion is better on clean clips by more than chance", file=sys.stderr)
        sys.exit(1)


def _compare(scored: Mapping[str, _Scored], run: Path, names: Sequence[str]) -> Mapping[str, Sequence[Pair]]:
    labels = short_names([result.results["clean"].predictor.bundle for result in scored.values()], names)
    results = {labels[version]: result.results for version, result in scored.items()}
    texts = merge_warnings({labels[version]: result.warnings for version, result in scored.items()})
    pairs = compare_bundles(results)
    write_summary(run / "summary.md", results, pairs, texts)
    if len(scored) == 1:
        return pairs
    conditions = {name: [asdict(pair) for pair in rows] for name, rows in pairs.items()}
    facts = {label: version for version, label in labels.items()}
    write_json(run / "comparison.json", {"bundles": facts, "conditions": conditions})
    write_page(run / "report.html", comparison_page(results, pairs, texts))
    show(comparison_table(results, pairs), facts_table([*facts.items(), ("report", str(run / "report.html"))]))
    return pairs


def _score(predictor: Predictor, chosen: ChosenClips, settings: EvaluateSettings, rule: Rule | None) -> _Scored:
    bundle = predictor.bundle
    with progress_bar(f"scoring {bundle.version} on {chosen.clips.path}") as progress:
        results = evaluate(
            predictor,
            chosen.clips,
            settings.conditions,
            rule=rule,
            keep=Path(settings.outputs) / "answers",
            digests=chosen.digests,
            force=settings.force,
            progress=progress,
        )
    clean = results["clean"]
    if clean.metrics["n"] == 0:
        raise UserError(f"{chosen.clips.path}: not one readable clip has a label; there is nothing to score")
    overlap = find_overlap(bundle, chosen.clips, chosen.digests)
    found = warnings(clean, chosen.whole, overlap, chosen.unknown, chosen.digests)
    if (beside := clean.metrics.get("reference")) and not beside["better"]:
        found.append(f"{against_reference(beside)} On these clips the rule would do.")
    return _Scored(results, overlap, found, chosen.unknown, _hear_others(predictor, settings))


def _hear_others(predictor: Predictor, settings: EvaluateSettings) -> list[OffMenu]:
    """What the bundle makes of recordings that it should not answer."""
    if not settings.others:
        return []
    heard = []
    for name, place in zip(names_of(settings.others), settings.others, strict=True):
        clips = read_off_menu(place)
        with progress_bar(f"hearing {name}") as progress:
            keep = Path(settings.outputs) / "answers"
            results = evaluate(predictor, clips, keep=keep, force=settings.force, progress=progress)
        heard.append(OffMenu(name, results["clean"]))
    return heard


def _rule(bundle: Bundle, settings: EvaluateSettings) -> Rule | None:
    return build_rule(bundle.config.get("reference") if settings.reference is None else settings.reference, bundle.spec)


def _clips(bundle: Bundle, of: Bundle, settings: EvaluateSettings) -> ChosenClips:
    """What to score: the clips that are named, or else the test split that the bundle `of` was trained beside."""
    heads, on_unknown = bundle.spec.heads, settings.on_unknown_label
    if settings.manifests:
        path = Path(settings.manifests[0])
        return choose_clips(path, heads, on_unknown, split=settings.split, column=settings.split_column)
    own = of.metrics.get("manifest")
    if own is None or not Path(own).is_file():
        raise UserError("name the recordings to score: manifest=path/metadata.csv")
    return trained_beside(Path(own), heads, of.config.get("data") or {}, on_unknown, split=settings.split or "test")


def _score_corpora(predictors: Sequence[Predictor], settings: EvaluateSettings, run: Path) -> None:
    """Every bundle on every corpus; a report of each, and one table of all."""
    bundles = {p.bundle.version: p.bundle for p in predictors}
    spec = require_one_task(list(bundles.values()))
    rules = {version: _rule(bundle, settings) for version, bundle in bundles.items()}
    head = counted_head(spec, list(rules.values()))
    chosen = choose_corpora(
        [Path(path) for path in settings.manifests],
        spec,
        head,
        settings.on_unknown_label,
        split=settings.split,
        column=settings.split_column,
    )
    labels = short_names(list(bundles.values()))
    scored: dict[str, dict[str, _Scored]] = {}
    for predictor in predictors:
        version = predictor.bundle.version
        for corpus, choice in chosen.items():
            result = _score(predictor, choice, settings, rules[version])
            scored.setdefault(labels[version], {})[corpus] = result
            _write(result, run / version / corpus, settings)
    results = {label: {corpus: s.results for corpus, s in row.items()} for label, row in scored.items()}
    overlaps = {(label, corpus): s.overlap for label, row in scored.items() for corpus, s in row.items()}
    tables = corpora_tables(results, head, overlaps)
    leaks = [
        f"{label} on {corpus}: {text}"
        for label, row in scored.items()
        for corpus, s in row.items()
        for text in s.warnings
        if text.startswith("LEAK")
    ]
    found = [*leaks, *(text for text, clear in against_rules(tables, results) if not clear)]
    write_corpora(run, tables, results, chosen, found)
    facts = [("warning", text) for text in found] + [("", text) for text in notes(tables)]
    facts += [(label, version) for version, label in labels.items()]
    facts += [("report", str(run / "report.html")), ("table", str(run / "corpora.csv"))]
    show(*(terminal_table(table) for table in tables), facts_table(facts))


def _write(scored: _Scored, folder: Path, settings: EvaluateSettings) -> None:
    clean = scored.results["clean"]
    document = metrics_document(scored.results, scored.overlap, scored.warnings, scored.unknown)
    if scored.off_menu:
        document["off_menu"] = rejection(clean, scored.off_menu)
    write_json(folder / "metrics.json", document)
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
    write_page(folder / "report.html", report_page(scored.results, ReportFacts(scored.warnings, how, scored.off_menu)))


def _tables(scored: _Scored, folder: Path, report_s: float) -> list[Any]:
    clean = scored.results["clean"]
    version = clean.predictor.bundle.version
    metrics = {name: result.metrics for name, result in scored.results.items()}
    facts = [("warning", text) for text in scored.warnings]
    facts += [("unreadable", message) for message in clean.broken[:10]]
    if len(clean.broken) > 10:
        facts.append(("unreadable", f"and {len(clean.broken) - 10} more, all in metrics.json"))
    facts += [("unreadable", sentence) for sentence in unreadable(scored.off_menu)]
    facts += [
        ("report", f"{folder / 'report.html'} (written in {report_s:.0f} CPU seconds)"),
        ("metrics", str(folder / "metrics.json")),
        ("every answer", str(folder / "predictions.csv")),
    ]
    return [
        metrics_table(metrics, f"{version} on {clean.manifest.path}; {clean.metrics['interval']}"),
        speaker_table(clean.metrics),
        off_menu_table(rejection(clean, scored.off_menu)) if scored.off_menu else None,
        facts_table(facts),
    ]


if __name__ == "__main__":
    run_command(main)

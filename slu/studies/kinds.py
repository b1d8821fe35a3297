"""What `slu.train` makes instead of a single fit: a cross-validation, a learning curve, the worth of a split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slu.evaluation.reference import Rule
from slu.evaluation.tables import facts_table, show
from slu.studies import split_report
from slu.studies.crossval import leave_one_speaker_out
from slu.studies.curve_report import curve_table, make_report, write_report
from slu.studies.learning_curve import LearningCurveSettings, run_learning_curve
from slu.studies.registering import register
from slu.studies.split_effect import SplitEffectSettings, run_split_effect
from slu.studies.summary import run_facts
from slu.training.fit import FitSettings
from slu.training.provenance import training_record
from slu.training.recording import publish
from slu.training.stages import Prepared, run_settings, split_settings


def cross_validate(
    settings: Mapping[str, Any], data: Prepared, fit_settings: FitSettings, run: Path, rule: Rule | None
) -> None:
    # A split that was made here leaks only where `random` asked for it; any other that leaks came with the data.
    came_with_data = split_settings(settings).method != "random"
    result = leave_one_speaker_out(data, fit_settings, run, own_split=came_with_data, rule=rule)
    everybody = training_record(data.features.table.assign(split="train"), data.spec.head_names)
    tests = {"leave_one_speaker_out": result.to_json()}
    registered = register(settings, data, result.final, everybody, tests, run)
    published = publish(fit_settings.loggers, registered.folder, data.spec.task)
    facts = run_facts(result.final, registered, run, published=published)
    show(result.table(f"{data.spec.task}: leave one speaker out"), facts)


def learn_by_shares(
    study: LearningCurveSettings, settings: Mapping[str, Any], data: Prepared, fit_settings: FitSettings, run: Path
) -> None:
    home, noise = Path(settings["outputs"]) / "studies", run_settings(settings).noise_test_snr_db
    results, folder = run_learning_curve(study, data, fit_settings, noise, home)
    synthetic = settings["data"]["manifest"] is None
    report = make_report(results, study.question, data, settings["trainer"]["max_epochs"], synthetic=synthetic)
    write_report(run, report)
    print(f"\n{report.answer}\n", flush=True)
    show(curve_table(report.curve), facts_table([("report", str(run / "report.html")), ("fits", str(folder))]))


def compare_splits(
    effect: SplitEffectSettings, settings: Mapping[str, Any], data: Prepared, fit_settings: FitSettings, run: Path
) -> None:
    home = Path(settings["outputs"]) / "studies"
    results, folder = run_split_effect(effect, data, split_settings(settings), fit_settings, home)
    report = split_report.make_report(results, data, synthetic=settings["data"]["manifest"] is None)
    split_report.write_report(run, report)
    print(f"\n{report.answer}\n", flush=True)
    show(
        split_report.split_table(report.rows),
        facts_table([("report", str(run / "report.html")), ("fits", str(folder))]),
    )

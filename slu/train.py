"""Train a recogniser, test it and register it; runs the stages before it where needed."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning.pytorch.callbacks import Callback
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.common.code_version import code_version
from slu.common.errors import UserError
from slu.common.files import from_here, one_at_a_time, write_json
from slu.common.launchers import launcher_of
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.corpus.splits import describe_split
from slu.evaluation.decision import Decision, DecisionSettings, require_decidable
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.plots import confusion_figure
from slu.evaluation.reference import Rule, build_rule
from slu.evaluation.run import subset
from slu.evaluation.tables import metrics_table, show
from slu.features.augment import AugmentSettings
from slu.search import SEVERAL_PROCESSES, SINGLE, as_job, keep_submitit, refuse_several_processes, search
from slu.studies.decision import choose_decision
from slu.studies.kinds import compare_splits, cross_validate, learn_by_shares
from slu.studies.learning_curve import learning_curve_settings
from slu.studies.registering import fit_facts, register
from slu.studies.scoring import score_fitted
from slu.studies.split_effect import split_effect_settings
from slu.studies.summary import run_facts
from slu.studies.trial_report import ReportToStudy, TrialResult, result, running_trial
from slu.training.checkpoints import check_checkpoint, require_checkpoint
from slu.training.classifier import LossSettings
from slu.training.datamodule import LoaderSettings
from slu.training.fit import FitSettings, Fitted, fit, refuse_unaugmentable
from slu.training.loggers import start_loggers
from slu.training.provenance import training_record
from slu.training.ranks import Followed, Ranks, require_ranks
from slu.training.recording import publish, record
from slu.training.settings import RunSettings, require_epochs
from slu.training.stages import Prepared, prepare, require_front_end, require_splits, run_settings


@hydra.main(version_base="1.3", config_path="../conf", config_name="train")
def main(config: DictConfig) -> float | TrialResult | None:
    try:
        if HydraConfig.get().mode is RunMode.MULTIRUN:
            return as_job(_train)(config)
        return reports_errors(_train)(config)
    except Followed:
        return None


def _train(config: DictConfig) -> float | TrialResult | None:
    code_version()  # of the bundle: by its end, the checkout may be another
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    outputs, run = Path(settings["outputs"]), from_here(Path(HydraConfig.get().runtime.output_dir))
    plain = run_settings(settings)
    study = None if settings["learning_curve"] is None else learning_curve_settings(settings["learning_curve"])
    name, effect = str(HydraConfig.get().runtime.choices["model"]), settings["split_effect"]
    effect = None if effect is None else split_effect_settings(effect, name, settings["model"])
    decision_settings = parse_settings(DecisionSettings, settings["decision"], "decision")
    ranks = require_ranks(settings["trainer"])
    require_epochs(settings["trainer"])
    _refuse_combined(settings, plain, decision_settings, ranks)
    _refuse_idle_menu(settings)
    torch.set_num_threads(plain.threads)
    reporting = _reporting(config, plain)
    fit_settings = _fit_settings(config, settings, plain, run, reporting)
    resume_from = None if plain.ckpt_path is None else Path(plain.ckpt_path)
    if resume_from is not None:
        require_checkpoint(resume_from)

    refuse_unaugmentable(require_front_end(settings), fit_settings.augment, fit_settings.loader)
    with one_at_a_time(outputs / ".preparing"):  # of nodes that share a disk, the others find what the first prepared
        data = prepare(settings, outputs)
    rule = build_rule(settings.get("reference"), data.spec)
    if plain.cross_validation is not None:
        cross_validate(settings, data, fit_settings, run, rule)
        return None  # the folds are tests, and a test is never an objective
    if effect is not None:
        compare_splits(effect, settings, data, fit_settings, run)
        return None
    require_splits(data, settings)
    if study is not None:
        learn_by_shares(study, settings, data, fit_settings, run)
        return None
    require_decidable(decision_settings, data.spec, int((data.features.table["split"] == "val").sum()))
    split = describe_split(data.features.table)
    if split != "speaker-disjoint":
        print(f"warning: {split}; the test may say nothing about new people", flush=True)
    if resume_from is not None:
        check_checkpoint(resume_from, settings["model"], data.spec, plain.seed)
    # A trial that is cut short is tried again by its search.
    print(
        f"run: {run}" + ("" if plain.trial is not None else f"\nif it is cut short: {_resume_command(run)}"), flush=True
    )
    fitted = fit(data.features.table, data.spec, fit_settings, run, resume_from)
    if plain.trial is not None:
        write_json(run / "metrics.json", fit_facts(fitted, data, run))
        pruned = any(callback.pruned for callback in reporting)
        return result(fitted.objective, fitted.validation, plain.objectives, pruned)
    decision = _decide(fitted, data, decision_settings, fit_settings)
    data = replace(data, spec=decision.spec)
    results = _test(fitted, data, plain, rule)
    metrics = {condition: result.metrics for condition, result in results.items()}
    registered = register(
        settings, data, fitted, training_record(data.features.table, data.spec.head_names), metrics, run, decision.facts
    )
    _record(fit_settings, settings, fitted, data, results["clean"])
    published = publish(fit_settings.loggers, registered.folder, data.spec.task)
    title = f"{data.spec.task}: {fitted.parameters:,} parameters on test clips, {split}; generated noise; "
    title += results["clean"].metrics["interval"]
    facts = run_facts(fitted, registered, run, metrics["clean"], decision.sentences, published)
    show(metrics_table(metrics, title), facts)
    return fitted.objective


def _refuse_combined(settings: Mapping[str, Any], plain: RunSettings, decision: DecisionSettings, ranks: Ranks) -> None:
    """Raises UserError where one run is asked to be two, or a study for what only a single fit can do."""
    studies = [n for n in ("cross_validation", "learning_curve", "split_effect") if settings[n] is not None]
    if studies and plain.trial is not None:
        raise UserError(f"a trial is a single fit, compared by its validation clips; set {studies[0]} to null")
    if len(studies) > 1:
        raise UserError(f"{studies[0]} and {studies[1]} are two runs; set one of them to null")
    if ranks.count > 1 and (studies or HydraConfig.get().mode is RunMode.MULTIRUN):
        raise UserError(SEVERAL_PROCESSES)
    if studies and plain.ckpt_path is not None:
        raise UserError(f"ckpt_path resumes a single fit; {studies[0]} is started without it, and goes on by itself")
    if studies and decision.chooses:
        raise UserError(
            "a cross-validation and a study keep no clips to choose on; set decision.calibrate=false "
            "decision.threshold=0.5 decision.min_accuracy=null decision.false_accepts=null"
        )


def _refuse_idle_menu(settings: Mapping[str, Any]) -> None:
    """Raises UserError for a menu that somebody names, and nothing would look at: labels come from the recordings."""
    named = [o for o in HydraConfig.get().overrides.task if o.startswith("menu=")]
    if named and not settings["data"]["synthetic_speech"]:
        raise UserError(
            f"{named[0]} is not looked at: what is learnt are the labels of the recordings; leave it out and name the "
            f"task with data.task=…, or train with the menu's voices beside them, and its labels alone, by "
            f"data.synthetic_speech=true data.task={settings['menu']['task']}"
        )


def _resume_command(run: Path) -> str:
    overrides = [o for o in HydraConfig.get().overrides.task if not o.startswith("ckpt_path=")]
    last = f"ckpt_path={run / 'checkpoints' / 'last.ckpt'}"
    single = [SINGLE] if any(o.startswith("search=") for o in overrides) else []
    return shlex.join(["python", "-m", "slu.train", *overrides, last, *single])


def _reporting(config: DictConfig, plain: RunSettings) -> list[ReportToStudy]:
    """To the study that a trial belongs to; not with several objectives, by which nothing can be ended early."""
    sweeper = HydraConfig.get().sweeper
    if plain.trial is None or plain.objectives or "storage" not in sweeper:  # a trial of no search has nobody to tell
        return []
    pruner = hydra.utils.instantiate(config.pruner)
    return [ReportToStudy(running_trial(str(sweeper.storage), str(sweeper.study_name), plain.trial, pruner))]


def _fit_settings(
    config: DictConfig, settings: Mapping[str, Any], plain: RunSettings, run: Path, callbacks: Sequence[Callback]
) -> FitSettings:
    return FitSettings(
        model=settings["model"],
        loss=parse_settings(LossSettings, settings["loss"], "loss"),
        loader=parse_settings(LoaderSettings, settings["loader"], "loader"),
        augment=parse_settings(AugmentSettings, settings["augment"], "augment"),
        optimizer=hydra.utils.instantiate(config.optimizer),
        scheduler=hydra.utils.instantiate(config.scheduler),
        trainer=settings["trainer"],
        patience=plain.patience,
        seed=plain.seed,
        loggers=start_loggers(
            {name: partial(hydra.utils.instantiate, part) for name, part in config.logger.items()}, settings, run
        ),
        callbacks=callbacks,
    )


def _decide(fitted: Fitted, data: Prepared, settings: DecisionSettings, fit_settings: FitSettings) -> Decision:
    with progress_bar("hearing the validation clips") as progress:
        nothing_to_answer = fit_settings.loss.unlabelled == "uniform"
        return choose_decision(fitted, data, settings, unlabelled_is_wrong=nothing_to_answer, progress=progress)


def _test(fitted: Fitted, data: Prepared, plain: RunSettings, rule: Rule | None) -> dict[str, Evaluation]:
    with progress_bar("testing") as progress:
        test = subset(data.manifest, "split", "test")
        return score_fitted(fitted, data.spec, test, plain.noise_test_snr_db, progress, rule)


def _record(
    fit_settings: FitSettings, settings: Mapping[str, Any], fitted: Fitted, data: Prepared, clean: Evaluation
) -> None:
    figures = {
        f"test/{head.name}": confusion_figure(clean.confusion(head), [head.shown(c) for c in head.classes], head.name)
        for head in data.spec.heads
    }
    test = subset(data.manifest, "split", "test")
    clips = {
        f"test/{test.table['file_name'].iloc[row]}": test.audio_path(row) for row in clean.answers.rows[:4].tolist()
    }
    chosen = {
        k: settings[k] for k in ("seed", "model", "features", "augment", "optimizer", "scheduler", "loader", "loss")
    }
    record(fit_settings.loggers, chosen, fitted.validation, figures, clips, int(settings["features"]["sample_rate"]))


@reports_errors
def start() -> None:
    plain = {"--help", "-h", "--cfg", "-c", SINGLE} & set(sys.argv[1:])
    if not plain:
        refuse_several_processes(sys.argv[1:])
    if any(a.startswith("search=") for a in sys.argv[1:]) and not plain:
        search(sys.argv[1:], _run_with)
    else:
        keep_submitit(launcher_of(sys.argv[1:]))
        run_command(main)


def _run_with(arguments: Sequence[str]) -> None:
    sys.argv[1:] = arguments
    run_command(main)


if __name__ == "__main__":
    start()

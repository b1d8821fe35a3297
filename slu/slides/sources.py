"""Everything that the slides are drawn from: an evaluated run and what it points to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slu.bundles import Bundle, load_bundle
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.corpus.manifest import Manifest, normalise_label, read_manifest
from slu.slides.data import DataFacts, Exploration, count_data, read_exploration
from slu.slides.newest import METRICS
from slu.slides.predictions import Predictions, read_predictions
from slu.slides.study import Study, read_study
from slu.slides.training_log import TrainingLog, read_training_log
from slu.slides.words import Missing

PREDICTIONS = "predictions.csv"
_NEEDED = ("joint_accuracy", "n", "n_joint", "interval", "heads", "speakers", "conditions", "warnings", "bundle")


@dataclass(frozen=True)
class Sources:
    run: Path
    """Folder of the evaluation."""
    metrics: Mapping[str, Any]
    predictions: Predictions | Missing
    bundle: Bundle | Missing
    manifest: Manifest | Missing
    data: DataFacts | Missing
    exploration: Exploration | Missing
    training: TrainingLog | Missing
    study: Study | None
    """None when none was named."""

    @property
    def metrics_path(self) -> Path:
        return self.run / METRICS

    @property
    def warnings(self) -> list[str]:
        """Gravest first."""
        return [str(text) for text in self.metrics["warnings"]]

    @property
    def classes(self) -> dict[str, list[str]]:
        """By head, as far as they were scored."""
        return {name: list(values["classes"]) for name, values in self.metrics["heads"].items() if "classes" in values}

    @property
    def task(self) -> str:
        if not isinstance(self.bundle, Missing):
            return self.bundle.spec.task
        return ", ".join(self.metrics["heads"])


def read_sources(run: Path, outputs: Path, exploration: Path | None = None, study: Path | None = None) -> Sources:
    """Raises UserError for an evaluation that cannot be read, and for a named folder that does not hold what it should.

    What else is missing is said on the slide that would have shown it.
    """
    metrics = _read_metrics(run / METRICS)
    bundle = _find_bundle(run, str(metrics["bundle"]))
    heads = list(metrics["heads"])
    manifest = _find_manifest(metrics.get("manifest"), heads)
    classes = {name: values["classes"] for name, values in metrics["heads"].items() if "classes" in values}
    return Sources(
        run=run,
        metrics=metrics,
        predictions=read_predictions(run / PREDICTIONS, heads),
        bundle=bundle,
        manifest=manifest,
        data=manifest if isinstance(manifest, Missing) else count_data(manifest, classes),
        exploration=read_exploration(exploration, outputs, manifest, heads),
        training=bundle if isinstance(bundle, Missing) else read_training_log(bundle.metrics.get("run")),
        study=None if study is None else read_study(study),
    )


def _read_metrics(path: Path) -> dict[str, Any]:
    try:
        metrics = read_json(path)
    except OSError:
        raise UserError(f"there is no {path}; name the folder of an evaluation with run=FOLDER") from None
    except ValueError:
        raise UserError(f"{path} is not JSON; run `python -m slu.evaluate` again") from None
    absent = [name for name in _NEEDED if not isinstance(metrics, dict) or name not in metrics]
    if absent:
        raise UserError(f"{path} has no '{absent[0]}' as evaluations have; run `python -m slu.evaluate` again")
    return dict(metrics)


def _find_bundle(run: Path, version: str) -> Bundle | Missing:
    """Where the evaluation's settings say, or beside it: an alias may have moved on."""
    for named in map(Path, _named_bundles(run)):
        for folder in (named, named.parent / version):
            if folder.is_dir() and folder.resolve().name == version:
                try:
                    return load_bundle(folder)
                except UserError as error:
                    return Missing(str(error), "train one with `python -m slu.train`, and evaluate it")
    cure = "start the command where `python -m slu.evaluate` was started, or evaluate a bundle again"
    return Missing(f"the bundle {version} is not where the evaluation found it", cure)


def _named_bundles(run: Path) -> Sequence[str]:
    for folder in (run, run.parent):  # of several compared bundles, each has a folder in the run's
        try:
            settings = yaml.safe_load((folder / ".hydra" / "config.yaml").read_text(encoding="utf-8"))
            named = settings["bundle"]
            return [named] if isinstance(named, str) else [str(name) for name in named]
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue
    return []


def _find_manifest(named: object, heads: Sequence[str]) -> Manifest | Missing:
    cure = "start the command where `python -m slu.evaluate` was started"
    if not isinstance(named, str):
        return Missing("the evaluation does not name its manifest", "`python -m slu.evaluate` does, run it again")
    try:
        manifest = read_manifest(Path(named))
    except UserError:
        return Missing(f"the manifest {Path(named).name} is not where the evaluation found it", cure)
    labels = {head: manifest.table[head].map(normalise_label) for head in heads if head in manifest.table.columns}
    return Manifest(manifest.path, manifest.table.assign(**labels))

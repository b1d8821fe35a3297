"""Everything that the slides are drawn from: an evaluated run and what it points to."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.bundles import Bundle, load_bundle
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.corpus.manifest import Manifest, normalise_label, read_manifest
from slu.corpus.splits import SplitSettings, assign_splits, leaking_speakers
from slu.slides.commands import Launch, evaluate_command, explore_command, read_launch, train_command
from slu.slides.data import DataFacts, Exploration, count_data, read_exploration
from slu.slides.display import show_data, show_metrics, show_predictions
from slu.slides.newest import COMPARISON, METRICS, compared_bundles
from slu.slides.predictions import Predictions, read_predictions
from slu.slides.study import Study, read_study
from slu.slides.training_log import TrainingLog, read_training_log
from slu.slides.words import Missing, counted, shown

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
    launch: Launch

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
    def unscored_heads(self) -> list[str]:
        """Of the bundle, when the clips have no such labels."""
        if isinstance(self.bundle, Missing):
            return []
        return [name for name in self.bundle.spec.head_names if name not in self.metrics["heads"]]

    @property
    def all_right(self) -> str:
        """What a clip has that counts as right as a whole."""
        return "every scored label right" if self.unscored_heads else "every label right"

    @property
    def training_split(self) -> str | None:
        if isinstance(self.bundle, Missing):
            return None
        if self.held_out:
            return "each speaker held out in turn"
        return str(self.bundle.metrics.get("split") or "") or None

    @property
    def held_out(self) -> bool:
        """The bundle's training measured what held-out speakers get."""
        return not isinstance(self.bundle, Missing) and bool(
            (self.bundle.metrics.get("test") or {}).get("leave_one_speaker_out")
        )

    @property
    def evaluated_split(self) -> str | None:
        """Where its speakers stand, when that differs from the split of the training."""
        known = (self.metrics.get("overlap_with_training") or {}).get("speakers") or []
        leaking = [] if isinstance(self.manifest, Missing) else leaking_speakers(self.manifest.table)
        if leaking:
            found = f"{counted(len(leaking), 'speaker')} on two sides"
        elif known:
            found = f"{counted(len(known), 'speaker')} of the training"
        else:
            return None
        return None if (self.training_split or "").startswith("speakers leak") else found

    def evaluate(self, *more: str) -> str:
        return evaluate_command(self.launch, self.metrics, shown, *more)

    def explore(self) -> str:
        return explore_command(self.launch, self.metrics, self.bundle, shown)

    def train(self, *more: str) -> str:
        return train_command(self.launch, self.bundle, shown, *more)

    @property
    def task(self) -> str:
        if not isinstance(self.bundle, Missing):
            return self.bundle.spec.task
        return ", ".join(self.metrics["heads"])


def read_sources(run: Path, outputs: Path, exploration: Path | None = None, study: Path | None = None) -> Sources:
    """Raises UserError for an evaluation that cannot be read, and for a named folder that does not hold what it should.

    What else is missing is said on the slide that would have shown it.
    """
    launch = read_launch(run)
    metrics = _read_metrics(run / METRICS, launch)
    bundle = _find_bundle(launch, str(metrics["bundle"]))
    heads = list(metrics["heads"])
    manifest = _find_manifest(metrics.get("manifest"), heads, _split_column(launch, bundle))
    classes = {name: values["classes"] for name, values in metrics["heads"].items() if "classes" in values}
    named = {} if isinstance(bundle, Missing) else {head.name: head for head in bundle.spec.heads}
    predictions = read_predictions(run / PREDICTIONS, heads)
    data = manifest if isinstance(manifest, Missing) else count_data(manifest, classes)
    return Sources(
        run=run,
        metrics=show_metrics(metrics, named),
        predictions=predictions if isinstance(predictions, Missing) else show_predictions(predictions, named),
        bundle=bundle,
        manifest=manifest,
        data=data if isinstance(data, Missing) else show_data(data, named),
        exploration=read_exploration(
            exploration, outputs, manifest, heads, explore_command(launch, metrics, bundle, shown)
        ),
        training=bundle if isinstance(bundle, Missing) else read_training_log(bundle.metrics.get("run")),
        study=None if study is None else read_study(study),
        launch=launch,
    )


def _read_metrics(path: Path, launch: Launch) -> dict[str, Any]:
    again = f"run `{evaluate_command(launch, {}, str)}` again"
    try:
        metrics = read_json(path)
    except OSError:
        if (path.parent / COMPARISON).is_file():
            raise UserError(
                f"{path.parent} compares several bundles; name one of them with {compared_bundles(path.parent)}"
            ) from None
        raise UserError(f"there is no {path}; name the folder of an evaluation with run=FOLDER") from None
    except ValueError:
        raise UserError(f"{path} is not JSON; {again}") from None
    absent = [name for name in _NEEDED if not isinstance(metrics, dict) or name not in metrics]
    if absent:
        again = f"run `{evaluate_command(launch, metrics if isinstance(metrics, dict) else {}, str)}` again"
        raise UserError(f"{path} has no '{absent[0]}' as evaluations have; {again}")
    return dict(metrics)


def _find_bundle(launch: Launch, version: str) -> Bundle | Missing:
    folder = launch.find_bundle(version)
    if folder is None:
        cure = "start the command where `python -m slu.evaluate` was started, or evaluate a bundle again"
        return Missing(f"the bundle {version} is not where the evaluation found it", cure)
    try:
        return load_bundle(folder)
    except UserError as error:
        return Missing(str(error), "train one with `python -m slu.train`, and evaluate it")


def _split_column(launch: Launch, bundle: Bundle | Missing) -> str:
    column = launch.settings.get("split_column") or "split"
    if launch.settings.get("manifest") is None and not isinstance(bundle, Missing):
        column = ((bundle.config.get("data") or {}).get("split") or {}).get("column", column)
    return str(column)


def _find_manifest(named: object, heads: Sequence[str], column: str) -> Manifest | Missing:
    cure = "start the command where `python -m slu.evaluate` was started"
    if not isinstance(named, str):
        return Missing("the evaluation does not name its manifest", "`python -m slu.evaluate` does, run it again")
    try:
        manifest = read_manifest(Path(named))
    except UserError:
        return Missing(f"the manifest {Path(named).name} is not where the evaluation found it", cure)
    labels = {head: manifest.table[head].map(normalise_label) for head in heads if head in manifest.table.columns}
    table = manifest.table.assign(**labels)
    if column != "split" and column in table.columns:
        with suppress(UserError):  # gaps in it: the slides then tell of the column `split`, or of none
            table = assign_splits(table, SplitSettings(method="column", column=column), str(manifest.path))
    return Manifest(manifest.path, table)

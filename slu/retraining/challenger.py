"""The challenger: the champion fine-tuned on the corrections, kept outside the registry until it has passed.

`from_scratch` makes one that is trained anew.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from slu.adaptation.adapt import adapt
from slu.adaptation.clips import labelled_clips
from slu.adaptation.lineage import adapted_metrics, adapted_record
from slu.adaptation.replay import ReplaySettings, replayed
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.bundles import Bundle, Predictor, load_bundle, save_bundle
from slu.bundles.store import Registry
from slu.common.files import atomic_directory, read_json, write_json
from slu.inference.files import METRICS, REFERENCE
from slu.monitoring.reference import reference_if_heard

FOLDER = "challenger"
_TIMED = 12
"""Answers of a second and a half that are timed, of both in turn."""


def make_challenger(
    champion: Bundle,
    manifest: Path,
    replay: ReplaySettings,
    settings: AdaptSettings,
    work: Path,
    outputs: Path,
    workers: int,
) -> Bundle:
    """Made now, unless a retraining was cut short after that. Raises UserError for clips that cannot be used."""
    folder = work / FOLDER
    if not folder.is_dir():
        Recipe.of(champion)
        own = labelled_clips(manifest, champion.spec, champion.front_end.hop_s, outputs, "skip", workers)
        again = replayed(champion, replay, outputs, workers)
        adapted = adapt(champion, own, None, again, settings)
        metrics = adapted_metrics(champion, adapted, own, None, settings, work)
        record = adapted_record(champion, own, None)
        with atomic_directory(folder) as written:
            config = {**champion.config, "adapt": asdict(settings)}
            save_bundle(written, adapted.network, champion.spec, config, metrics, record)
            hears = Predictor(replace(champion, recogniser=adapted.network))
            if reference := reference_if_heard(hears, again.check.manifest(), champion.spec.head_names):
                write_json(written / REFERENCE, reference.to_json(), indent=None)
    return load_bundle(folder)


def register_challenger(registry: Registry, task: str, work: Path) -> str:
    """The version's name; the same one where a retraining before was cut short after registering it."""
    for metrics in sorted((registry.root / task).glob(f"*/{METRICS}")):
        if read_json(metrics).get("run") == str(work) and not metrics.parent.is_symlink():
            return metrics.parent.name

    def write(folder: Path) -> None:
        for file in (work / FOLDER).iterdir():
            shutil.copyfile(file, folder / file.name)

    return registry.register(task, write).version


def latency_ratio(champion: Bundle, challenger: Bundle, seed: int = 0) -> float:
    """CPU seconds of the challenger's answers over the champion's, the medians of answers that were timed in turn."""
    wave = np.random.default_rng(seed).normal(0, 0.05, int(1.5 * champion.front_end.sample_rate)).astype(np.float32)
    answers = [Predictor(bundle).predict_waveforms for bundle in (champion, challenger)]
    spent: list[list[float]] = [[], []]
    for number in range(_TIMED + 2):
        for times, answer in zip(spent, answers, strict=True):
            took = _timed(lambda answer=answer: answer([wave]))  # type: ignore[misc]
            if number >= 2:  # the first ones are slow
                times.append(took)
    return float(np.median(spent[1]) / max(np.median(spent[0]), 1e-9))


def _timed(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start

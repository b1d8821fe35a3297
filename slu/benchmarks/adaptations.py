"""Adaptations of a benchmark: the cold recogniser, fitted to recordings as `python -m slu.adapt` does it.

Each is a bundle among the benchmark's own files, for it is no recogniser to be used, and none is made twice.
"""

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from slu.adaptation.adapt import Adapted, tuned
from slu.adaptation.clips import Clips
from slu.adaptation.lineage import adapted_metrics, adapted_record, data_hash
from slu.adaptation.replay import ReplaySettings, replayed
from slu.adaptation.settings import AdaptSettings
from slu.benchmarks.trainings import Trained
from slu.bundles import load_bundle, save_bundle
from slu.common.files import atomic_directory, read_json
from slu.common.stage import fingerprint, is_fresh, mark_done
from slu.corpus.manifest import Manifest
from slu.inference.files import METRICS
from slu.training.preprocessing import preprocess

VERSION = 2
"""Raised whenever the same settings would give another recogniser."""


@dataclass(frozen=True)
class Adapter:
    outputs: Path
    folder: Path
    """For the bundles."""
    settings: AdaptSettings
    replay: ReplaySettings
    workers: int = 2

    def adapted(self, name: str, cold: Trained, recordings: Manifest, seed: int) -> Trained:
        """Adapted now, unless it was before."""
        bundle = load_bundle(cold.bundle)
        features = preprocess(recordings, bundle.spec, self.outputs, on_bad_audio="skip", workers=self.workers)
        own = Clips(recordings.path, features.table.reset_index(drop=True), bundle.spec, bundle.front_end.hop_s)
        settings = replace(self.settings, seed=seed)
        known = {"settings": asdict(settings), "replay": asdict(self.replay), "data": data_hash(bundle, own, None)}
        value = fingerprint(version=VERSION, parent=bundle.version, **known)
        folder = self.folder / f"{re.sub(r'[^a-z0-9]+', '-', name)}-{value[:8]}"
        if is_fresh(folder, value):
            print(f"{name}: adapted before, {folder}", flush=True)
            return Trained(folder, read_json(folder / METRICS))
        left_out = f", {len(features.rejected)} that cannot be used left out" if len(features.rejected) else ""
        print(f"{name}: adapting {bundle.version} to {len(own.files)} recordings{left_out}", flush=True)
        voices = replayed(bundle, self.replay, self.outputs, self.workers).train
        fit = tuned(bundle, own, None, voices, settings, seed=seed)
        metrics = adapted_metrics(
            bundle, Adapted(fit.network, (), fit.facts(own, None, voices)), own, None, settings, folder
        )
        record = adapted_record(bundle, own, None)
        with atomic_directory(folder) as whole:
            save_bundle(whole, fit.network, bundle.spec, bundle.config, metrics, record)
            mark_done(whole, value)
        return Trained(folder, metrics)

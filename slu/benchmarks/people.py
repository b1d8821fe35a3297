"""A benchmark on recordings of people: train by its protocols, hear the recordings clean and in noise, count."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from slu.adaptation.replay import ReplaySettings
from slu.adaptation.settings import AdaptSettings
from slu.audio.decode import AudioError, Waveform, decode
from slu.benchmarks.adaptations import Adapter
from slu.benchmarks.commands import MEASURES, score_commands
from slu.benchmarks.folds import group_folds
from slu.benchmarks.noise import Babble, Noise, RecordedNoise, noisy_conditions
from slu.benchmarks.recordings import BARISTA, CLIPS, DIGITS_ID, FSDD, Recordings, open_recordings, write_beside
from slu.benchmarks.results import CLEAN
from slu.benchmarks.trainings import Compose, Start, Trained, Trainer, Training, plain_settings, setting
from slu.bundles import Predictor, load_bundle
from slu.common.errors import UserError
from slu.common.progress import progress_bar
from slu.corpus.manifest import Manifest, normalise_label, read_manifest
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.honesty import find_overlap
from slu.evaluation.run import clip_digests, evaluate, subset
from slu.versions.places import bundle_place

PUBLIC = {public.name: public for public in (BARISTA, FSDD, DIGITS_ID)}
Protocol = Literal["cold", "grouped", "leave_one_speaker_out"]
_VOICES = 60
"""Clips that the generated babble is made of."""


@dataclass(frozen=True)
class PeopleSettings:
    name: Literal["barista", "fsdd", "digits_id"]
    recordings: str | None
    bundle: str | tuple[str, ...] | None
    """Heard instead of training."""
    protocol: Protocol | tuple[Protocol, ...]
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    cold_experiment: str
    """Of `conf/experiment`: what the cold protocol trains, and the grouped one starts from."""
    train: dict[str, Any]
    """Further settings of every training."""
    snr_db: tuple[float, ...]
    draws: Annotated[int, Field(ge=1)]
    noise: str | None
    """A folder; none: the benchmark's own recordings, or where there are none, generated babble."""
    noise_seed: Annotated[int, Field(ge=0)]
    threads: Annotated[int, Field(ge=1)]
    outputs: str
    folds: Annotated[int, Field(ge=2)] = 5
    fold_adapt: AdaptSettings = AdaptSettings()
    """How the cold recogniser is fitted to the other folds' recordings."""
    fold_replay: ReplaySettings = ReplaySettings()
    held_out_experiment: str = ""
    """What leave_one_speaker_out trains."""

    @property
    def protocols(self) -> tuple[str, ...]:
        return (self.protocol,) if isinstance(self.protocol, str) else self.protocol

    @property
    def bundles(self) -> tuple[str, ...]:
        return () if self.bundle is None else (self.bundle,) if isinstance(self.bundle, str) else self.bundle


@dataclass(frozen=True)
class Measured:
    settings: PeopleSettings
    recordings: Recordings
    answers: pd.DataFrame
    """One row per clip, condition and run, as `score_commands` gives it, with `protocol`, `run`, `noise`, `snr_db` and
    `draw`; of speakers held out in turn, one row per speaker."""
    trained: dict[str, Any]
    """By run: bundle, parameters, epochs and CPU seconds, as far as known."""
    warnings: list[str]


class PeopleBenchmark:
    def __init__(self, settings: PeopleSettings, compose: Compose, start: Start) -> None:
        """Raises UserError for recordings that are not there, and for a protocol that they cannot be put through."""
        self.settings, self.public = settings, PUBLIC[settings.name]
        self.outputs = Path(settings.outputs)
        self.work = self.outputs / "benchmarks" / settings.name
        self.recordings = open_recordings(self.public, settings.recordings, self.work)
        self.trainer = Trainer(self.outputs, self.work / "trainings", compose, start)
        self.adapter = Adapter(self.outputs, self.work / "adaptations", settings.fold_adapt, settings.fold_replay)
        self.parts: list[pd.DataFrame] = []
        self.trained: dict[str, Any] = {}
        self.warnings: list[str] = []
        grouped = "grouped" in settings.protocols and not settings.bundles
        self.folds = (
            self._write_folds() if grouped else []
        )  # what is wrong with them is said before anything is trained

    def measure(self) -> Measured:
        if self.settings.bundles:
            self._given_bundles()
        else:
            protocols = {"cold": self._cold, "grouped": self._grouped, "leave_one_speaker_out": self._held_out}
            for seed in self.settings.seeds:  # seed by seed: cut short, every protocol has been through some
                for protocol in self.settings.protocols:
                    protocols[protocol](seed)
        answers = pd.concat(self.parts, ignore_index=True)
        return Measured(self.settings, self.recordings, answers, self.trained, list(dict.fromkeys(self.warnings)))

    def _given_bundles(self) -> None:
        for folder in self.settings.bundles:
            bundle = load_bundle(bundle_place(folder, self.outputs / "registry"))
            self._hear("bundle", bundle.version, Trained(bundle.folder, bundle.metrics), self.recordings.manifest)

    def _cold(self, seed: int) -> None:
        self._hear("cold", f"seed {seed}", self._trained_cold(seed), self.recordings.manifest)

    def _trained_cold(self, seed: int) -> Trained:
        return self._train(f"cold, seed {seed}", seed, (f"experiment={self.settings.cold_experiment}",))

    def _grouped(self, seed: int) -> None:
        cold = self._trained_cold(seed)
        for number, manifest in enumerate(self.folds, 1):
            name = f"grouped, seed {seed}, fold {number} of {self.settings.folds}"
            others = subset(self._normalised(read_manifest(manifest)), "split", "train")
            trained = self.adapter.adapted(name, cold, others, seed)
            self._record(name, trained)
            self._hear("grouped", f"seed {seed}", trained, manifest, "test")

    def _write_folds(self) -> list[Path]:
        """A manifest per fold, beside that of the recordings."""
        manifest = read_manifest(self.recordings.manifest)
        tables = group_folds(manifest.table, self.settings.folds, str(self.recordings.source))
        audio = manifest.folder / CLIPS
        inside = manifest.table["file_name"].str.removeprefix(f"{CLIPS}/")
        return [
            write_beside(table.assign(file_name=inside), audio, self.work, f"fold-{number}-of-{len(tables)}.csv")
            for number, table in enumerate(tables, 1)
        ]

    def _held_out(self, seed: int) -> None:
        columns = read_manifest(self.recordings.manifest).table.columns
        if "speaker" not in columns:
            raise UserError(f"{self.recordings.source} has no column 'speaker' to hold one out; use protocol=cold")
        own = () if "source_split" in columns else ("data.split.column=split", "data.split.method=speaker")
        manifest = setting("data.manifest", str(self.recordings.manifest))
        settings = (f"experiment={self.settings.held_out_experiment}", manifest, *own)
        trained = self._train(f"leave one speaker out, seed {seed}", seed, settings)
        people = trained.metrics["test"]["leave_one_speaker_out"]["speakers"]
        rows = [
            {"clip": name, "speaker": name, "label": "", "clips": of["n"]}
            | dict.fromkeys(MEASURES[:2], of["joint_accuracy"])
            for name, of in people.items()
        ]
        self._add(pd.DataFrame(rows), "leave_one_speaker_out", f"seed {seed}", CLEAN, float("nan"), 0)

    def _train(self, name: str, seed: int, settings: Sequence[str]) -> Trained:
        further = plain_settings(self.settings.train)
        trained = self.trainer.trained(Training(name, (*settings, f"seed={seed}", *further)))
        self._record(name, trained)
        return trained

    def _record(self, name: str, trained: Trained) -> None:
        known = ("parameters", "epochs", "cpu_s")
        self.trained[name] = {"bundle": str(trained.bundle)} | {key: trained.metrics.get(key) for key in known}

    def _hear(self, protocol: str, run: str, trained: Trained, manifest: Path, split: str | None = None) -> None:
        predictor = Predictor(load_bundle(trained.bundle))
        spec, rate = predictor.bundle.spec, predictor.bundle.front_end.sample_rate
        clips = read_manifest(manifest)
        clips = clips if split is None else subset(clips, "split", split)
        clips = self._normalised(clips)
        asked = [name for name in self.public.heads if name in clips.table.columns]
        if unasked := sorted(set(asked) - set(spec.head_names)):
            raise UserError(
                f"{trained.bundle} does not answer {unasked[0]}, which {self.settings.name} asks for; "
                "name a bundle that was trained for it"
            )
        digests = clip_digests(clips)
        noises = self._noises(clips, digests, rate) if self.settings.snr_db else []
        conditions = noisy_conditions(noises, self.settings.snr_db, self.settings.draws, rate, self.settings.noise_seed)
        with progress_bar(f"hearing {protocol}, {run}") as progress:
            results = evaluate(
                predictor,
                clips,
                ConditionSettings(),
                extra=list(conditions.values()),
                keep=self.outputs / "answers",
                digests=digests,
                progress=progress,
            )
        for (noise, snr, draw), condition in {(CLEAN, float("nan"), 0): None, **conditions}.items():
            evaluation = results[CLEAN if condition is None else condition.name]
            scored = score_commands(evaluation)
            self._add(scored, protocol, run, noise, snr, draw)
            if condition is None:
                print(f"{protocol}, {run}: {scored['strict'].mean():.3f} right of {len(scored)}, clean", flush=True)
        if overlap := find_overlap(predictor.bundle, clips, digests).clips:
            self.warnings.append(f"LEAK: {trained.bundle} was trained on {overlap} of the clips that are scored")
        for head in (head for head in spec.heads if head.name in asked):
            labels = clips.table[head.name]
            strange = labels[~labels.isin(["", *head.classes])]
            for label, count in strange.value_counts().sort_index().items():
                text = f"the recogniser does not know {head.name} '{label}', and was wrong about {count} clips of it"
                self.warnings.append(text)
        self.warnings += [f"not scored: {text}" for text in results[CLEAN].broken]

    def _normalised(self, clips: Manifest) -> Manifest:
        """With labels as recognisers write them."""
        asked = [name for name in self.public.heads if name in clips.table.columns]
        return Manifest(clips.path, clips.table.assign(**{n: clips.table[n].map(normalise_label) for n in asked}))

    def _noises(self, clips: Manifest, digests: Sequence[str], rate: int) -> list[Noise]:
        if self.settings.noise is not None:
            folder = Path(self.settings.noise)
            if not folder.is_dir():
                raise UserError(f"there is no folder {folder}; correct noise=")
            return [RecordedNoise(folder.name, sorted(p for p in folder.rglob("*") if p.is_file()), rate)]
        if self.recordings.noises:
            return [RecordedNoise(path.stem, [path], rate) for path in self.recordings.noises]
        voices = _voices(clips, rate)
        return [Babble(voices, [digests[number] for number, _ in voices])]

    def _add(self, rows: pd.DataFrame, protocol: str, run: str, noise: str, snr_db: float, draw: int) -> None:
        self.parts.append(rows.assign(protocol=protocol, run=run, noise=noise, snr_db=snr_db, draw=draw))


def _voices(clips: Manifest, rate: int) -> list[tuple[int, Waveform]]:
    """Clips spread evenly over the test, with their numbers."""
    step = max(1, len(clips.table) // _VOICES)
    found = []
    for row in range(0, len(clips.table), step):
        try:
            found.append((row, decode(clips.audio_path(row), rate)))
        except AudioError:
            continue
    return found

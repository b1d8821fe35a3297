"""How much a few clips of a new speaker help: a bundle adapted to 0, 1, 5, … of them, and heard on the others.

The plan is every speaker x seed x number of clips. A seed draws an order of the speaker's clips in which the classes
come in turn, as somebody would record them; smaller numbers take the first of it. All are heard on the clips behind
the largest number, so that a curve has one test. No other speaker's clips are ever learnt from.

Of `mistakes`, they are what a shop corrects: of a random half of the speaker's clips those that the bundle gets wrong,
as they come; heard is the other half, of which nothing was left out.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from slu.adaptation.adapt import tuned
from slu.adaptation.check import answered
from slu.adaptation.clips import Clips
from slu.adaptation.drawing import in_turn
from slu.adaptation.replay import Replay
from slu.adaptation.settings import AdaptSettings
from slu.bundles import Bundle, Predictor
from slu.common.errors import UserError
from slu.common.files import settings_hash
from slu.common.stage import fingerprint
from slu.corpus.splits import speakers
from slu.evaluation.intervals import mean_interval
from slu.evaluation.run import evaluate
from slu.studies.stored import Result, run_stored
from slu.training.feature_store import audio_digest

VERSION = 3
"""Raised whenever the same settings would give other results, so that older ones are not taken for them."""

CurveOf = Literal["any", "mistakes"]


@dataclass(frozen=True)
class AdaptationCurveSettings:
    counts: tuple[int, ...]
    """Clips to adapt to."""
    seeds: tuple[int, ...]
    jobs: int = 1
    """Fits at a time, each in a process with one thread."""
    of: CurveOf = "any"

    def __post_init__(self) -> None:
        for name, values in (("curve", self.counts), ("curve_seeds", self.seeds)):
            if not values or len(set(values)) < len(values):
                raise UserError(f"{name}={list(values)}: name at least one value, and none twice")


@dataclass(frozen=True)
class Draw:
    """The clips of one speaker that are learnt from, and those that are heard."""

    speaker: str
    seed: int
    count: int
    learnt: tuple[str, ...]
    heard: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        return settings_hash(self.speaker, self.seed, list(self.learnt), sorted(self.heard))

    @property
    def file_name(self) -> str:
        return f"{settings_hash(self.speaker)}-{self.seed}-{self.count}.json"


@dataclass(frozen=True)
class Materials:
    """What all fits have in common."""

    bundle: Bundle
    own: Clips
    replay: Replay
    settings: AdaptSettings


@dataclass(frozen=True)
class CurveResult(Result):
    speaker: str
    seed: int
    count: int
    learnt: int
    """Fewer than `count` where the bundle makes fewer mistakes."""
    accuracy: float
    """Every labelled head right, on the speaker's other clips."""
    frozen: float
    """The same on validation clips of the bundle's own training: what was forgotten."""
    clips: int
    cpu_s: float


@dataclass(frozen=True)
class CurvePoint:
    count: int
    learnt: float
    """Mean over all fits."""
    mean: float
    """Over speakers, of the means over seeds."""
    interval: tuple[float, float]
    """95 %, bootstrap over speakers."""
    worst: float
    worst_speaker: str
    frozen: float
    cpu_s: float
    by_speaker: dict[str, float]


@dataclass(frozen=True)
class AdaptationCurve:
    task: str
    bundle: str
    manifest: str
    folder: str
    points: tuple[CurvePoint, ...]
    results: tuple[CurveResult, ...]
    settings: AdaptSettings
    of: CurveOf = "any"


def plan(settings: AdaptationCurveSettings, own: Clips, mistaken: Collection[str] = ()) -> list[Draw]:
    """Seed by seed; `mistaken` are the files that the bundle gets wrong.

    Raises UserError where a speaker has too few clips, or clips do not name their speakers.
    """
    files = own.table.drop_duplicates("file_name").reset_index(drop=True)
    people, most = speakers(files, str(own.path)), max(settings.counts)
    parts: dict[tuple[str, int], tuple[list[str], list[str]]] = {}
    for name in sorted(people.unique()):
        table = files[people == name].reset_index(drop=True)
        if len(table) <= most:
            raise UserError(
                f"{own.path}: speaker '{name}' has {len(table)} clips with labels, and none would be left to hear "
                f"after {most}; lower the curve, or take the speaker out"
            )
        for seed in settings.seeds:
            rng = np.random.default_rng([seed, 3])
            if settings.of == "mistakes":
                order = rng.permutation(len(table)).tolist()
                stream, rest = order[: len(table) // 2], order[len(table) // 2 :]
                learnt = [row for row in stream if str(table["file_name"].iloc[row]) in mistaken]
            else:
                learnt = in_turn(table, own.spec.heads, rng, most)
                rest = sorted(set(range(len(table))) - set(learnt))
            names = table["file_name"].astype(str)
            parts[name, seed] = (names.iloc[learnt].tolist(), names.iloc[rest].tolist())
    return [
        Draw(name, seed, count, tuple(parts[name, seed][0][:count]), tuple(parts[name, seed][1]))
        for seed in settings.seeds
        for name in sorted(people.unique())
        for count in sorted(settings.counts)
    ]


def mistakes(bundle: Bundle, own: Clips) -> frozenset[str]:
    """The files of which a labelled head is heard wrongly."""
    clips = own.manifest()
    right = evaluate(Predictor(bundle), clips)["clean"].right
    return frozenset(clips.table["file_name"].astype(str)[~right])


def run_adaptation_curve(
    settings: AdaptationCurveSettings, bundle: Bundle, own: Clips, replay: Replay, adapt: AdaptSettings, home: Path
) -> AdaptationCurve:
    """Each fit's result is kept below `home` as soon as it is made; a study that was cut short goes on."""
    key = fingerprint(
        version=VERSION,
        bundle=bundle.version,
        adapt={name: value for name, value in asdict(adapt).items() if name not in ("folds", "min_clips", "force")},
        replay=[sorted(audio_digest(p) for p in part.table["feature_path"]) for part in (replay.train, replay.check)],
    )
    folder = home / f"adaptation_curve-{key}"
    draws = plan(settings, own, mistakes(bundle, own) if settings.of == "mistakes" else ())
    results = run_stored(
        draws, run_draw, Materials(bundle, own, replay, adapt), folder, settings.jobs, kind=CurveResult, line=_line
    )
    return AdaptationCurve(
        task=bundle.spec.task,
        bundle=bundle.version,
        manifest=str(own.path),
        folder=str(folder),
        points=tuple(point(results, count) for count in sorted(settings.counts)),
        results=tuple(results),
        settings=adapt,
        of=settings.of,
    )


def run_draw(draw: Draw, materials: Materials, scratch: Path) -> CurveResult:
    bundle, own = materials.bundle, materials.own
    network, cpu_s = bundle.recogniser, 0.0
    if draw.learnt:
        mine = own.of_files(set(draw.learnt))
        result = tuned(bundle, mine, None, materials.replay.train, materials.settings, seed=draw.seed)
        network, cpu_s = result.network, sum(fit.cpu_s for fit in result.fits)
    heard = answered(bundle, network, own.of_files(set(draw.heard)).manifest())
    frozen = answered(bundle, network, materials.replay.check.manifest())
    return CurveResult(
        fingerprint=draw.fingerprint,
        speaker=draw.speaker,
        seed=draw.seed,
        count=draw.count,
        learnt=len(draw.learnt),
        accuracy=float(heard.right.mean()),
        frozen=float(frozen.right.mean()),
        clips=len(heard.right),
        cpu_s=round(cpu_s, 1),
    )


def point(results: Sequence[CurveResult], count: int) -> CurvePoint:
    mine = [result for result in results if result.count == count]
    names = sorted({result.speaker for result in mine})
    means = {name: float(np.mean([r.accuracy for r in mine if r.speaker == name])) for name in names}
    worst = min(means, key=lambda name: means[name])
    return CurvePoint(
        count=count,
        learnt=float(np.mean([r.learnt for r in mine])),
        mean=float(np.mean(list(means.values()))),
        interval=mean_interval(list(means.values())),
        worst=means[worst],
        worst_speaker=worst,
        frozen=float(np.mean([r.frozen for r in mine])),
        cpu_s=float(np.mean([r.cpu_s for r in mine])),
        by_speaker=means,
    )


def _line(result: CurveResult) -> str:
    return (
        f"{result.learnt} clips of {result.speaker}, seed {result.seed}: {result.accuracy:.3f} on {result.clips} "
        f"others; {result.cpu_s:.0f} CPU seconds"
    )

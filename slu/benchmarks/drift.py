"""Does the monitor find what has changed, and is it quiet where nothing has?

Ten shifts and ten non-shifts, each some hundred clips by synthetic voices that never trained, answered by a real
bundle; what its server would log is written by the server's own functions and read by the monitor's.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile as sf
from pydantic import Field

from slu.audio.decode import Waveform, decode
from slu.benchmarks import sound_shifts as sounds
from slu.common.errors import UserError
from slu.corpus.manifest import Manifest, read_manifest
from slu.corpus.menu import Menu
from slu.corpus.synthesis_plan import SynthesisSettings
from slu.corpus.synthesised import ensure_synthesised
from slu.inference.onnx_runtime import open_predictor
from slu.inference.predictor import Predictor
from slu.monitoring.drift import drift
from slu.monitoring.log_files import Read, read_lines
from slu.monitoring.reference import Reference, read_reference
from slu.monitoring.settings import DriftSettings
from slu.monitoring.sketch import UNDERSTOOD, Sketch
from slu.monitoring.windows import Log
from slu.serving.facts import heard_facts, told
from slu.serving.request_log import RequestLog
from slu.versions.places import bundle_place

_WHISPERING = ("whisper", "whisperf")
_HURRIED_WPM = (210, 270)
_FEW_SPEAKERS = 5


@dataclass(frozen=True)
class DriftStudySettings:
    bundle: str
    outputs: str
    menu: dict[str, Any]
    foreign: dict[str, Any]
    """The same in another language."""
    synthesis: dict[str, Any]
    voices: dict[str, Any]
    reference_file: str | None = None
    """Unless the bundle has its own."""
    clips: Annotated[int, Field(ge=20)] = 200
    """Of each condition."""
    windows: Annotated[tuple[Annotated[int, Field(ge=10)], ...], Field(min_length=1)] = (50, 200)
    """Clips; as many windows of each size as the clips of a condition make."""
    seed: Annotated[int, Field(ge=0)] = 1000
    drift: DriftSettings = field(default_factory=DriftSettings)


@dataclass(frozen=True)
class Condition:
    name: str
    shifted: bool
    menu: Menu
    synthesis: SynthesisSettings
    split: str = "test"
    change: sounds.Change = sounds.unchanged


def conditions(settings: DriftStudySettings, plain: SynthesisSettings) -> list[Condition]:
    """Ten shifts, then ten non-shifts; the latter are other draws of what the reference was drawn from."""
    menu, foreign = Menu.parse(settings.menu, "menu"), Menu.parse(settings.foreign, "foreign")

    def spoken(seed: int, split: str = "test", **voices: Any) -> SynthesisSettings:
        counts = {name: settings.clips if name == split else 1 for name in ("train", "val", "test")}
        return replace(plain, seed=settings.seed + seed, counts=counts, voices=replace(plain.voices, **voices))

    def shift(name: str, change: sounds.Change = sounds.unchanged, menu: Menu = menu, **voices: Any) -> Condition:
        return Condition(name, True, menu, spoken(0, **voices), "test", change)

    def same(
        name: str, seed: int, change: sounds.Change = sounds.unchanged, split: str = "test", **voices: Any
    ) -> Condition:
        return Condition(name, False, menu, spoken(seed, split, **voices), split, change)

    whispering: dict[str, Any] = {
        "test": _WHISPERING,
        "exclude": tuple(name for name in plain.voices.exclude if name not in _WHISPERING),
    }
    few: dict[str, Any] = {"speakers": {**plain.voices.speakers, "test": _FEW_SPEAKERS}}
    return [
        shift("level: 10 dB quieter", sounds.quieter),
        shift("noise: 15 dB below the clip", sounds.noisier),
        shift("band limit: 300 to 3400 Hz", sounds.telephone),
        shift("new voice: people whisper", **whispering),
        shift("class mix: three products alone", menu=_fewer_classes(menu)),
        shift("silence: three clips in ten", sounds.sometimes_silent),
        shift("clipping: 12 dB cut off", sounds.overdriven),
        shift("speed: people hurry", rate=_HURRIED_WPM),
        shift("language: orders in English", menu=foreign),
        shift("other microphone", sounds.other_microphone),
        *(same(f"new draw {number}", number) for number in range(1, 6)),
        same("voices of the validation", 6, split="val"),
        same("voices of the training", 7, split="train", invented_share=0.0),
        same("five speakers alone", 8, **few),
        same("by way of 48 kHz", 9, sounds.by_another_rate),
        same("1 dB louder", 10, sounds.slightly_louder),
    ]


def _fewer_classes(menu: Menu) -> Menu:
    """Of the first head, three classes."""
    document = menu.model_dump(exclude_defaults=True)
    head = next(iter(document["heads"].values()))
    head["classes"] = dict(list(head["classes"].items())[:3])
    return Menu.parse(document, "menu")


@dataclass(frozen=True)
class Found:
    """Of one condition."""

    name: str
    shifted: bool
    understood: float
    """Share of its clips."""
    flagged: Mapping[int, tuple[int, int]]
    """Size of window -> how many drifted, of how many."""
    told: Sequence[str]
    """What the largest window says, the most certain first."""
    names: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def study(
    settings: DriftStudySettings,
    plain: SynthesisSettings,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Found]:
    """The logs stay in `folder`, one of each condition. Raises UserError where there is nothing to compare with."""
    place = bundle_place(settings.bundle, Path(settings.outputs) / "registry")
    reference = read_reference(Path(settings.reference_file) if settings.reference_file else place)
    predictor = open_predictor(place)
    if reference is None or predictor is None:
        lacks = (
            "no reference.json; name another with reference_file=FILE" if reference is None else "a front end of torch"
        )
        raise UserError(f"the bundle {place} has {lacks}")
    found, wanted = [], conditions(settings, plain)
    for number, condition in enumerate(wanted):
        lines = _lines(condition, predictor, settings, folder / f"{number:02d}.log")
        found.append(_found(condition, lines, reference, settings))
        progress(number + 1, len(wanted))
    return found


def _lines(condition: Condition, predictor: Predictor, settings: DriftStudySettings, path: Path) -> list[bytes]:
    """What a server would have logged of the clips, in an order drawn at random."""
    table, _ = ensure_synthesised(condition.menu, condition.synthesis, Path(settings.outputs))
    manifest = read_manifest(table)
    rows = np.flatnonzero((manifest.table["split"] == condition.split).to_numpy())
    rng = np.random.default_rng([settings.seed, len(condition.name)])
    log = RequestLog(str(path))
    for wave in _heard(manifest, rng.permutation(rows).tolist(), condition.change, predictor, rng):
        features = predictor.features(wave)
        (answer,) = predictor.predict_waveforms([wave], [features])
        facts = heard_facts(wave, predictor.sample_rate, features)
        log.write(200, told(answer.to_json(), [facts]), 0.0)
    return list(read_lines([str(path)], Read()))


def _heard(
    manifest: Manifest, rows: Sequence[int], change: sounds.Change, predictor: Predictor, rng: np.random.Generator
) -> Iterator[Waveform]:
    rate = predictor.sample_rate
    for row in rows:
        changed = change(decode(manifest.audio_path(row), rate, predictor.limits), rate, rng)
        sent = io.BytesIO()
        sf.write(sent, changed, rate, format="WAV", subtype="PCM_16")
        yield decode(sent.getvalue(), rate, predictor.limits)


def _found(condition: Condition, lines: Sequence[bytes], reference: Reference, settings: DriftStudySettings) -> Found:
    flagged: dict[int, tuple[int, int]] = {}
    told_of: list[str] = []
    names: list[str] = []
    for size in sorted(settings.windows):
        windows = [lines[i : i + size] for i in range(0, len(lines) - size + 1, size)]
        each = [[c for c in drift(_sketch(window), reference, settings.drift) if c.drifted] for window in windows]
        flagged[size] = sum(bool(changes) for changes in each), len(windows)
        if each:
            told_of, names = [c.sentence for c in each[0]], [c.name for c in each[0]]
    whole = _sketch(lines)
    return Found(condition.name, condition.shifted, whole.reasons[UNDERSTOOD] / whole.clips, flagged, told_of, names)


def _sketch(lines: Sequence[bytes]) -> Sketch:
    (window,) = Log("all").read(lines, Read()).windows.values()
    (sketch,) = window.sketches.values()
    return sketch

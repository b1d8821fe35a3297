"""Fit a bundle to its user by a few clips, labelled or not; a new bundle, unless it got worse."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from slu.adaptation.adapt import Adapted, adapt
from slu.adaptation.check import Change, changes_table
from slu.adaptation.clips import Clips, OnBadAudio, labelled_clips, unlabelled_clips
from slu.adaptation.lineage import adapted_metrics, adapted_record
from slu.adaptation.replay import ReplaySettings, replayed
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.bundles import Bundle, Predictor, load_bundle, save_bundle
from slu.bundles.store import Registry
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import from_here, write_json
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.common.wording import with_interval
from slu.evaluation.tables import facts_table, show
from slu.inference.files import REFERENCE
from slu.monitoring.reference import Reference, reference_if_heard
from slu.studies.adaptation_curve import AdaptationCurveSettings, CurveOf, run_adaptation_curve
from slu.studies.adaptation_curve_report import curve_table, write_report
from slu.versions.places import bundle_place


@dataclass(frozen=True)
class DataSettings:
    on_bad_audio: OnBadAudio


@dataclass(frozen=True)
class Settings:
    bundle: str
    manifest: str | None
    unlabelled: str | None
    outputs: str
    threads: Annotated[int, Field(ge=1)]
    workers: Annotated[int, Field(ge=1)]
    adapt: AdaptSettings
    replay: ReplaySettings
    data: DataSettings
    curve: tuple[Annotated[int, Field(ge=0)], ...] | None
    curve_seeds: tuple[Annotated[int, Field(ge=0)], ...]
    curve_of: CurveOf
    jobs: Annotated[int, Field(ge=1)]


@hydra.main(version_base="1.3", config_path="../conf", config_name="adapt")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(Settings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings")
    run, outputs = from_here(Path(HydraConfig.get().runtime.output_dir)), Path(settings.outputs)
    _refuse_combined(settings)
    torch.set_num_threads(settings.threads)
    bundle = load_bundle(bundle_place(settings.bundle, outputs / "registry"))
    Recipe.of(bundle)
    own, heard = _clips(bundle, settings, outputs)
    replay = replayed(bundle, settings.replay, outputs, settings.workers)
    if settings.curve is not None:
        assert own is not None
        curve = AdaptationCurveSettings(settings.curve, settings.curve_seeds, settings.jobs, settings.curve_of)
        study = run_adaptation_curve(curve, bundle, own, replay, settings.adapt, outputs / "studies")
        write_report(run, study)
        show(curve_table(study), facts_table([("figure", str(run / "adaptation_curve.png")), ("fits", study.folder)]))
        return
    print(f"adapting {bundle.version}: {_told(own, heard)}", flush=True)
    adapted = adapt(bundle, own, heard, replay, settings.adapt)
    metrics = adapted_metrics(bundle, adapted, own, heard, settings.adapt, run)
    write_json(run / "adaptation.json", metrics["adaptation"])
    show(changes_table(adapted.changes, f"{bundle.spec.task}: all labels right; {_effort(adapted)}"))
    if adapted.worse is not None and not settings.adapt.force:
        raise UserError(_refusal(adapted.worse))
    with progress_bar("hearing what its log will be compared with") as progress:
        hears = Predictor(replace(bundle, recogniser=adapted.network))
        reference = reference_if_heard(hears, replay.check.manifest(), bundle.spec.head_names, progress)
    _register(bundle, adapted, metrics, adapted_record(bundle, own, heard), reference, settings)


def _refuse_combined(settings: Settings) -> None:
    if settings.manifest is None and settings.unlabelled is None:
        raise UserError(
            "nothing to adapt to: name clips with labels by manifest=path/metadata.csv, or unlabelled=FOLDER"
        )
    if settings.curve is not None and (settings.manifest is None or settings.unlabelled is not None):
        raise UserError("curve is a study of labelled clips: give it manifest=path/metadata.csv alone")


def _clips(bundle: Bundle, settings: Settings, outputs: Path) -> tuple[Clips | None, Clips | None]:
    spec, hop_s, own, heard = bundle.spec, bundle.front_end.hop_s, None, None
    if settings.manifest is not None:
        path = Path(settings.manifest)
        own = labelled_clips(path, spec, hop_s, outputs, settings.data.on_bad_audio, settings.workers)
    if settings.unlabelled is not None:
        heard = unlabelled_clips(Path(settings.unlabelled), spec, hop_s, outputs, settings.workers)
    for clips in (own, heard):
        if clips is not None and clips.left_out:
            print(f"left out: {clips.left_out} files that cannot be used", flush=True)
    return own, heard


def _told(own: Clips | None, heard: Clips | None) -> str:
    parts = [] if own is None else [f"{len(own.files)} clips with labels"]
    return " and ".join(parts if heard is None else [*parts, f"{len(heard.files)} clips without"])


def _effort(adapted: Adapted) -> str:
    facts = adapted.facts
    steps = " + ".join(map(str, facts["steps"])) or "no"
    believed = (
        f", learnt from {' then '.join(map(str, facts['believed']))} of the unlabelled" if facts["believed"] else ""
    )
    return f"{steps} steps, {facts['cpu_s']:.0f} CPU seconds{believed}"


def _refusal(row: Change) -> str:
    return (
        f"not registered: on the {row.name} the adapted model has {row.after:.3f} right, below the interval of the "
        f"{with_interval(row.before, row.interval)} before; check the labels, take a lower adapt.lr or "
        "adapt.recorded_share, or register it all the same with adapt.force=true"
    )


def _register(
    bundle: Bundle,
    adapted: Adapted,
    metrics: Mapping[str, Any],
    training: Mapping[str, Any],
    reference: Reference | None,
    settings: Settings,
) -> None:
    config = {**bundle.config, "adapt": asdict(settings.adapt)}

    def write(folder: Path) -> None:
        save_bundle(folder, adapted.network, bundle.spec, config, metrics, training)
        if reference is not None:
            write_json(folder / REFERENCE, reference.to_json(), indent=None)

    registered = Registry(Path(settings.outputs) / "registry").register(bundle.spec.task, write)
    facts = [
        ("adapted from", " from ".join(reversed(metrics["adaptation"]["lineage"]))),
        ("bundle", str(registered.folder)),
        *registered.facts(),
        ("test it", f"python -m slu.evaluate bundle={registered.folder} manifest=OTHER_CLIPS/metadata.csv"),
    ]
    if (worse := adapted.worse) is not None:
        facts.insert(0, ("warning", f"registered by adapt.force although the {worse.name} got worse"))
    show(facts_table(facts))


if __name__ == "__main__":
    run_command(main)

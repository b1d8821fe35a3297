"""A challenger that is trained anew, as the champion was, with the corrections among its training clips.

It takes what the champion's training took, and forgets nothing that fine-tuning would: the base corpus is all there.
"""

import importlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from slu.bundles import Bundle, load_bundle, save_bundle
from slu.common.errors import UserError
from slu.common.files import atomic_directory, atomic_write, write_json
from slu.common.settings import parse_settings
from slu.corpus.manifest import Manifest
from slu.evaluation.decision import DecisionSettings
from slu.features.augment import AugmentSettings
from slu.inference.files import REFERENCE
from slu.monitoring.reference import reference_if_heard
from slu.retraining.base import base_corpus
from slu.retraining.challenger import FOLDER
from slu.studies.decision import choose_decision
from slu.studies.registering import fit_facts
from slu.studies.scoring import fresh_predictor
from slu.training.classifier import LossSettings
from slu.training.datamodule import LoaderSettings
from slu.training.fit import FitSettings, fit
from slu.training.provenance import training_record
from slu.training.stages import Prepared, prepare, require_splits

_TRUSTED = ("torch.optim.", "slu.training.schedule.")
"""Settings arrive inside bundles, which may come from anywhere."""
_BASE = "base"


@dataclass(frozen=True)
class ScratchSettings:
    """The `scratch` group."""

    recorded_share: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Of an epoch, where synthetic voices train along: corrections are repeated to reach it."""
    max_epochs: Annotated[int, Field(ge=1)] | None = None
    """None: the champion's."""
    seed: Annotated[int, Field(ge=0)] = 0


def train_anew(
    champion: Bundle, corrections: Path, test: Manifest, settings: ScratchSettings, work: Path, outputs: Path
) -> Bundle:
    """Made now, unless a retraining was cut short after that; a fit that was cut short goes on.

    Raises UserError for a champion whose configuration does not say how it was trained.
    """
    folder = work / FOLDER
    if not folder.is_dir():
        config = _config(champion, _manifest(champion, corrections, test, work / "scratch.csv"), settings)
        try:
            recipe = _recipe(config, settings.seed)
            data = prepare(config, outputs)
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{champion.folder / 'config.yaml'} does not say how to train it anew ({error}); use method=fine_tune"
            ) from None
        require_splits(data, config)
        last = work / "checkpoints" / "last.ckpt"
        fitted = fit(data.features.table, data.spec, recipe, work, last if last.is_file() else None)
        decision = choose_decision(
            fitted,
            data,
            parse_settings(DecisionSettings, config.get("decision") or {}, "decision"),
            unlabelled_is_wrong=recipe.loss.unlabelled == "uniform",
        )
        data = replace(data, spec=decision.spec)
        training = training_record(data.features.table, data.spec.head_names)
        metrics = {
            **fit_facts(fitted, data, work),
            **{key: training[key] for key in ("split", "leaking_speakers")},
            "manifest": champion.metrics.get("manifest"),  # the next generation's base is the same
            "parent": champion.version,
            "test": {},
            **({"decision": decision.facts} if decision.facts else {}),
        }
        clips = _without_corrections(data)
        reference = reference_if_heard(fresh_predictor(fitted, data.spec), clips, data.spec.head_names)
        with atomic_directory(folder) as written:
            kept = {**deepcopy(dict(champion.config)), "trainer": config["trainer"], "seed": settings.seed}
            save_bundle(written, fitted.recogniser, data.spec, kept, metrics, training)
            if reference is not None:
                write_json(written / REFERENCE, reference.to_json(), indent=None)
    return load_bundle(folder)


def _manifest(champion: Bundle, corrections: Path, test: Manifest, path: Path) -> Path:
    """The corrections, to train on, beside the recordings that the champion was trained on; or, where it was trained on
    a menu's voices, which are spoken again, beside the test clips alone."""
    own = pd.read_csv(corrections, dtype=str, keep_default_na=False)
    recorded = (champion.config.get("data") or {}).get("manifest") is not None
    base = base_corpus(champion) if recorded else Manifest(test.path, test.table.assign(split="test"))
    link = path.parent / _BASE
    link.unlink(missing_ok=True)
    link.symlink_to(base.folder.absolute(), target_is_directory=True)
    files = [f"{_BASE}/{name}" for name in base.table["file_name"]]
    table = pd.concat([own.assign(split="train"), base.table.assign(file_name=files)], ignore_index=True).fillna("")
    with atomic_write(path) as file:
        table.to_csv(file, index=False)
    return path


def _config(champion: Bundle, manifest: Path, settings: ScratchSettings) -> dict[str, Any]:
    config: dict[str, Any] = deepcopy(dict(champion.config))
    split = {**((config.get("data") or {}).get("split") or {}), "method": "column", "column": "split"}
    data = {**(config.get("data") or {}), "manifest": str(manifest), "split": split}
    config["data"] = data | {"on_bad_audio": "skip"}  # a correction that is too long stands in nobody's way
    if config["data"].get("synthetic_speech"):
        config["loader"] = {**(config.get("loader") or {}), "recorded_share": settings.recorded_share}
    if settings.max_epochs is not None:
        config["trainer"] = {**(config.get("trainer") or {}), "max_epochs": settings.max_epochs}
    return config


def _recipe(config: Mapping[str, Any], seed: int) -> FitSettings:
    """Without the champion's loggers: the decision page says what came of it."""
    return FitSettings(
        model=config["model"],
        loss=parse_settings(LossSettings, config.get("loss") or {}, "loss"),
        loader=parse_settings(LoaderSettings, config.get("loader") or {}, "loader"),
        augment=parse_settings(AugmentSettings, config.get("augment") or {}, "augment"),
        optimizer=_made(config["optimizer"]),
        scheduler=_made(config["scheduler"]),
        trainer={**config["trainer"], "accelerator": "cpu", "devices": 1},
        patience=int(config.get("patience", 0)),
        seed=seed,
    )


def _made(settings: Mapping[str, Any]) -> Callable[..., Any]:
    """Raises UserError for anything but an optimizer or schedule of PyTorch's or ours."""
    target = str(settings["_target_"])
    module, _, name = target.rpartition(".")
    if not target.startswith(_TRUSTED):
        raise UserError(f"'{target}' in the bundle's configuration is no optimizer or schedule; use method=fine_tune")
    own = {key: value for key, value in settings.items() if key not in ("_target_", "_partial_")}
    return partial(getattr(importlib.import_module(module), name), **own)


def _without_corrections(data: Prepared) -> Manifest:
    table = data.manifest.table
    return Manifest(
        data.manifest.path, table if "source" not in table.columns else table[table["source"] != "feedback"]
    )

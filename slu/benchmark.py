"""Measure speed, memory, scale, serving and monitoring on this machine, or recognisers on recordings."""

import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import hydra
import torch
from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from rich.table import Table

from slu.benchmarks.devices import DevicesSettings, devices_table
from slu.benchmarks.devices import measure as measure_devices
from slu.benchmarks.drift import DriftStudySettings, study
from slu.benchmarks.drift_report import drift_table, summary
from slu.benchmarks.logs import log_reading
from slu.benchmarks.memory import peak_memory
from slu.benchmarks.people import PUBLIC, PeopleBenchmark, PeopleSettings
from slu.benchmarks.report import terminal_tables, write_report
from slu.benchmarks.scale import measure as measure_scale
from slu.benchmarks.scale_report import scale_table, write_scale
from slu.benchmarks.scale_steps import ScaleSettings
from slu.benchmarks.serving import ServingSettings, measure
from slu.benchmarks.serving_report import ratios, serving_tables
from slu.benchmarks.speed import CLIP_S, EPOCH_CLIPS, Pair, feature_speed, inference_speed, training_speed
from slu.benchmarks.summary import Summary
from slu.benchmarks.trainings import start_training
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import write_json
from slu.common.hydra_errors import hydra_sentence
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.corpus.synthesised import synthesis_settings
from slu.evaluation.tables import facts_table, show
from slu.features import build_front_end
from slu.features.augment import AugmentSettings

T = TypeVar("T")
SERVE, DEVICES, SCALE, DRIFT = "serve", "devices", "scale", "drift"


@hydra.main(version_base="1.3", config_path="../conf", config_name="benchmark")
@reports_errors
def main(config: DictConfig) -> None:
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    torch.set_num_threads(int(settings["threads"]))
    suites = {"speed": _speed, "memory": _memory, "logs": _logs}
    wanted = settings["suites"]
    for name in wanted:
        if name not in suites:
            raise UserError(f"suites: there is no '{name}'; known are {', '.join(suites)}")
    results = {name: suites[name](settings) for name in wanted}
    path = Path(HydraConfig.get().runtime.output_dir) / "benchmark.json"
    write_json(path, results)
    print(f"written to {path}")


def _speed(settings: Mapping[str, Any]) -> dict[str, Any]:
    rounds, pairs = int(settings["rounds"]), _pairs(settings)
    augment = parse_settings(AugmentSettings, settings["augment"], "augment")
    features = feature_speed(settings["front_ends"], rounds)
    training = training_speed(pairs, augment, int(settings["batch_size"]), rounds)
    inference = inference_speed(pairs, 5 * rounds)
    show(_feature_table(features), _training_table(training), _inference_table(inference))
    return {"features": features, "training": training, "inference": inference}


def _pairs(settings: Mapping[str, Any]) -> dict[str, Pair]:
    """Raises UserError for a model whose front end is not in the list."""
    front_ends, pairs = settings["front_ends"], {}
    for name, pair in settings["models"].items():
        if pair["features"] not in front_ends:
            raise UserError(
                f"models.{name}.features: '{pair['features']}' is not in front_ends: {', '.join(front_ends)}"
            )
        pairs[name] = Pair(pair["model"], build_front_end(front_ends[pair["features"]]))
    return pairs


def _feature_table(rates: Mapping[str, float]) -> Table:
    return _rates_table(f"features: clips of {CLIP_S} s", rates, "CPU ms / clip", lambda rate: f"{1e3 / rate:.2f}")


def _training_table(rates: Mapping[str, float]) -> Table:
    title = f"training: clips of {CLIP_S} s; an epoch is {EPOCH_CLIPS:,} of them, their features computed before"
    return _rates_table(title, rates, "CPU s / epoch", lambda rate: f"{EPOCH_CLIPS / rate:.1f}")


def _rates_table(title: str, rates: Mapping[str, float], cost: str, cost_of: Callable[[float], str]) -> Table:
    table = Table(title=title, title_justify="left")
    first = next(iter(rates))
    for column in ("", "clips / CPU s", cost, f"x {first}"):
        table.add_column(column, justify="right" if column else "left")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.0f}", cost_of(rate), f"{rate / rates[first]:.2f}")
    return table


def _inference_table(results: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(title="one clip, CPU milliseconds (share of the sum with inference_mode)", title_justify="left")
    for column in ("model", "decode", "features", "eager", "inference_mode", "exported", "sum"):
        table.add_column(column, justify="right" if column != "model" else "left")
    for name, ms in results.items():
        total = ms["decode"] + ms["features"] + ms["inference_mode"]
        cells = [f"{ms[k]:.2f}" + (f" ({ms[k] / total:.0%})" if k in ("decode", "features", "inference_mode") else "")
                 for k in ("decode", "features", "eager", "inference_mode", "exported")]  # fmt: skip
        table.add_row(name, *cells, f"{total:.2f}")
    return table


def _memory(settings: Mapping[str, Any]) -> dict[str, Any]:
    sizes = [int(n) for n in settings["memory_clips"]]
    name, pair = next(iter(settings["models"].items()))
    with tempfile.TemporaryDirectory(prefix="slu-benchmark-") as folder:
        peaks = peak_memory(sizes, settings["front_ends"][pair["features"]], pair["model"], Path(folder))
    table = Table(title="peak resident memory, MB", title_justify="left")
    for column in ("clips", "preprocess", f"and one epoch of {name}"):
        table.add_column(column, justify="right")
    for size, (features, training) in peaks.items():
        table.add_row(str(size), f"{features:.0f}", f"{training:.0f}")
    show(table)
    return {str(size): {"preprocess_mb": a, "training_mb": b} for size, (a, b) in peaks.items()}


def _logs(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="slu-benchmark-") as folder:
        found = log_reading([int(n) for n in settings["log_lines"]], Path(folder))
    table = Table(title="request logs read by slu.monitor", title_justify="left")
    for column in ("lines", "MB", "CPU s", "lines / CPU s", "peak MB", "of it by reading"):
        table.add_column(column, justify="right")
    for one in found:
        figures = (f"{one.cpu_s:.1f}", f"{one.lines_per_s:,.0f}", f"{one.peak_mb:.0f}", f"{one.grown_mb:.0f}")
        table.add_row(f"{one.lines:,}", f"{one.megabytes:.0f}", *figures)
    show(table)
    return [one.to_json() for one in found]


@reports_errors
def _on_people(config: DictConfig) -> None:
    settings = _parsed(PeopleSettings, config)
    torch.set_num_threads(settings.threads)
    summary = Summary(PeopleBenchmark(settings, _train_config, start_training).measure())
    folder = Path(settings.outputs) / "benchmarks" / settings.name
    write_report(summary, folder)
    show(*terminal_tables(summary, folder))


@reports_errors
def _on_servers(config: DictConfig) -> None:
    settings = _parsed(ServingSettings, config)
    folder = Path(HydraConfig.get().runtime.output_dir)
    found = measure(settings, folder)
    show(*serving_tables(found))
    write_json(folder / "serving.json", {"servers": found, "ratios": ratios(found)})
    print(f"written to {folder / 'serving.json'}")


@reports_errors
def _on_devices(config: DictConfig) -> None:
    settings = _parsed(DevicesSettings, config)
    folder = Path(HydraConfig.get().runtime.output_dir)
    found = measure_devices(settings, folder, start_training)
    show(devices_table(found))
    write_json(folder / "devices.json", {"train": settings.train, "devices": found})
    print(f"written to {folder / 'devices.json'}")


@reports_errors
def _on_growing_corpora(config: DictConfig) -> None:
    settings = _parsed(ScaleSettings, config)
    folder = Path(HydraConfig.get().runtime.output_dir)
    found = measure_scale(settings, folder)
    show(scale_table(found))
    write_scale(found, settings, folder)
    print(f"written to {folder / 'report.html'} and scale.json")


@reports_errors
def _on_drift(config: DictConfig) -> None:
    settings = _parsed(DriftStudySettings, config)
    folder = Path(HydraConfig.get().runtime.output_dir)
    with progress_bar("conditions") as progress:
        found = study(settings, synthesis_settings(settings.synthesis, settings.voices), folder, progress)
    show(
        drift_table(found),
        facts_table(
            [(size, f"{name}: {text}") for size, told in summary(found).items() for name, text in told.items()]
        ),
    )
    write_json(folder / "drift.json", {"summary": summary(found), "conditions": [one.to_json() for one in found]})
    print(f"written to {folder / 'drift.json'}")


def _parsed(kind: type[T], config: DictConfig) -> T:
    return parse_settings(kind, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings")


def _train_config(overrides: Sequence[str]) -> dict[str, Any]:
    """Raises UserError for settings that a training does not have."""
    try:
        config = compose("train", list(overrides))
    except HydraException as error:
        raise UserError(f"train: {hydra_sentence(error) or error}") from None
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))


def take_name(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The benchmark that a bare word names, and the other arguments as Hydra takes them: `data` is a part of other
    commands' configurations, and settings of trainings are not known here.

    Raises UserError for a word that names none.
    """
    bare, known = (
        [a for a in arguments if "=" not in a and not a.startswith(("-", "+", "~"))],
        [*PUBLIC, SERVE, DEVICES, SCALE, DRIFT],
    )
    if strangers := [word for word in bare if word not in known] or bare[1:]:
        raise UserError(
            f"'{strangers[0]}' is no benchmark to run here; name one of {', '.join(known)}, "
            "or none for speed and memory"
        )
    others = [a for a in arguments if a not in bare]
    if not bare:
        return None, others
    return bare[0], [re.sub(r"^data=", "recordings=", re.sub(r"^train\.", r"++\g<0>", a)) for a in others]


@reports_errors
def start() -> None:
    name, sys.argv[1:] = take_name(sys.argv[1:])
    if name is None:
        run_command(main)
    else:
        task = {SERVE: _on_servers, DEVICES: _on_devices, SCALE: _on_growing_corpora, DRIFT: _on_drift}.get(
            name, _on_people
        )
        run_command(hydra.main(version_base="1.3", config_path="../conf", config_name=f"benchmark/{name}")(task))


if __name__ == "__main__":
    start()

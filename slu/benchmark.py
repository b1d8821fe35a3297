"""Measure speed and memory on this machine, as ratios side by side."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from rich.table import Table

from slu.benchmarks.memory import peak_memory
from slu.benchmarks.speed import CLIP_S, feature_speed, inference_speed, training_speed
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import write_json
from slu.common.settings import parse_settings
from slu.evaluation.tables import show
from slu.features import build_front_end
from slu.features.augment import AugmentSettings


@hydra.main(version_base="1.3", config_path="../conf", config_name="benchmark")
@reports_errors
def main(config: DictConfig) -> None:
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    torch.set_num_threads(int(settings["threads"]))
    suites = {"speed": _speed, "memory": _memory}
    wanted = settings["suites"]
    for name in wanted:
        if name not in suites:
            raise UserError(f"suites: there is no '{name}'; known are {', '.join(suites)}")
    results = {name: suites[name](settings) for name in wanted}
    path = Path(HydraConfig.get().runtime.output_dir) / "benchmark.json"
    write_json(path, results)
    print(f"written to {path}")


def _speed(settings: Mapping[str, Any]) -> dict[str, Any]:
    rounds, front_end = int(settings["rounds"]), build_front_end(settings["features"])
    augment = parse_settings(AugmentSettings, settings["augment"], "augment")
    features = feature_speed(settings["front_ends"], rounds)
    training = training_speed(settings["models"], front_end, augment, int(settings["batch_size"]), rounds)
    inference = inference_speed(settings["models"], front_end, 5 * rounds)
    show(_rates("features", features, "logmel"), _rates("training", training, "m1"), _inference_table(inference))
    return {"features": features, "training": training, "inference": inference}


def _rates(what: str, rates: Mapping[str, float], reference: str) -> Table:
    table = Table(title=f"{what}: clips of {CLIP_S} s per CPU second", title_justify="left")
    for column in ("", "clips / CPU s", f"x {reference}"):
        table.add_column(column, justify="right" if column else "left")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.0f}", f"{rate / rates[reference]:.2f}")
    return table


def _inference_table(results: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(title="one clip, CPU milliseconds (share of the sum with inference_mode)", title_justify="left")
    for column in ("model", "decode", "features", "eager", "inference_mode", "exported"):
        table.add_column(column, justify="right" if column != "model" else "left")
    for name, ms in results.items():
        total = ms["decode"] + ms["features"] + ms["inference_mode"]
        cells = [f"{ms[k]:.2f}" + (f" ({ms[k] / total:.0%})" if k in ("decode", "features", "inference_mode") else "")
                 for k in ("decode", "features", "eager", "inference_mode", "exported")]  # fmt: skip
        table.add_row(name, *cells)
    return table


def _memory(settings: Mapping[str, Any]) -> dict[str, Any]:
    sizes = [int(n) for n in settings["memory_clips"]]
    with tempfile.TemporaryDirectory(prefix="slu-benchmark-") as folder:
        peaks = peak_memory(sizes, settings["features"], settings["models"]["m1"], Path(folder))
    table = Table(title="peak resident memory, MB", title_justify="left")
    for column in ("clips", "preprocess", "and one epoch of m1"):
        table.add_column(column, justify="right")
    for size, (features, training) in peaks.items():
        table.add_row(str(size), f"{features:.0f}", f"{training:.0f}")
    show(table)
    return {str(size): {"preprocess_mb": a, "training_mb": b} for size, (a, b) in peaks.items()}


if __name__ == "__main__":
    run_command(main)

"""The public benchmark in small, as its owners lay it out, and trainings that only pretend."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from slu.bundles import save_bundle
from slu.bundles.store import Registry
from slu.spec import Head
from tests.bundles.helpers import MODEL, make_recogniser, make_spec
from tests.conftest import RATE, ROOT, tone

SLOTS = (
    Head("coffeeDrink", ("latte", "mocha")),
    Head("size", ("", "small", "large")),
    Head("roast", ("", "dark roast")),
    Head("numberOfShots", ("", "single shot")),
    Head("milkAmount", ("", "milk")),
    Head("sugarAmount", ("", "sugar")),
)
LABELS: tuple[Mapping[str, str], ...] = (
    {"coffeeDrink": "latte"},
    {"coffeeDrink": "mocha", "size": "small"},
    {"coffeeDrink": "latte", "milkAmount": "milk ", "sugarAmount": "sugar"},
    {"coffeeDrink": "tea"},
)


def coffee_orders(folder: Path, noises: Sequence[str] = ("cafe", "kitchen")) -> Path:
    """Four recordings with labels (of which one names a drink that is on no menu), one without, and noise."""
    for part in ("label", "speech/clean", "noise"):
        (folder / "data" / part).mkdir(parents=True)
    labels = {f"{i}.wav": {"intent": "orderDrink", "slots": slots} for i, slots in enumerate(LABELS)}
    labels["gone.wav"] = {"intent": "orderDrink", "slots": {"coffeeDrink": "latte"}}
    (folder / "data" / "label" / "label.json").write_text(json.dumps(labels))
    for i in range(len(LABELS) + 1):
        sf.write(folder / "data" / "speech" / "clean" / f"{i}.wav", tone(200 + 50 * i, 0.6, seed=i), RATE)
    for i, name in enumerate(noises):
        noise = 0.1 * np.random.default_rng(i).standard_normal(2 * RATE)
        sf.write(folder / "data" / "noise" / f"{name}.wav", noise, RATE)
    return folder


def write_recogniser(folder: Path, seed: int = 0, heads: Sequence[Head] = SLOTS, **metrics: Any) -> None:
    spec = make_spec(task="barista", heads=tuple(heads))
    save_bundle(folder, make_recogniser(spec, seed), spec, {"model": MODEL}, metrics, {"clips": [], "speakers": []})


class Trainings:
    """Stands for `python -m slu.train`: registers an untrained recogniser; the one with this number is cut short."""

    def __init__(self, heads: Sequence[Head] = SLOTS, cut_at: int = -1, test: Mapping[str, Any] | None = None) -> None:
        self.heads, self.cut_at, self.test = heads, cut_at, test or {}
        self.started: list[dict[str, str]] = []

    def __call__(self, settings: Sequence[str]) -> None:
        values = dict(text.split("=", 1) for text in settings)
        self.started.append(values)
        run = Path(values["hydra.run.dir"])
        (run / "checkpoints").mkdir(parents=True)
        if len(self.started) - 1 == self.cut_at:
            (run / "checkpoints" / "last.ckpt").touch()
            raise KeyboardInterrupt
        metrics = {"run": str(run), "test": self.test, "parameters": 9, "epochs": 1, "cpu_s": 0.1}
        config = composed(settings)
        Registry(Path(values["outputs"]) / "registry").register(
            config["data"]["task"],
            lambda folder: write_recogniser(folder, int(values["seed"]), self.heads, **metrics),
        )


def composed(settings: Sequence[str]) -> dict[str, Any]:
    """The configuration of a training."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("train", [text for text in settings if not text.startswith("hydra.")])
    return OmegaConf.to_container(config, resolve=True)  # type: ignore[return-value]

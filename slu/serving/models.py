"""The recognisers of a worker, which follow their aliases: a new version is loaded and warmed beside the old one, and
takes over between two batches. What cannot be loaded is refused, and the old one goes on.
"""

import json
import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.serving.settings import ServeSettings
from slu.versions.aliases import resolved
from slu.versions.uses import hold

_LOOK_S = 0.5
_ROOM = 1 << 16
_KEPT = 3
"""Versions of an alias that can still be asked by name, the live one among them."""


@dataclass(frozen=True)
class Live:
    """What answers now, as a worker says to the process that speaks HTTP."""

    versions: Mapping[str, str]
    """Place -> version."""
    refused: Mapping[str, tuple[str, str]]
    """Place -> the version that it points to, and why that does not answer."""
    failed: str = ""
    """Why the worker could not start at all."""

    def folders(self) -> list[Path]:
        return [Path(place).parent / version for place, version in self.versions.items()]


class Board:
    """Memory that the server's processes share."""

    def __init__(self) -> None:
        # Made before the worker is spawned, and given to it.
        self._text: Any = multiprocessing.get_context("spawn").Array("c", _ROOM)

    def write(self, live: Live) -> None:
        text = json.dumps(asdict(live)).encode()
        with self._text.get_lock():
            self._text.value = text

    def read(self) -> Live:
        with self._text.get_lock():
            text = self._text.value
        return Live(**json.loads(text)) if text else Live({}, {})


class Models:
    """Loads in a thread of its own; what it hands out never changes under its user."""

    def __init__(self, places: Sequence[Path], settings: ServeSettings, board: Board) -> None:
        """Raises UserError for a bundle that cannot be used: at the start, nothing is refused silently."""
        self.places, self.settings, self.board = places, settings, board
        self.predictors: dict[str, Any] = {}
        self._held: dict[str, Any] = {}
        self._live: dict[str, Any] = {}
        self._order: dict[str, list[str]] = {}
        self._refused: dict[str, tuple[str, str]] = {}
        for place in places:
            self._take_over(place, resolved(place))
        self._say()

    def follow(self) -> None:
        threading.Thread(target=self._follow, daemon=True).start()

    def named(self, version: str) -> Any:
        """The Predictor of a version that is live, or was not long ago; None for others."""
        return self.predictors.get(version)

    def of_task(self, task: str) -> Any:
        """The live Predictor, of the first place where no task is named; None where no place has it."""
        live = (self._live[str(place)] for place in self.places)
        return next((predictor for predictor in live if task in ("", predictor.spec.task)), None)

    def look(self) -> None:
        """Whether an alias has moved; what it points to is loaded if it has."""
        for place in self.places:
            name, folder = str(place), resolved(place)
            if folder.name == self._refused.get(name, ("", ""))[0]:
                continue
            refused = self._refused.pop(name, None)  # it is tried again when the alias comes back to it
            if folder.name == self._live[name].version:
                if refused:
                    self._say()
                continue
            try:
                self._take_over(place, folder)
            except Exception as error:  # whatever is wrong with it: the old one goes on
                self._refused[name] = (folder.name, " ".join(str(error).split())[:300])
            self._say()

    def _follow(self) -> None:
        wait = threading.Event()
        while not wait.wait(_LOOK_S):
            self.look()

    def _take_over(self, place: Path, folder: Path) -> None:
        predictor = self.predictors.get(folder.name)  # rolled back to: it is still here
        if predictor is None:
            held = hold(folder)  # first, so that it is not removed while it is loaded
            predictor, self._held[folder.name] = _loaded(folder, self.settings), held
        order = [name for name in self._order.get(str(place), []) if name != folder.name]
        self._order[str(place)] = [*order, folder.name][-_KEPT:]
        self._live[str(place)] = predictor
        kept = {name for names in self._order.values() for name in names}
        known = {**self.predictors, folder.name: predictor}
        self.predictors = {name: value for name, value in known.items() if name in kept}
        for name in [name for name in self._held if name not in kept]:
            if (file := self._held.pop(name)) is not None:
                file.close()

    def _say(self) -> None:
        live = {place: predictor.version for place, predictor in self._live.items()}
        self.board.write(Live(live, self._refused))


def _loaded(folder: Path, settings: ServeSettings) -> Any:
    """The Predictor of a bundle, warmed; without torch where that can be."""
    import numpy as np  # these in the worker alone: the process that speaks HTTP does without

    from slu.inference.onnx_runtime import open_predictor

    threads = settings.threads or os.cpu_count() or 1
    predictor = open_predictor(folder, threads) if settings.runtime == "onnx" else None
    if predictor is None:
        try:
            import torch
        except ImportError:
            front_end = read_json(folder / "spec.json").get("front_end", {}).get("name", "")
            raise UserError(
                f"the bundle {folder} needs torch, for runtime={settings.runtime} or for its front end '{front_end}'; "
                "install requirements.txt instead of requirements-serve.txt"
            ) from None
        from slu.bundles import Predictor, load_bundle

        torch.set_num_threads(settings.threads or 1)
        predictor = Predictor(load_bundle(folder), runtime=settings.runtime, threads=threads)
    noise = np.random.default_rng(0).normal(0, 0.1, predictor.sample_rate)
    predictor.predict_waveforms([noise.astype(np.float32)])  # the first inference is slow; let nobody wait for it
    return predictor

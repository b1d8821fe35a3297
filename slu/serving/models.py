"""The recognisers of a worker, which follow their aliases: a new version is loaded and warmed beside the old one, and
takes over between two batches. What cannot be loaded is refused, and the old one goes on.
"""

import json
import multiprocessing
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.serving.settings import ServeSettings

_LOOK_S = 0.5
_ROOM = 1 << 16
_KEPT = 3
"""Versions of an alias that can still be asked by name, the live one among them."""


@dataclass(frozen=True)
class Live:
    """What answers now, as a worker says to the process that speaks HTTP."""

    versions: Mapping[str, str]
    """Place -> version."""
    refused: Mapping[str, str]
    """Version -> why it does not answer."""

    def folders(self) -> list[Path]:
        return [Path(place).parent / version for place, version in self.versions.items()]


class Board:
    """Memory that the server's processes share."""

    def __init__(self) -> None:
        # Made before the worker is spawned, and given to it.
        self._text: Any = multiprocessing.get_context("spawn").Array("c", _ROOM)

    def write(self, live: Live) -> None:
        text = json.dumps({"versions": dict(live.versions), "refused": dict(live.refused)}).encode()
        with self._text.get_lock():
            self._text.value = text

    def read(self) -> Live:
        with self._text.get_lock():
            document = json.loads(self._text.value or b'{"versions": {}, "refused": {}}')
        return Live(document["versions"], document["refused"])


class Models:
    """Loads in a thread of its own; what it hands out never changes under its user."""

    def __init__(self, places: Sequence[Path], settings: ServeSettings, board: Board) -> None:
        """Raises UserError for a bundle that cannot be used: at the start, nothing is refused silently."""
        self.places, self.settings, self.board = places, settings, board
        self.predictors: dict[str, Any] = {}
        self.tasks: dict[str, str] = {}
        self._order: dict[str, list[str]] = {str(place): [] for place in places}
        self._refused: dict[str, str] = {}
        for place in places:
            self._take_over(place, place.resolve())
        self._say()

    def follow(self) -> None:
        threading.Thread(target=self._follow, daemon=True).start()

    def of_task(self, task: str) -> str | None:
        """The live version; of the first place where no task is named."""
        for place in self.places:
            version = self._order[str(place)][-1]
            if task in ("", self.tasks[version]):
                return version
        return None

    def look(self) -> None:
        """Whether an alias has moved; what it points to is loaded if it has."""
        for place in self.places:
            folder = place.resolve()
            if folder.name == self._order[str(place)][-1] or folder.name in self._refused:
                continue
            try:
                self._take_over(place, folder)
            except Exception as error:  # whatever is wrong with it: the old one goes on
                self._refused[folder.name] = " ".join(str(error).split())[:300]
            self._say()

    def _follow(self) -> None:
        wait = threading.Event()
        while not wait.wait(_LOOK_S):
            self.look()

    def _take_over(self, place: Path, folder: Path) -> None:
        import numpy as np  # these in the worker alone: the process that speaks HTTP does without

        from slu.bundles import Predictor, load_bundle

        predictor = self.predictors.get(folder.name)  # rolled back to: it is still here
        if predictor is None:
            bundle = load_bundle(folder)
            predictor = Predictor(bundle, runtime=self.settings.runtime, threads=self.settings.threads)
            rate = bundle.front_end.sample_rate  # the first inference is slow; let nobody wait for it
            predictor.predict_waveforms([np.random.default_rng(0).normal(0, 0.1, rate).astype(np.float32)])
        order = [name for name in self._order[str(place)] if name != folder.name]
        self.tasks = {**self.tasks, folder.name: predictor.bundle.spec.task}
        self.predictors = {**self.predictors, folder.name: predictor}
        self._order[str(place)] = [*order, folder.name]
        kept = {name for names in self._order.values() for name in names[-_KEPT:]}
        self.predictors = {name: value for name, value in self.predictors.items() if name in kept}

    def _say(self) -> None:
        live = {place: names[-1] for place, names in self._order.items()}
        self.board.write(Live(live, self._refused))

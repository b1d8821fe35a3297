"""What an utterance costs as a corpus grows: time, memory and disk of preprocessing, reading and training.

A few hundred orders are spoken once and repeated, so that every clip is audio of its own. Each step is measured in a
process of its own, its workers counted.
"""

import multiprocessing
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from slu.benchmarks.repeated import repeat
from slu.benchmarks.scale_steps import STEPS, Figures, ScaleSettings
from slu.common.errors import UserError
from slu.common.progress import progress_bar
from slu.corpus.alignments import read_alignments
from slu.corpus.menu import Menu
from slu.corpus.synthesised import ensure_synthesised, synthesis_settings
from slu.decoding.grammar import Grammar

Step = Callable[[ScaleSettings, Path], Figures]


def measure(settings: ScaleSettings, folder: Path) -> dict[int, Figures]:
    """By number of clips, figures by name; those of time and of disk are per clip.

    Works in `folder`: ten gigabytes for a hundred thousand clips, taken away at the end.
    """
    spoken, found = _spoken(settings), dict[int, Figures]()
    sizes = sorted(set(settings.sizes))
    with progress_bar("scale") as advance:
        for number, size in enumerate(sizes):
            advance(number, len(sizes))
            home = folder / f"clips-{size}"
            try:
                repeat(spoken, size, home)
                found[size] = {"clips_kb": _disk(home)[0] / size}
                for name, step in STEPS.items():
                    if name != "train" or size <= settings.train_up_to:
                        found[size] |= _in_process(step, settings, home)
                kb, files = _disk(home / "out")
                found[size] |= {"features_kb": kb / size, "features_files": files}
            finally:
                shutil.rmtree(home, ignore_errors=True)
    return found


def growth(found: Mapping[int, Figures]) -> dict[str, float]:
    """Of every figure of time, the largest corpus to the smallest; of memory, kilobytes per further clip."""
    small, large = min(found), max(found)
    if small == large:
        return {}
    pairs = {name: (found[small][name], value) for name, value in found[large].items() if name in found[small]}
    times = {name: b / a for name, (a, b) in pairs.items() if name.endswith("_ms") and a > 0}
    return times | {name: 1024 * (b - a) / (large - small) for name, (a, b) in pairs.items() if name.endswith("_mb")}


def _spoken(settings: ScaleSettings) -> Path:
    """Raises UserError for a menu of which so few orders do not say every word."""
    menu = Menu.parse(settings.menu, "menu")
    synthesis = synthesis_settings(settings.synthesis, settings.voices)
    few = replace(synthesis, counts={"train": settings.spoken, "val": 1, "test": 1})
    path = ensure_synthesised(menu, few, Path(settings.outputs), aligned=True)[0]
    try:
        Grammar.learnt(menu.word_graph(), read_alignments(path).values())
    except ValueError as error:
        raise UserError(f"menu '{menu.task}': {error}; raise spoken") from None
    return path


def _in_process(step: Step, settings: ScaleSettings, home: Path) -> Figures:
    """Raises UserError when the process ends without figures; its traceback is on stderr."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(step, settings, home, send))
    process.start()
    send.close()
    try:
        figures: Figures = receive.recv()
    except EOFError:
        raise UserError(f"the measurement of {home.name} ended early; is there enough memory and disk?") from None
    finally:
        process.join()
    return figures


def _send(step: Step, settings: ScaleSettings, home: Path, send: Any) -> None:
    torch.set_num_threads(settings.threads)
    send.send(step(settings, home))


def _disk(folder: Path) -> tuple[float, int]:
    """Kilobytes as they take up room, and files."""
    blocks = [path.stat().st_blocks for path in folder.rglob("*") if path.is_file()]
    return sum(blocks) / 2, len(blocks)

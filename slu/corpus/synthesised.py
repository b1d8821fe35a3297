"""The synthesised corpus as a stage: spoken once per menu and settings, found again by its fingerprint."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.common.stage import fingerprint, is_fresh, mark_done
from slu.corpus.menu import Menu
from slu.corpus.synthesis import VERSION, SynthesisSettings, synthesise


def synthesis_settings(synthesis: Mapping[str, Any], voices: Mapping[str, Any]) -> SynthesisSettings:
    """From the configuration groups of the same names."""
    return parse_settings(SynthesisSettings, {**synthesis, "voices": voices}, "synthesis")


def ensure_synthesised(
    menu: Menu, settings: SynthesisSettings, outputs: Path, *, force: bool = False
) -> tuple[Path, bool]:
    """Path of the corpus's manifest, and whether it had to be spoken now."""
    value = fingerprint(version=VERSION, menu=menu.model_dump(), settings=asdict(settings))
    folder = outputs / "corpus" / f"{menu.task}-{value[:8]}"
    if not force and is_fresh(folder, value) and (folder / "metadata.csv").is_file():
        return folder / "metadata.csv", False
    with progress_bar(f"speaking {menu.task}") as progress:
        synthesise(menu, settings, folder, progress)
    mark_done(folder, value, clips=settings.counts, seed=settings.seed, engine="espeak-ng (espeakng-loader 0.2.4)")
    return folder / "metadata.csv", True

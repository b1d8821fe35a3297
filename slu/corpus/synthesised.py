"""The synthesised corpus as a stage: spoken once per menu and settings, found again by its fingerprint."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.common.stage import fingerprint, is_fresh, mark_done
from slu.corpus.alignments import ALIGNMENTS
from slu.corpus.menu import Menu
from slu.corpus.synthesis import VERSION, synthesise
from slu.corpus.synthesis_plan import SynthesisSettings
from slu.corpus.voices import VoiceSettings
from slu.spec import Head


def synthesis_settings(synthesis: Mapping[str, Any], voices: Mapping[str, Any]) -> SynthesisSettings:
    """From the configuration groups of the same names."""
    return parse_settings(SynthesisSettings, {**synthesis, "voices": voices}, "synthesis")


def corpus_heads(menu: Menu, voices: VoiceSettings) -> tuple[Head, ...]:
    """Those of what is said, then those of who says it. Raises UserError when there are none, or one twice."""
    heads = (*menu.task_heads(), *voices.heads())
    names = [head.name for head in heads]
    if not heads:
        raise UserError(f"menu '{menu.task}' has no heads, and neither have the voices; add for example voices=gender")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"head '{twice[0]}' is of the menu and of the voices; call one of them something else")
    if "language" in names and len(menu.spoken_languages) > 1:
        raise UserError("head 'language' has the name of a column of this corpus; call it something else")
    return heads


def corpus_fingerprint(menu: Menu, settings: SynthesisSettings) -> str:
    """Settings that came later count only where they are used: what was spoken before them keeps its name."""
    said, spoken = menu.model_dump(), asdict(settings)
    voices = spoken["voices"]
    later = ((said, "languages"), (spoken, "no_voice"), (voices, "labels"), (voices, "languages_of"))
    for place, name in later:
        if not any(place[name].values()):
            del place[name]
    if not any(settings.other.values()):
        for name in ("other", "everyday", "foreign"):
            del spoken[name]
    if settings.sentences == (1, 1):
        del spoken["sentences"]
    return fingerprint(version=VERSION, menu=said, settings=spoken)


def is_synthesised(menu: Menu, settings: SynthesisSettings, outputs: Path) -> bool:
    value = corpus_fingerprint(menu, settings)
    return is_fresh(_folder(menu, value, outputs), value)


def _folder(menu: Menu, value: str, outputs: Path) -> Path:
    return outputs / "corpus" / f"{menu.task}-{value[:8]}"


def ensure_synthesised(
    menu: Menu, settings: SynthesisSettings, outputs: Path, *, force: bool = False, aligned: bool = False
) -> tuple[Path, bool]:
    """Path of the corpus's manifest, and whether it had to be spoken now.

    With `aligned`, a corpus from before there were alignments is spoken again, to the same bytes.
    """
    value = corpus_fingerprint(menu, settings)
    folder = _folder(menu, value, outputs)
    files = ("metadata.csv", ALIGNMENTS) if aligned else ("metadata.csv",)
    if not force and is_fresh(folder, value) and all((folder / name).is_file() for name in files):
        return folder / "metadata.csv", False
    corpus_heads(menu, settings.voices)
    with progress_bar(f"speaking {menu.task}") as progress:
        synthesise(menu, settings, folder, progress)
    mark_done(folder, value, clips=settings.counts, seed=settings.seed, engine="espeak-ng (espeakng-loader 0.2.4)")
    return folder / "metadata.csv", True

"""Sources that are folders of recordings: with a `metadata.csv`, or with one sub-folder per class."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.audio_finder import AUDIO_SUFFIXES
from slu.corpus.clips import Clip, Label, Reason, Rejection, Source, require_folder
from slu.corpus.manifest import normalise_label, read_manifest
from slu.corpus.spreadsheets import no_columns

_LAST_WORD = r"""'source.speaker_pattern=".* (\S+)$"'"""
"""To be pasted into a shell: quoted for it, and for Hydra."""


@dataclass(frozen=True)
class ManifestSettings:
    path: Path
    audio: Path | None = None
    """Null: the paths are relative to the table."""


@dataclass(frozen=True)
class FolderSettings:
    folder: Path
    head: str
    classes: Mapping[Label, Label] | None = None
    """New names for sub-folders; the others keep theirs."""
    speaker_pattern: str | None = None
    """Regular expression for the start of the file name; its first group is the speaker. Where it fits no name at all,
    speakers are unknown."""


def read_table(values: Mapping[str, Any], heads: Sequence[str]) -> Source:
    """The rows of a manifest. Raises UserError naming the first row that breaks its rules."""
    settings = parse_settings(ManifestSettings, values, "source")
    path = settings.path.expanduser().resolve()
    table = read_manifest(path, labels=heads).table
    missing = [head for head in heads if head not in table.columns]
    if missing:
        columns = ", ".join(table.columns)
        raise UserError(f"{path} has {no_columns(missing)}; its columns are {columns}; set heads=[COLUMN,...]")
    audio = path.parent if settings.audio is None else require_folder(settings.audio, "source.audio")
    known = {"file_name", "speaker", "split", "text", "source", *heads}
    clips = tuple(
        Clip(
            key=row["file_name"],
            labels={head: normalise_label(row[head]) for head in heads},
            source=f"{path.name}:{int(index) + 2}",
            paths=(row["file_name"],),
            speaker=row.get("speaker", "").strip(),
            split=row.get("split", ""),
            text=row.get("text", ""),
            extra={str(column): value for column, value in row.items() if column not in known},
        )
        for index, row in zip(table.index, table.to_dict("records"), strict=True)
    )
    return Source(clips, audio, (path,), len(clips))


def read_class_folders(values: Mapping[str, Any], heads: Sequence[str]) -> Source:
    """Every audio file in a sub-folder, labelled with its name. Raises UserError for settings that do not fit."""
    settings = parse_settings(FolderSettings, values, "source")
    if list(heads) != [settings.head]:
        raise UserError(f"class folders label one head, '{settings.head}'; name it with source.head, not with heads")
    root = require_folder(settings.folder, "source.folder")
    pattern = _compile(settings.speaker_pattern)
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    renamed = settings.classes or {}
    absent = sorted(set(renamed) - set(names))
    if absent:
        found = ", ".join(names) or "none"
        raise UserError(f"source.classes names '{absent[0]}', but {root} has no such sub-folder (it has {found})")
    files = [(path, renamed.get(name, name)) for name in names for path in _audio_below(root / name)]
    if not files:
        raise UserError(f"{root} has no audio in sub-folders; one sub-folder per class is expected")
    notes: tuple[str, ...] = ()
    if pattern and not any(pattern.match(path.stem) for path, _ in files):
        notes = (_nobody_named(pattern, files[0][0]),)
        pattern = None
    clips = [_clip(path, root, {settings.head: label}, pattern) for path, label in files]
    beside = Reason("no label", "it lies beside the class folders, not in one")
    loose = tuple(Rejection(path.name, path.name, beside) for path in sorted(filter(_is_audio, root.iterdir())))
    return Source(tuple(clips), root, (), len(clips) + len(loose), loose, notes)


def _nobody_named(pattern: re.Pattern[str], example: Path) -> str:
    return (
        f"no file name fits source.speaker_pattern {pattern.pattern!r}, for example {example.name}: speakers are "
        "unknown; name the files as in budi_01.wav, or give a regular expression for their beginning whose group in "
        f"parentheses is the speaker, as in {_LAST_WORD} for 'take 01 budi.wav'"
    )


def _audio_below(folder: Path) -> list[Path]:
    return sorted(filter(_is_audio, folder.rglob("*")))


def _is_audio(path: Path) -> bool:
    """By its name. Hidden files are none: macOS leaves a `._name.wav` beside every `name.wav`."""
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _clip(path: Path, root: Path, labels: Mapping[str, str], pattern: re.Pattern[str] | None) -> Clip:
    name = path.relative_to(root).as_posix()
    match = pattern.match(path.stem) if pattern else None
    problem = None
    if pattern and not match:
        cure = "rename it, or set another pattern, or null for unknown speakers"
        problem = Reason("no speaker", f"the name does not fit source.speaker_pattern {pattern.pattern!r}; {cure}")
    return Clip(name, labels, name, (name,), speaker=(match.group(1) or "") if match else "", problem=problem)


def _compile(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"source.speaker_pattern {pattern!r} is not a regular expression: {error}") from None
    if not compiled.groups:
        raise UserError(f"source.speaker_pattern {pattern!r} needs a group in parentheses for the speaker")
    return compiled

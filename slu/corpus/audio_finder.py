"""The search for a clip's audio, although tables disagree about folders, separators and suffixes."""

import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from slu.common.files import content_hash
from slu.corpus.clips import ClipError

# Where several files have one stem, the first suffix wins: lossless before lossy.
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus", ".webm")


def normalise_path(name: str) -> str:
    r"""One spelling for `a\b.wav` and `./a/b.wav`."""
    parts = [part for part in re.split(r"[\\/]+", name.strip()) if part != "."]
    return "/".join(parts)


def clip_stem(name: str) -> str:
    """File name without folders and audio suffix; other dots belong to the name."""
    last = normalise_path(name).rsplit("/", 1)[-1]
    stem, dot, suffix = last.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in AUDIO_SUFFIXES else last


class AudioFinder:
    """Knows the audio below one folder; the folder is listed once, when a clip does not lie where it should."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, names: Sequence[str]) -> Path:
        """The first of `names` that exists as written, else with another audio suffix, else by its
        file name in any sub-folder.

        Raises ClipError when there is none, or when different files would do equally well.
        """
        stems = {clip_stem(name) for name in names} - {"", ".."}
        places = [self.folder / normalise_path(name) for name in names if clip_stem(name) in stems]
        others = [place.with_name(clip_stem(place.name) + suffix) for place in places for suffix in AUDIO_SUFFIXES]
        for place in (*places, *others):
            if _is_file(place):
                return place
        found = [path for stem in sorted({stem.casefold() for stem in stems}) for path in self._by_stem.get(stem, [])]
        if found:
            return self._choose(places, found)
        wanted, suffixes = " or ".join(sorted(stems)) or "file name", " ".join(AUDIO_SUFFIXES)
        raise ClipError("missing audio", f"no {wanted} ({suffixes}) under {self.folder}")

    def _choose(self, places: list[Path], found: list[Path]) -> Path:
        """Of files with a right stem: the most matching folders, then the suffix as written, then ours."""

        def rank(path: Path) -> tuple[int, bool, int]:
            folders = max(_common_folders(place, path) for place in places)
            as_written = path.suffix.lower() in {place.suffix.lower() for place in places}
            return -folders, not as_written, AUDIO_SUFFIXES.index(path.suffix.lower())

        best = min(rank(path) for path in found)
        equal = [path for path in found if rank(path) == best]
        if len(equal) > 1 and len({content_hash(path) for path in equal}) > 1:
            names = " and ".join(str(path.relative_to(self.folder)) for path in equal[:2])
            raise ClipError("ambiguous audio", f"{names} differ, and the table does not say which is meant")
        return equal[0]

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        index: dict[str, list[Path]] = {}
        for folder, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if Path(name).suffix.lower() in AUDIO_SUFFIXES:
                    index.setdefault(clip_stem(name).casefold(), []).append(Path(folder) / name)
        return index


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except (OSError, ValueError):  # a name that no file system can hold
        return False


def _common_folders(first: Path, second: Path) -> int:
    """How many folders directly above the two files have the same names."""
    count = 0
    for a, b in zip(reversed(first.parts[:-1]), reversed(second.parts[:-1]), strict=False):
        if a.casefold() != b.casefold():
            break
        count += 1
    return count

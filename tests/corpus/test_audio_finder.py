"""The audio of a clip, whatever the table calls it."""

from pathlib import Path

import pytest

from slu.corpus.audio_finder import AudioFinder, clip_stem
from slu.corpus.clips import ClipError


@pytest.mark.parametrize(
    "written",
    ["deep/a.mp3", "a.mp3", r"deep\a.wav", r"M:\Retail Audio\deep\a.mp3", "./deep//A.wav", "a", "other/a.ogg"],
)
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".ogg", ".m4a"])
def test_audio_is_found_under_any_spelling(tmp_path: Path, written: str, suffix: str) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / f"a{suffix}"
    path.touch()
    assert AudioFinder(tmp_path).find([written]) == path


def test_equal_names_in_different_folders(tmp_path: Path) -> None:
    for speaker in ("ana", "budi"):
        (tmp_path / speaker).mkdir()
        (tmp_path / speaker / "001.wav").write_text(speaker)
    finder = AudioFinder(tmp_path)
    assert finder.find([r"D:\x\budi\001.wav"]) == tmp_path / "budi" / "001.wav"
    with pytest.raises(ClipError, match=r"ana/001.wav and budi/001.wav differ"):
        finder.find(["001.wav"])
    (tmp_path / "budi" / "001.wav").write_text("ana")
    assert finder.find(["001.wav"]) == tmp_path / "ana" / "001.wav"


@pytest.mark.parametrize("name", ["", "..", "/", "a" * 300, "x\0y"])
def test_names_that_are_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClipError, match="under"):
        AudioFinder(tmp_path).find([name])


def test_stems_keep_dots() -> None:
    assert [clip_stem(name) for name in (r"a\b.1.WAV", "b.1", "c")] == ["b.1", "b.1", "c"]

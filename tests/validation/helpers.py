"""A small table without a fault, and faults to plant in it, each by its name."""

import csv
import shutil
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from slu.spec import Head
from slu.validation.settings import Limits
from slu.validation.tables import Labels
from slu.validation.validate import Validation, validate
from tests.conftest import RATE
from tests.exploration.helpers import COPIES, utterance

HEADS = Labels((Head("word", ("yes", "no")),))
COLUMNS = ("file_name", "word", "speaker", "split", "recording")
LIMITS = Limits(
    sample_rate=8000, min_duration_s=0.1, max_duration_s=10.0, silent_db=-80.0, quiet_db=-60.0,
    silent_share=0.9, clipped_share=0.01, same_recording=0.97,
)  # fmt: skip


@dataclass
class Corpus:
    """Twelve clips: two each of s0 to s3 (train), s4 (val) and s5 (test), on lines 2 to 13."""

    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "metadata.csv"

    def clip(self, line: int) -> Path:
        return self.folder / "audio" / f"{line:02d}.wav"

    def wave(self, line: int) -> np.ndarray:
        return sf.read(self.clip(line), dtype="float32")[0]

    def write(self, line: int, wave: np.ndarray, rate: int = RATE, **how: str) -> None:
        sf.write(self.clip(line), wave, rate, **how)

    def edit(self, line: int, **cells: str) -> None:
        lines = list(csv.reader(self.table.read_text().splitlines()))
        for column, value in cells.items():
            lines[line - 1][lines[0].index(column)] = value
        self.table.write_text("".join(",".join(row) + "\n" for row in lines))

    def replace(self, before: str, after: str) -> None:
        text = self.table.read_text()
        assert before in text
        self.table.write_text(text.replace(before, after, 1))


def write_clean(folder: Path) -> Corpus:
    corpus = Corpus(folder)
    (folder / "audio").mkdir(parents=True)
    rows = [",".join(COLUMNS)]
    for number in range(12):
        speaker, line = number // 2, number + 2
        corpus.write(line, utterance(number))
        side = ("train", "train", "train", "train", "val", "test")[speaker]
        rows.append(f"audio/{line:02d}.wav,{('yes', 'no')[number % 2]},s{speaker},{side},r{line}")
    corpus.table.write_text("\n".join(rows) + "\n")
    return corpus


def _bytes(corpus: Corpus, line: int, data: bytes) -> None:
    corpus.clip(line).write_bytes(data)


def _cut(corpus: Corpus, line: int) -> None:
    data = corpus.clip(line).read_bytes()
    _bytes(corpus, line, data[: len(data) // 2])


def _cut_flac(corpus: Corpus, line: int) -> None:
    path = corpus.clip(line).with_suffix(".flac")
    sf.write(path, corpus.wave(line), RATE)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    corpus.clip(line).unlink()
    corpus.edit(line, file_name=f"audio/{path.name}")


def _not_finite(corpus: Corpus, line: int) -> None:
    wave = corpus.wave(line)
    wave[100] = np.nan
    corpus.write(line, wave, subtype="FLOAT")


def _copy(corpus: Corpus, line: int, of: int, change: Callable[[np.ndarray], np.ndarray] = lambda wave: wave) -> None:
    corpus.write(line, change(corpus.wave(of)))


def _click(corpus: Corpus, line: int) -> None:
    wave = np.zeros(3 * RATE, np.float32)
    wave[:1600] = utterance(90)[4000:5600]
    corpus.write(line, wave)


def _clash(corpus: Corpus) -> None:
    shutil.copy(corpus.clip(3), corpus.folder / "audio" / "A.wav")
    shutil.copy(corpus.clip(4), corpus.folder / "audio" / "a.wav")
    corpus.clip(3).unlink()
    corpus.clip(4).unlink()
    corpus.edit(3, file_name="audio/A.wav")
    corpus.edit(4, file_name="audio/a.wav")


def _list_twice(corpus: Corpus) -> None:
    corpus.edit(4, file_name="audio/03.wav")
    corpus.clip(4).unlink()


def _draw_sides(corpus: Corpus) -> None:
    corpus.edit(3, speaker="")
    corpus.replace("split", "side")


def _lead_out(corpus: Corpus) -> None:
    corpus.clip(3).rename(corpus.folder.parent / "03.wav")
    corpus.edit(3, file_name="../03.wav")


@dataclass(frozen=True)
class Fault:
    plant: Callable[[Corpus], object]
    kinds: Mapping[str, tuple[int, ...]]
    """What has to be found, and on which lines: this and nothing else."""


def _fault(plant: Callable[[Corpus], object], kind: str, *lines: int) -> Fault:
    return Fault(plant, {kind: lines})


FAULTS: Mapping[str, Fault] = {
    "a file that is not there": _fault(lambda c: c.clip(3).unlink(), "no file", 3),
    "a file without a byte": _fault(lambda c: _bytes(c, 3, b""), "empty file", 3),
    "a pointer of Git LFS": _fault(
        lambda c: _bytes(c, 3, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"), "pointer", 3
    ),
    "a text that is called wav": _fault(lambda c: _bytes(c, 3, b"not a recording\n" * 9), "unreadable", 3),
    "samples that are no numbers": _fault(lambda c: _not_finite(c, 3), "unreadable", 3),
    "half a WAV": _fault(lambda c: _cut(c, 3), "cut short", 3),
    "half a FLAC": _fault(lambda c: _cut_flac(c, 3), "cut short", 3),
    "a FLAC that is called wav": _fault(lambda c: c.write(3, utterance(91), format="FLAC"), "wrong suffix", 3),
    "a rate of 6 kHz": _fault(lambda c: c.write(3, utterance(92)[::2], 6000), "low rate", 3),
    "a clip of 50 ms": _fault(lambda c: c.write(3, utterance(93)[4000:4800]), "too short", 3),
    "a clip of 11 s": _fault(lambda c: c.write(3, utterance(94, 11.0)), "too long", 3),
    "a file of 70 s": _fault(lambda c: c.write(3, utterance(94, 70.0)), "too long", 3),
    "digital silence": _fault(lambda c: c.write(3, np.zeros(RATE)), "silent", 3),
    "a faint recording": _fault(lambda c: c.write(3, 0.005 * utterance(95), subtype="FLOAT"), "quiet", 3),
    "a click in silence": _fault(lambda c: _click(c, 3), "mostly silence", 3),
    "a clipped recording": _fault(lambda c: c.write(3, np.clip(15 * utterance(96), -1, 1)), "clipped", 3),
    "a training clip that is in the test": _fault(lambda c: _copy(c, 3, 13), "copy across splits", 3),
    "a louder, padded copy that is in the test": _fault(
        lambda c: _copy(c, 3, 13, lambda wave: 0.5 * COPIES["padded"](wave)), "near copy across splits", 3
    ),
    "a copy within the training": _fault(lambda c: _copy(c, 5, 3), "copy", 5),
    "an MP3 of another clip of the training": _fault(lambda c: _copy(c, 5, 3, COPIES["mp3"]), "near copy", 5),
    "a copy with another label": Fault(
        lambda c: _copy(c, 4, 3), {"different labels": (3, 4), "copy": (4,)}
    ),
    "a label that the menu has not": _fault(lambda c: c.edit(3, word="nno"), "unknown label", 3),
    "no label": _fault(lambda c: c.edit(3, word=""), "no label", 3),
    "a row that stands twice": _fault(_list_twice, "listed twice", 4),
    "a path out of the folder": _fault(_lead_out, "bad file name", 3),
    "names that differ in case only": _fault(_clash, "name clash", 4),
    "a split that is none": _fault(lambda c: c.edit(3, split="tain"), "unknown split", 3),
    "a row without a split": _fault(lambda c: c.edit(3, split=""), "no split", 3),
    "a row without a speaker where sides are drawn": _fault(_draw_sides, "nobody to split by", 3),
    "a speaker on two sides": _fault(lambda c: c.edit(13, speaker="s0"), "speaker leak", 13),
    "a recording on two sides": _fault(lambda c: c.edit(13, recording="r2"), "recording leak", 13),
    "a row without a speaker": _fault(lambda c: c.edit(3, speaker=""), "no speaker", 3),
    "a speaker in two spellings": _fault(lambda c: c.edit(3, speaker="S0"), "speaker spelling", 3),
    "a comma too many": _fault(lambda c: c.edit(3, recording="r3,more"), "more fields", 3),
    "a row that was cut short": _fault(lambda c: c.replace("s0,train,r3", "s0,train"), "fewer fields", 3),
    "no column of speakers": _fault(lambda c: c.replace("speaker", "speeker"), "no speaker", 1),
    "no column of labels": _fault(lambda c: c.replace("word", "wort"), "no column", 1),
    "tabs": _fault(lambda c: c.table.write_text(c.table.read_text().replace(",", "\t")), "no column", 1),
    "a table in Latin-1": _fault(
        lambda c: c.table.write_bytes(c.table.read_bytes().replace(b"s1", b"Andr\xe9")), "no table", 4
    ),
    "a header and nothing else": _fault(lambda c: c.table.write_text(",".join(COLUMNS) + "\n"), "no table", 1),
    "a quote that is not closed": _fault(lambda c: c.replace("audio/13.wav", '"audio/13.wav'), "no table", 13),
    "a recording that no row names": _fault(lambda c: sf.write(c.folder / "audio/new.wav", utterance(97), RATE),
                                            "not listed", 0),
}  # fmt: skip


def validated(corpus: Corpus, cache: Path, labels: Labels = HEADS) -> Validation:
    return validate([corpus.table], [], labels, ["recording"], LIMITS, cache)


def found(validation: Validation) -> dict[str, tuple[int, ...]]:
    kinds: dict[str, list[int]] = {}
    for finding in validation.findings:
        kinds.setdefault(finding.kind, []).append(finding.line)
    return {kind: tuple(sorted(lines)) for kind, lines in kinds.items()}


def riff_of_unknown_size(data: bytes) -> bytes:
    """As a recorder writes it that streams: it cannot know how long the file will be."""
    return data[:4] + struct.pack("<I", 0xFFFFFFFF) + data[8:]

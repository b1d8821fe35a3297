"""The spoken corpus: the same bytes for the same seed, balanced, without digital silence."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import yaml

from slu.audio.decode import rms_db
from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.corpus.acoustics import Acoustics
from slu.corpus.alignments import ALIGNMENTS, read_alignments
from slu.corpus.espeak import Engine, Prosody, variants
from slu.corpus.manifest import read_manifest
from slu.corpus.menu import Menu
from slu.corpus.splits import leaking_speakers
from slu.corpus.synthesis import synthesise
from slu.corpus.synthesis_plan import SynthesisSettings, plan
from slu.corpus.synthesised import ensure_synthesised, synthesis_settings
from slu.corpus.voices import VoiceSettings, family
from slu.decoding.words import words_of
from tests.conftest import ROOT

MENU = Menu.parse(
    {
        "task": "drinks",
        "language": "id",
        "heads": {
            "product": {"classes": {"tea": ["teh"], "coffee": ["kopi"]}},
            "quantity": {"classes": {"1": ["satu"], "2": ["dua"]}},
        },
        "carriers": ["beli {quantity} {product}"],
        "pronunciations": {"teh": ["t'Eh"]},
    },
    "menu",
)
VOICES = VoiceSettings(
    val=("anika",),
    test=("f",),
    exclude=(),
    speakers={"train": 4, "val": 2, "test": 2},
    invented_share=0.5,
    rate=(150, 180),
)
SETTINGS = SynthesisSettings(
    counts={"train": 8, "val": 4, "test": 4},
    seed=0,
    sample_rate=16_000,
    voices=VOICES,
    acoustics=Acoustics(pause_s=(0.2, 0.3), room_share=0.5),
)


def speak(folder: Path, settings: SynthesisSettings = SETTINGS, menu: Menu = MENU) -> pd.DataFrame:
    return synthesise(menu, settings, folder, lambda done, total: None)


def hashes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): content_hash(path) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthesis") / "corpus"
    speak(folder)
    return folder


def test_the_manifest_describes_every_clip(corpus: Path) -> None:
    table = read_manifest(corpus / "metadata.csv", MENU.task_heads()).table
    assert sorted(table["file_name"]) == sorted(f"audio/{p.name}" for p in (corpus / "audio").iterdir())
    assert Counter(table["split"]) == {"train": 8, "val": 4, "test": 4}
    assert leaking_speakers(table) == []
    for _, part in table.groupby("split"):
        assert len(set(Counter(zip(part["product"], part["quantity"], strict=True)).values())) == 1
        assert part["speaker"].nunique() == SETTINGS.voices.speakers[str(part["split"].iloc[0])]
    words = {"tea": "teh", "coffee": "kopi", "1": "satu", "2": "dua"}
    for row in table.to_dict("records"):
        assert row["text"] == f"beli {words[row['quantity']]} {words[row['product']]}"


def test_clips_are_speech_over_a_noise_floor(corpus: Path) -> None:
    for path in (corpus / "audio").iterdir():
        samples, rate = sf.read(path, dtype="int16")
        assert rate == 16_000
        assert 0.9 < len(samples) / rate < 4.0
        assert -36 < rms_db(samples / np.float32(32768)) < -14
        assert (np.abs(samples.astype(int)) >= 32767).sum() < 3  # scaled into range, not clipped
        ends = np.concatenate([samples[:2400], samples[-2400:]]).astype(np.float32) / 32768  # within the pauses
        assert rms_db(ends) < rms_db(samples / np.float32(32768)) - 12
        changes = np.flatnonzero(np.diff(samples))
        constant = np.diff(np.concatenate([[-1], changes, [len(samples) - 1]])).max()
        assert constant < 0.1 * rate, f"{path.name}: {constant} equal samples in a row"


def test_alignments_are_of_the_finished_clips(corpus: Path) -> None:
    table = read_manifest(corpus / "metadata.csv").table
    alignments = read_alignments(corpus / "metadata.csv")
    assert list(alignments) == table["file_name"].tolist()
    for row in table.to_dict("records"):
        samples, rate = sf.read(corpus / row["file_name"])
        alignment = alignments[row["file_name"]]
        assert tuple(word for word, _, _ in alignment.words) == words_of(row["text"])
        start, end = alignment.words[0][1], alignment.words[-1][2]
        assert 0.19 < start < 0.4
        assert 0.19 < len(samples) / rate - end < 0.4
        said = samples[int(start * rate) : int(end * rate)]
        assert rms_db(said.astype(np.float32)) > rms_db(samples[: int((start - 0.02) * rate)].astype(np.float32)) + 15


def test_the_same_seed_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    speak(tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(corpus)
    assert len(set(hashes(corpus).values())) == 18


def test_another_seed_gives_other_speakers() -> None:
    assert plan(MENU, SETTINGS) == plan(MENU, SETTINGS)
    other = plan(MENU, replace(SETTINGS, seed=1))
    assert not {u.speaker.prosody for u in plan(MENU, SETTINGS)} & {u.speaker.prosody for u in other}


def test_voices_of_the_splits_are_different_families() -> None:
    heard: dict[str, set[str]] = {"train": set(), "val": set(), "test": set()}
    for utterance in plan(MENU, SETTINGS):
        heard[utterance.split].add(family(utterance.speaker.variant))
    assert heard["val"] == {"anika"}
    assert heard["test"] == {"f"}
    assert not heard["train"] & {"anika", "f"}


def test_the_shipped_plan_is_balanced_and_disjoint() -> None:
    read = {
        name: yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text())
        for name in ("menu/warung", "synthesis/espeak", "voices/espeak")
    }
    menu = Menu.parse(read["menu/warung"], "menu")
    settings = synthesis_settings(read["synthesis/espeak"], read["voices/espeak"])
    utterances = plan(menu, settings)
    table = pd.DataFrame([{**u.sentence.labels, "speaker": u.speaker.name, "split": u.split} for u in utterances])
    assert leaking_speakers(table) == []
    for split, part in table.groupby("split"):
        assert len(part) == settings.counts[str(split)]
        times = part.groupby(list(menu.heads)).size()
        assert times.max() - times.min() <= 1
        assert part["speaker"].value_counts().max() - part["speaker"].value_counts().min() <= 1


@pytest.mark.parametrize(
    ("voices", "train", "message"),
    [
        (replace(VOICES, val=("nobody",)), 1, "no voice family 'nobody'"),
        # Found by the speaking process, and told by this one.
        (
            replace(VOICES, speakers={"train": 400, "val": 1, "test": 1}, invented_share=1.0),
            400,
            "400 invented variants are too many",
        ),
    ],
    ids=["family", "variants"],
)
def test_what_espeak_cannot_do_leaves_nothing_behind(
    tmp_path: Path, voices: VoiceSettings, train: int, message: str
) -> None:
    settings = replace(SETTINGS, counts={"train": train, "val": 1, "test": 1}, voices=voices)
    with pytest.raises(UserError, match=message):
        speak(tmp_path / "corpus", settings)
    assert list(tmp_path.iterdir()) == []


def test_unknown_languages_and_variants_are_not_replaced_by_the_default_voice() -> None:
    engine = Engine(seed=0)
    with pytest.raises(UserError, match="espeak-ng does not speak 'xx'"):
        engine.set_voice("xx")
    with pytest.raises(UserError, match="espeak-ng has no voice variant 'nobody'"):
        engine.set_voice("id", "nobody")


def test_words_come_with_their_times() -> None:
    engine = Engine(seed=0)
    engine.set_voice("id", "anika")
    speech = engine.speak("satu kopi susu", Prosody(rate=150))
    assert [(first, length) for first, length, _ in speech.words] == [(0, 4), (5, 4), (10, 4)]
    starts = [start for _, _, start in speech.words]
    assert starts == sorted(starts)
    assert 0 < starts[1] < starts[2] < len(speech.samples) / engine.sample_rate < 3


def test_spoken_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[Path] = []

    def pretend(menu: Menu, settings: SynthesisSettings, folder: Path, progress: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metadata.csv").touch()
        spoken.append(folder)

    monkeypatch.setattr("slu.corpus.synthesised.synthesise", pretend)
    path, is_new = ensure_synthesised(MENU, SETTINGS, tmp_path)
    assert is_new
    assert ensure_synthesised(MENU, SETTINGS, tmp_path) == (path, False)
    assert ensure_synthesised(MENU, SETTINGS, tmp_path, force=True) == (path, True)
    assert ensure_synthesised(MENU, SETTINGS, tmp_path, aligned=True) == (path, True), "it has no alignments"
    (path.parent / ALIGNMENTS).touch()
    assert ensure_synthesised(MENU, SETTINGS, tmp_path, aligned=True) == (path, False)
    louder = replace(SETTINGS, acoustics=replace(SETTINGS.acoustics, level_db=(-30.0, -10.0)))
    assert ensure_synthesised(MENU, louder, tmp_path)[1]
    more = MENU.model_copy(update={"pronunciations": {"teh": ["t'eh"]}})
    assert ensure_synthesised(more, SETTINGS, tmp_path)[1]
    assert [folder == path.parent for folder in spoken] == [True, True, True, False, False]
    assert len(set(spoken)) == 3


def test_the_package_ships_its_variants() -> None:
    assert len(variants()) > 90

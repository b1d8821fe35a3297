"""Corpora whose labels are of the voice: classes by pitch, clips without a voice, long recordings."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml

from slu.audio.decode import rms_db
from slu.audio.pitch import median_pitch
from slu.common.errors import UserError
from slu.corpus.manifest import read_manifest
from slu.corpus.menu import Menu
from slu.corpus.no_voice import draw_no_voice
from slu.corpus.splits import leaking_speakers
from slu.corpus.synthesis_plan import plan
from slu.corpus.synthesised import corpus_fingerprint, corpus_heads, synthesis_settings
from slu.corpus.voice_classes import VoiceClass
from slu.spec import Head
from tests.conftest import ROOT
from tests.corpus.test_synthesis import MENU, SETTINGS, VOICES, speak

GREETINGS = Menu.parse(
    {
        "task": "greetings",
        "heads": {},
        "languages": {"id": ["selamat pagi, apa kabar"], "de": ["guten Morgen"], "vi": ["hẹn gặp lại", "vâng"]},
    },
    "menu",
)


@pytest.fixture(scope="module")
def gender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    voices = yaml.safe_load((ROOT / "conf" / "voices" / "gender.yaml").read_text())
    synthesis = {"counts": {"train": 36, "val": 6, "test": 6}, "no_voice": {"train": 16, "val": 2}}
    rest = {"seed": 0, "sample_rate": 16_000, "acoustics": {}}
    speakers = {"train": 12, "val": 6, "test": 6}
    settings = synthesis_settings({**synthesis, **rest}, {**voices, "speakers": speakers})
    folder = tmp_path_factory.mktemp("gender") / "corpus"
    speak(folder, settings, GREETINGS)
    return folder


def test_labels_of_the_voice_stand_beside_those_of_the_words(gender: Path) -> None:
    manifest = read_manifest(gender / "metadata.csv", (Head("gender", ("female", "male")),))
    voiced = manifest.table[manifest.table["gender"] != ""]
    assert leaking_speakers(manifest.table) == []
    for _, part in voiced.groupby("split"):
        assert len(set(part.groupby(["gender", "language"]).size())) == 1
        assert set(part["language"]) == {"id", "de", "vi"}
    assert (voiced["source"] == "espeak-ng " + voiced["language"]).all()


def test_the_pitch_of_nearly_every_clip_is_of_its_class(gender: Path) -> None:
    table = read_manifest(gender / "metadata.csv").table
    bounds = {"female": (185, 300), "male": (80, 185)}
    inside = []
    for row in table[table["gender"] != ""].to_dict("records"):
        samples, rate = sf.read(gender / row["file_name"], dtype="float32")
        pitch = median_pitch(samples, rate)
        low, high = bounds[row["gender"]]
        inside.append(pitch is not None and 0.96 * low < pitch < 1.04 * high)
    assert np.mean(inside) >= 0.95


def test_clips_without_a_voice_have_no_label(gender: Path) -> None:
    table = read_manifest(gender / "metadata.csv").table
    silent = table[table["source"] == "generated: no voice"]
    assert Counter(silent["split"]) == {"train": 16, "val": 2}
    assert silent["speaker"].nunique() == 18
    assert (silent[["gender", "language"]] == "").all(axis=None)
    for name in silent["file_name"]:
        samples, rate = sf.read(gender / name, dtype="float32")
        assert 0.4 <= len(samples) / rate <= 5.0
        assert -80 < rms_db(samples) < -10


def test_every_kind_of_sound_without_a_voice() -> None:
    heard = Counter()
    for seed in range(120):
        kind, samples = draw_no_voice(8000, (-30.0, -15.0), np.random.default_rng(seed))
        heard[kind] += 1
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert 0 < np.abs(samples).max() <= 1.0
    assert set(heard) == {"noise", "room tone", "hum", "chord", "music", "beeps", "clicks", "sweep"}


def test_corpora_spoken_before_there_were_voice_classes_keep_their_names() -> None:
    read = {
        name: yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text())
        for name in ("menu/warung", "synthesis/espeak", "voices/espeak")
    }
    settings = synthesis_settings(read["synthesis/espeak"], read["voices/espeak"])
    assert corpus_fingerprint(Menu.parse(read["menu/warung"], "menu"), settings).startswith("89d11234")


def test_heads_of_words_and_voices_combine() -> None:
    low = VoiceClass(families=("m",), pitch_hz=(80, 185), tract=(0.9, 1.0))
    classes = {"low": low, "high": replace(low, families=("f",))}
    assert [h.name for h in corpus_heads(MENU, replace(VOICES, labels={"voice": classes}))] == [
        "product", "quantity", "voice"
    ]  # fmt: skip
    with pytest.raises(UserError, match="head 'product' is of the menu and of the voices"):
        corpus_heads(MENU, replace(VOICES, labels={"product": classes}))
    with pytest.raises(UserError, match=r"menu 'greetings' has no heads, and neither have the voices; .*voices=gender"):
        corpus_heads(GREETINGS, VOICES)


def test_long_recordings_are_several_sentences_of_one_speaker(tmp_path: Path) -> None:
    once = replace(SETTINGS, counts={"train": 2, "val": 1, "test": 1})
    settings = replace(once, sentences=(3, 5))
    table = speak(tmp_path / "long", settings, GREETINGS)
    short = speak(tmp_path / "short", once, GREETINGS)
    assert table["speaker"].tolist() == short["speaker"].tolist()
    assert [text.startswith(first) for text, first in zip(table["text"], short["text"], strict=True)] == [True] * 4
    for row, utterance in zip(table.to_dict("records"), plan(GREETINGS, settings), strict=True):
        said = GREETINGS.languages[row["language"]]
        assert 3 <= len(utterance.sentences) <= 5
        assert all(sentence.text in said for sentence in utterance.sentences), "one speaker has one language"
        assert row["text"] == " ".join(sentence.text for sentence in utterance.sentences)
        assert sf.info(tmp_path / "long" / row["file_name"]).duration > len(utterance.sentences) * 0.7
    assert corpus_fingerprint(GREETINGS, replace(once, sentences=(1, 1))) == corpus_fingerprint(GREETINGS, once)
    assert corpus_fingerprint(GREETINGS, settings) != corpus_fingerprint(GREETINGS, once)


def test_several_sentences_need_a_menu_without_heads_and_a_range_that_rises() -> None:
    with pytest.raises(UserError, match=r"synthesis\.sentences: a clip has one label of each of the menu's heads"):
        plan(MENU, replace(SETTINGS, sentences=(2, 3)))
    values = {"counts": {}, "seed": 0, "sample_rate": 16_000, "acoustics": {}, "sentences": [5, 3]}
    voices = yaml.safe_load((ROOT / "conf" / "voices" / "espeak.yaml").read_text())
    with pytest.raises(UserError, match="sentences: the fewest of a clip come first"):
        synthesis_settings(values, voices)

"""Speech that is not on the menu: of every kind, never a menu's sentence, and beside an unchanged corpus."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import yaml

from slu.common.errors import UserError
from slu.common.files import content_hash
from slu.corpus.alignments import read_alignments
from slu.corpus.labels import NO_LABEL, label_ids
from slu.corpus.manifest import read_manifest
from slu.corpus.menu import Menu
from slu.corpus.other_speech import off_menu
from slu.corpus.pseudo_words import draw_pseudo_word, syllables_of
from slu.corpus.splits import leaking_speakers
from slu.corpus.synthesis_plan import SynthesisSettings, plan_other
from slu.corpus.synthesised import corpus_fingerprint, synthesis_settings
from slu.decoding.words import words_of
from tests.conftest import ROOT
from tests.corpus.test_synthesis import MENU, SETTINGS, hashes, speak
from tests.corpus.test_voice_corpora import GREETINGS

EVERYDAY = {
    "task": "everyday",
    "heads": {},
    "languages": {
        "id": ["selamat pagi", "beli dua teh", "apa kabar hari ini", "hujan turun", "terima kasih"],
        "de": ["guten Morgen", "wie lange dauert die Fahrt", "bis später"],
        "vi": ["hẹn gặp lại", "vâng", "trời đẹp quá", "cảm ơn", "xin chào"],
    },
}
OTHER = replace(
    SETTINGS,
    other={"train": 16, "val": 8, "test": 8},
    no_voice={"train": 1},
    everyday=EVERYDAY,
    foreign={"train": ("de",), "test": ("vi",)},
)
KINDS = {
    "other sentences", "pseudo-words", "one word changed", "cut short", "backwards", "without its slots",
    "another language", "several voices",
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other") / "corpus"
    speak(folder, OTHER)
    return folder


@pytest.fixture(scope="module")
def other(corpus: Path) -> pd.DataFrame:
    table = read_manifest(corpus / "metadata.csv", MENU.task_heads()).table
    return table[table["source"].str.startswith("other speech: ")].assign(kind=lambda t: t["source"].str[14:])


def texts(settings: SynthesisSettings, menu: Menu = MENU) -> pd.DataFrame:
    clips = plan_other(menu, settings)
    return pd.DataFrame(
        [(split, c.kind, " / ".join(s.text for s, _ in c.said), c.speaker.language) for split, c in clips],
        columns=["split", "kind", "text", "language"],
    )


def test_the_clips_of_the_menu_stay_as_they_are(corpus: Path, tmp_path: Path) -> None:
    speak(tmp_path / "plain")
    plain, mixed = hashes(tmp_path / "plain"), hashes(corpus)
    assert {name: mixed[name] for name in plain if name.startswith("audio")} == {
        name: value for name, value in plain.items() if name.startswith("audio")
    }
    assert len(mixed) == len(plain) + 33


def test_other_clips_have_no_label_and_are_known_as_such(corpus: Path, other: pd.DataFrame) -> None:
    table = read_manifest(corpus / "metadata.csv", MENU.task_heads()).table
    assert Counter(other["split"]) == {"train": 16, "val": 8, "test": 8}
    assert set(other["kind"]) == KINDS
    assert leaking_speakers(table) == []
    assert all((ids[off_menu(table)] == NO_LABEL).all() for ids in label_ids(table, MENU.task_heads()).values())
    assert off_menu(table).sum() == 33, "clips without a voice, too"
    assert not off_menu(table.drop(columns="source")).any()
    longest = max(sf.info(corpus / name).frames for name in table.loc[~off_menu(table), "file_name"])
    assert all(sf.info(corpus / name).frames <= longest for name in other["file_name"])


def test_what_is_heard_is_aligned_where_it_is_known(corpus: Path, other: pd.DataFrame) -> None:
    alignments = read_alignments(corpus / "metadata.csv")
    known = other[other["file_name"].isin(list(alignments))]
    assert set(known["kind"]) == KINDS - {"backwards", "several voices", "another language"}
    for row in known.to_dict("records"):
        alignment = alignments[row["file_name"]]
        samples, rate = sf.read(corpus / row["file_name"])
        words = tuple(word for word, _, _ in alignment.words)
        assert alignment.phones[-1][2] <= len(samples) / rate + 0.001
        if row["kind"] == "cut short":
            said = words_of(row["text"])
            assert len(words) < len(said)
            assert words in (said[: len(words)], said[len(said) - len(words) :])
        else:
            assert words == words_of(row["text"])[: len(words)]
    silence = next(name for name in alignments if "none" in name)
    assert alignments[silence].phones == ()


def test_no_kind_is_on_the_menu() -> None:
    drawn = texts(replace(OTHER, other={"train": 160, "val": 40, "test": 40}))
    graph = MENU.word_graph()
    for row in drawn[~drawn["kind"].isin(["cut short", "backwards", "several voices"])].to_dict("records"):
        assert words_of(row["text"])
        assert graph.read(words_of(row["text"])) is None, row
    assert set(drawn.loc[drawn["kind"] == "without its slots", "text"]) == {"beli"}
    changed = drawn.loc[drawn["kind"] == "one word changed", "text"].str.split()
    assert all(len({*words} & {"beli", "teh", "kopi", "satu", "dua"}) == 2 for words in changed)
    assert Counter(drawn["kind"]).most_common()[-1][1] > 10


def test_what_is_tested_has_not_trained() -> None:
    drawn = texts(replace(OTHER, other={"train": 160, "val": 160, "test": 160}))
    foreign = drawn[drawn["kind"] == "another language"].groupby("split")["language"].unique()
    assert {split: list(names) for split, names in foreign.items()} == {"train": ["de"], "test": ["vi"]}
    words = {
        split: {w for text in part["text"] for w in text.split()}
        for split, part in drawn[drawn["kind"] == "other sentences"].groupby("split")
    }
    assert words == {
        "train": {"selamat", "pagi", "apa", "kabar", "hari", "ini"} | (words["train"] & {"beli", "dua", "teh"}),
        "val": {"hujan", "turun"},
        "test": {"terima", "kasih"},
    }
    assert texts(OTHER).equals(texts(OTHER))


def test_without_everyday_sentences_words_mean_nothing() -> None:
    drawn = texts(replace(OTHER, everyday={}, other={"train": 16}))
    assert set(drawn["kind"]) == KINDS - {"other sentences", "another language"}
    digits = Menu.parse(yaml.safe_load((ROOT / "conf/menu/digits_en.yaml").read_text()), "menu")
    assert not set(texts(replace(OTHER, other={"train": 16}), digits)["kind"]) & {"without its slots"}


def test_only_menus_with_heads_can_be_left() -> None:
    with pytest.raises(UserError, match=r"synthesis\.other: menu 'greetings' has no heads"):
        plan_other(GREETINGS, OTHER)
    with pytest.raises(ValueError, match="foreign: de stands in two splits"):
        replace(OTHER, foreign={"train": ("de",), "val": ("de",)})


def test_fingerprints_change_only_with_other_speech() -> None:
    assert corpus_fingerprint(MENU, replace(OTHER, other={}, no_voice={})) == corpus_fingerprint(MENU, SETTINGS)
    assert corpus_fingerprint(MENU, OTHER) != corpus_fingerprint(MENU, replace(OTHER, everyday={}))


def test_the_shipped_languages_have_sentences() -> None:
    read = {
        name: yaml.safe_load((ROOT / "conf" / f"{name}.yaml").read_text())
        for name in ("menu/gender", "synthesis/espeak", "synthesis/with_other", "voices/espeak")
    }
    synthesis = {**read["synthesis/espeak"], **read["synthesis/with_other"], "everyday": read["menu/gender"]}
    del synthesis["defaults"]
    settings = synthesis_settings(synthesis, read["voices/espeak"])
    heard = {language for names in settings.foreign.values() for language in names}
    assert heard <= set(read["menu/gender"]["languages"])


def test_pseudo_words_are_made_of_syllables() -> None:
    syllables = syllables_of(["sembilan", "delapan", "i'd", "अच्छा"])
    assert syllables == ("bi", "de", "id", "la", "lan", "pan", "sem", "अच्", "छा")
    rng = np.random.default_rng(0)
    words = [draw_pseudo_word(syllables[:7], {"bilan"}, rng) for _ in range(200)]
    assert "bilan" not in words
    assert all(3 <= len(word) <= 12 for word in words)
    assert len(set(words)) > 50
    assert draw_pseudo_word((), set(), rng) == ""


def test_the_same_seed_gives_the_same_other_clips(corpus: Path, tmp_path: Path) -> None:
    speak(tmp_path / "again", OTHER)
    names = [p.name for p in (corpus / "audio").iterdir() if "other" in p.name]
    assert len(names) == 32
    for name in names:
        assert content_hash(corpus / "audio" / name) == content_hash(tmp_path / "again" / "audio" / name)

"""Speakers: nobody of one split speaks in another, and every name exists."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.espeak import variants
from slu.corpus.variants import invent_variant
from slu.corpus.voice_classes import VoiceClass, voice_groups
from slu.corpus.voices import VoiceSettings, draw_speakers, family
from tests.conftest import ROOT

SETTINGS = VoiceSettings(
    val=("anika", "m"),
    test=("f", "Hugo"),
    exclude=("whisper", "whisperf"),
    speakers={"train": 40, "val": 12, "test": 9},
    invented_share=0.25,
    rate=(120, 200),
)


LABELS = {
    "gender": {
        "female": VoiceClass(families=("anika", "f", "linda", "steph"), pitch_hz=(185, 300), tract=(1.05, 1.25)),
        "male": VoiceClass(families=("m", "Hugo", "Alex", "boris"), pitch_hz=(80, 185), tract=(0.85, 1.03)),
    }
}


def draw(
    split: str, settings: VoiceSettings = SETTINGS, seed: int = 0, languages: tuple[str, ...] = ("id",)
) -> list[Any]:
    return draw_speakers(settings, languages, split, np.random.default_rng(seed))


@pytest.mark.parametrize("path", sorted((ROOT / "conf" / "voices").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_settings_name_voices_that_exist(path: Any) -> None:
    settings = parse_settings(VoiceSettings, yaml.safe_load(path.read_text()), "voices")
    families = {family(name) for name in variants()}
    assert {*settings.val, *settings.test} <= families
    assert set(settings.exclude) <= set(variants())
    classed = {name for classes in settings.labels.values() for voice in classes.values() for name in voice.families}
    assert classed <= families - {family(name) for name in settings.exclude}
    for split, count in settings.speakers.items():
        speakers = draw(split, settings)
        assert len(speakers) == count
        for head, classes in settings.labels.items():
            assert Counter(s.labels[head] for s in speakers) == dict.fromkeys(classes, count // len(classes))


@pytest.mark.parametrize("seed", range(3))
def test_families_stay_on_one_side(seed: int) -> None:
    heard = {split: {family(s.variant) for s in draw(split, seed=seed)} for split in ("train", "val", "test")}
    assert heard["val"] <= {"anika", "m"}
    assert heard["test"] <= {"f", "Hugo"}
    assert not heard["train"] & {"anika", "m", "f", "Hugo", "whisper", "whisperf"}
    names = [s.name for split in ("train", "val", "test") for s in draw(split, seed=seed)]
    assert len(set(names)) == len(names) == 61


def test_only_training_invents_variants() -> None:
    invented = [s for s in draw("train") if s.variant_text]
    assert len(invented) == 10
    assert len({s.variant_text for s in invented}) == 10
    assert not {s.variant for s in invented} & set(variants())
    assert all(s.variant in variants() for s in draw("train") if not s.variant_text)
    assert not any(s.variant_text for split in ("val", "test") for s in draw(split))


def test_invented_variants_are_voices_in_espeaks_terms() -> None:
    lines = [line.split() for line in invent_variant("slu7", np.random.default_rng(0)).splitlines()]
    keys = [line[0] for line in lines]
    assert lines[:2] == [["language", "variant"], ["name", "slu7"]]
    assert keys.count("formant") == 9
    low, high = (int(x) for x in next(line for line in lines if line[0] == "pitch")[1:])
    assert 40 < low < high < 400


def test_accents_are_spread_over_the_asked_share_of_training() -> None:
    settings = replace(SETTINGS, accents=("ms", "jv"), accent_share=0.5)
    languages = [s.language for s in draw("train", settings)]
    assert sorted(set(languages)) == ["id", "jv", "ms"]
    assert languages.count("id") == 20
    assert languages.count("ms") == languages.count("jv") == 10
    assert {s.language for s in draw("test", settings)} == {"id"}


def test_speakers_differ_and_stay_in_range() -> None:
    speakers = draw("train")
    assert all(120 <= s.prosody.rate <= 200 and 0 <= s.prosody.pitch <= 99 for s in speakers)
    assert len({s.prosody for s in speakers}) > 35
    assert draw("train", seed=1) == draw("train", seed=1) != draw("train", seed=2)


def test_names_that_cannot_be_used() -> None:
    with pytest.raises(UserError, match=r"no voice family 'nobody'; it has .*anika"):
        draw("train", replace(SETTINGS, test=("nobody",)))
    with pytest.raises(UserError, match="anika cannot be both in val and in test"):
        draw("train", replace(SETTINGS, test=("anika",)))
    with pytest.raises(UserError, match="no variant is left for the val split"):
        draw("val", replace(SETTINGS, val=("anika",), exclude=("anika",)))


def test_classes_and_languages_are_balanced_in_every_split() -> None:
    settings = replace(SETTINGS, labels=LABELS)
    for split, count in settings.speakers.items():
        speakers = draw(split, settings, languages=("id", "de"))
        times = Counter((s.labels["gender"], s.language) for s in speakers)
        assert len(times) == 4
        assert max(times.values()) - min(times.values()) <= 1
        assert sum(times.values()) == count
        for speaker in speakers:
            voice = LABELS["gender"][speaker.labels["gender"]]
            assert voice.pitch_hz[0] < speaker.pitch_hz < voice.pitch_hz[1]
            assert family(speaker.variant) in voice.families or speaker.variant.startswith("slu")
            assert split == "train" or not speaker.variant.startswith("slu")
            low, high = (float(x) for x in speaker.variant_text.splitlines()[-1].split()[1:])
            assert low < speaker.pitch_hz < high
            assert speaker.variant_text.count("\npitch ") == speaker.variant_text.count("\nname ") == 1
    held = [{family(s.variant) for s in draw(split, settings)} for split in settings.speakers]
    assert not held[0] & held[1]
    assert not held[0] & held[2]
    assert not held[1] & held[2]


def test_invented_tracts_are_of_their_class() -> None:
    settings = replace(SETTINGS, labels=LABELS, invented_share=1.0)
    tracts: dict[str, list[float]] = {"female": [], "male": []}
    for speaker in draw("train", settings):
        formants = [line.split() for line in speaker.variant_text.splitlines() if line.startswith("formant")]
        tracts[speaker.labels["gender"]].append(float(np.mean([float(f[2]) for f in formants if f[1] != "0"])) / 100)
    assert min(tracts["female"]) > 1.0
    assert max(tracts["male"]) < 1.08


def test_two_voice_heads_make_a_group_of_each_combination() -> None:
    age = {
        "young": VoiceClass(families=("anika", "f", "m", "Alex"), pitch_hz=(80, 300), tract=(0.9, 1.2)),
        "old": VoiceClass(families=("linda", "Hugo", "steph", "boris"), pitch_hz=(80, 250), tract=(0.8, 1.2)),
    }
    groups = voice_groups({**LABELS, "age": age})
    assert [tuple(g.labels.values()) for g in groups] == [
        ("female", "young"), ("female", "old"), ("male", "young"), ("male", "old")
    ]  # fmt: skip
    assert groups[1].families == {"linda", "steph"}
    assert groups[1].pitch_hz == (185, 250)


def test_languages_of_a_split_are_its_own() -> None:
    settings = replace(SETTINGS, languages_of={"test": ("tr",)})
    heard = {s: {p.language for p in draw(s, settings, languages=("id", "tr", "de"))} for s in SETTINGS.speakers}
    assert heard == {"train": {"id", "de"}, "val": {"id", "de"}, "test": {"tr"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"families": ("anika", "nobody")}, "no voice family 'nobody'"),
        ({"families": ("anika", "Hugo")}, "'Hugo' cannot be both female and male"),
        ({"families": ("linda", "f")}, r"no variant of female \(f, linda\) is left for the val split"),
        ({"pitch_hz": (300.0, 185.0)}, "the pitch_hz of female goes from 300 to 185"),
        ({"tract": (1.2, 1.2)}, "the tract of female goes from 1.2 to 1.2"),
    ],
)
def test_classes_that_cannot_be_spoken(change: dict[str, Any], message: str) -> None:
    female = replace(LABELS["gender"]["female"], **change)
    with pytest.raises(UserError, match=message):
        draw("val", replace(SETTINGS, labels={"gender": {**LABELS["gender"], "female": female}}))


def test_languages_and_classes_that_are_not_there() -> None:
    with pytest.raises(UserError, match=r"the menu is not in 'tr'; it is in id, de"):
        draw("val", replace(SETTINGS, languages_of={"test": ("tr",)}), languages=("id", "de"))
    with pytest.raises(UserError, match="no language is left for the val split"):
        draw("val", replace(SETTINGS, languages_of={"test": ("id",)}))
    with pytest.raises(UserError, match="accents are for a menu of one language"):
        draw("train", replace(SETTINGS, accents=("ms",)), languages=("id", "de"))
    with pytest.raises(UserError, match="gender needs at least two classes"):
        draw("val", replace(SETTINGS, labels={"gender": {"female": LABELS["gender"]["female"]}}))
    read = {"val": [], "test": [], "exclude": [], "speakers": {}, "invented_share": 0.5, "rate": [1, 2]}
    female = {"families": ["f"], "pitch_hz": [185, 300], "tract": [1.05, 1.25]}
    for wrong, message in (({"formants": 1}, "formants"), ({"pitch_hz": [5, 300]}, "pitch_hz")):
        with pytest.raises(UserError, match=rf"voices.labels.gender.female.{message}"):
            parse_settings(VoiceSettings, {**read, "labels": {"gender": {"female": {**female, **wrong}}}}, "voices")


def test_family() -> None:
    assert [family(name) for name in ("f5", "steph", "steph2", "klatt6", "Mr serious")] == [
        "f", "steph", "steph", "klatt", "Mr serious"
    ]  # fmt: skip

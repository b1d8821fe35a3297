"""Speakers: nobody of one split speaks in another, and every name exists."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.espeak import variants
from slu.corpus.voices import VoiceSettings, draw_speakers, family, invent_variant
from tests.conftest import ROOT

SETTINGS = VoiceSettings(
    val=("anika", "m"),
    test=("f", "Hugo"),
    exclude=("whisper", "whisperf"),
    speakers={"train": 40, "val": 12, "test": 9},
    invented_share=0.25,
    rate=(120, 200),
)


def draw(split: str, settings: VoiceSettings = SETTINGS, seed: int = 0) -> list[Any]:
    return draw_speakers(settings, "id", split, np.random.default_rng(seed))


@pytest.mark.parametrize("path", sorted((ROOT / "conf" / "voices").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_settings_name_voices_that_exist(path: Any) -> None:
    settings = parse_settings(VoiceSettings, yaml.safe_load(path.read_text()), "voices")
    families = {family(name) for name in variants()}
    assert {*settings.val, *settings.test} <= families
    assert set(settings.exclude) <= set(variants())
    for split, count in settings.speakers.items():
        assert len(draw(split, settings)) == count


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


def test_family() -> None:
    assert [family(name) for name in ("f5", "steph", "steph2", "klatt6", "Mr serious")] == [
        "f", "steph", "steph", "klatt", "Mr serious"
    ]  # fmt: skip

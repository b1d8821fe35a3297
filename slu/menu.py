"""Read a menu back: what can be said, what may be said wrongly, what sounds alike."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf
from pydantic import Field
from rich.table import Table

from slu.common.cli import compose, reports_errors
from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.corpus.menu import Menu, Sentence
from slu.corpus.menu_check import MenuReading, Pair, read_menu
from slu.evaluation.tables import facts_table, show
from slu.spec import NOT_MENTIONED, Head

_MANY = 150
"""Words above which only the doubtful ones are listed."""


@dataclass(frozen=True)
class CheckSettings:
    menu: dict[str, Any]
    examples: Annotated[int, Field(ge=1)]
    alike: Annotated[float, Field(ge=0, le=1)]
    pairs: Annotated[int, Field(ge=0)]
    seed: Annotated[int, Field(ge=0)]


@hydra.main(version_base="1.3", config_path="../conf", config_name="menu")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(
        CheckSettings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings"
    )
    menu = Menu.parse(settings.menu, "menu")
    reading = read_menu(menu, settings.examples, settings.seed)
    heads = menu.task_heads()
    facts = [
        ("task", menu.task),
        ("language", ", ".join(menu.spoken_languages)),
        *((head.name, f"{len(head.classes)} classes: {_brief(head)}") for head in heads),
        ("sentences", f"{reading.sentences:,} different ones"),
    ]
    show(facts_table(facts), _examples(reading.examples, heads), *_words(reading), _pairs(reading, settings))
    for text in warnings(reading, settings.alike):
        print(f"warning: {text}")
    if lines := corrections(reading):
        print(
            "\nTo correct how a word is said, put its phonemes in the menu (these are espeak-ng's own, to be changed):"
        )
        print("\n".join(["pronunciations:", *lines]))


def _brief(head: Head, most: int = 12) -> str:
    more = f" and {len(head.classes) - most} more" if len(head.classes) > most else ""
    return ", ".join(head.shown(label) for label in head.classes[:most]) + more


def _examples(examples: Sequence[Sentence], heads: Sequence[Head]) -> Table:
    table = Table(title="examples", title_justify="left")
    table.add_column("sentence", overflow="fold")
    for head in heads:
        table.add_column(head.name, overflow="fold")
    for sentence in examples:
        labels = (sentence.labels[head.name] for head in heads)
        table.add_row(sentence.text, *("" if label == NOT_MENTIONED else label for label in labels))
    return table


def _words(reading: MenuReading) -> list[Table | None]:
    tables: list[Table | None] = []
    for language, words in reading.words.items():
        shown = words if len(words) <= _MANY else {word: words[word] for word in reading.doubtful[language]}
        only = "" if len(shown) == len(words) else f", those in doubt of {len(words)}"
        table = Table(title=f"words, as espeak-ng says them in {language}{only}", title_justify="left")
        for column in ("word", "phonemes", "IPA", "doubt"):
            table.add_column(column, overflow="fold")
        for word, ways in shown.items():
            given = "as the menu says" if ways[0].word != word else ways[0].doubt
            table.add_row(word, " or ".join(said.mnemonics for said in ways), " or ".join(s.ipa for s in ways), given)
        tables.append(table if shown else None)
    return tables


def _pairs(reading: MenuReading, settings: CheckSettings) -> Table | None:
    """The most alike, and all that are warned about."""
    chosen = [p for i, p in enumerate(reading.pairs) if i < settings.pairs or p.alike(settings.alike)]
    table = Table(title="classes that sound most alike (0: the same)", title_justify="left")
    for column in ("head", "classes", "what differs", "phones", "distance"):
        table.add_column(column, overflow="fold", justify="right" if column in ("phones", "distance") else "left")
    for pair in chosen:
        sounds = " / ".join(" ".join(phones) or "-" for phones in pair.phones)
        table.add_row(pair.head, " / ".join(_named(pair)), sounds, str(pair.edits), f"{pair.distance:.2f}")
    return table if chosen else None


def _named(pair: Pair) -> list[str]:
    """The classes, with what is said where that is something else: `3 (tiga)`."""
    return [c if c == said else f"{c} ({said})" for c, said in zip(pair.classes, pair.said, strict=True)]


def warnings(reading: MenuReading, alike: float) -> list[str]:
    found = []
    for language, words in reading.doubtful.items():
        for doubt in dict.fromkeys(said.doubt for said in words.values()):
            listed = ", ".join(word for word, said in words.items() if said.doubt == doubt)
            found.append(f"{language}: {listed}: {doubt}")
    for pair in reading.pairs:
        if pair.alike(alike):
            both = " and ".join(_named(pair))
            found.append(f"{pair.head}: {both} sound alike ({pair.distance:.2f}); another word for one of them helps")
    if reading.ambiguous:
        found.append(f"'{reading.ambiguous[0].text}' can mean two things; say one of them in another way")
    return found


def corrections(reading: MenuReading) -> list[str]:
    """Lines for `pronunciations`, of the words in doubt; where there is none, of the first word, to show how."""
    doubtful = {word: said for words in reading.doubtful.values() for word, said in words.items()}
    by_rule = {
        word: ways[0] for words in reading.words.values() for word, ways in words.items() if ways[0].word == word
    }
    chosen = doubtful or dict(list(by_rule.items())[:1])
    # JSON's quotes and escapes are YAML's too.
    quoted = ((json.dumps(t, ensure_ascii=False) for t in (w, said.mnemonics)) for w, said in chosen.items())
    return [f"  {word}: [{phonemes}]" for word, phonemes in quoted]


def without_verb(arguments: Sequence[str]) -> list[str]:
    """`check`, the only thing there is to do, may be left out. Raises UserError for another bare word."""
    bare = [a for a in arguments if "=" not in a and not a.startswith(("-", "+", "~"))]
    if strangers := [word for word in bare if word != "check"]:
        raise UserError(f"'{strangers[0]}' is nothing to do with a menu; known is check, as in check menu=warung")
    return [a for a in arguments if a not in bare]


@reports_errors
def start() -> None:
    sys.argv[1:] = without_verb(sys.argv[1:])
    compose(main)


if __name__ == "__main__":
    start()

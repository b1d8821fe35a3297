"""Write slides about an evaluation, into its folder."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.slides.newest import compared_bundles, newer_comparison, newest_run

KINDS = ("slides",)


@dataclass(frozen=True)
class ReportSettings:
    kind: Literal["slides"] | None
    run: str | None
    exploration: str | None
    study: str | None
    title: str | None
    outputs: str


@hydra.main(version_base="1.3", config_path="../conf", config_name="report")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(
        ReportSettings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "settings"
    )
    if settings.kind is None:
        raise UserError(f"say what to write: python -m slu.report {KINDS[0]}")
    _write_slides(settings)


def _write_slides(settings: ReportSettings) -> None:
    outputs = Path(settings.outputs)
    run = newest_run(outputs) if settings.run is None else Path(settings.run)
    if settings.run is None and (newer := newer_comparison(run)) is not None:
        print(f"newer than {run} is a comparison; for slides about one of it: {compared_bundles(newer)}", flush=True)
    from slu.documents.deck import write_deck  # torch takes seconds: only when there is something to tell
    from slu.slides.sources import read_sources
    from slu.slides.story import build_deck

    sources = read_sources(run, outputs, _folder(settings.exploration), _folder(settings.study))
    deck = build_deck(sources, settings.title)
    path = run / "slides.pptx"
    write_deck(path, deck)
    print(f"slides: {path} ({1 + len(deck.slides)} slides about {sources.metrics['bundle']})", flush=True)
    for text in sources.warnings:
        print(f"warning: {text}", flush=True)


def _folder(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def name_kind(arguments: Sequence[str]) -> list[str]:
    """The bare word that says what to write, as the setting that Hydra knows. Raises UserError for other words."""
    named: list[str] = []
    for number, argument in enumerate(arguments):
        flag = arguments[number - 1] if number else ""
        bare = "=" not in argument and not argument.startswith(("-", "+", "~"))
        if not bare or (flag.startswith("-") and flag not in ("-m", "--multirun")):  # or it belongs to the flag
            named.append(argument)
        elif argument in KINDS:
            named.append(f"kind={argument}")
        else:
            raise UserError(f"'{argument}' is not something to write; known are {', '.join(KINDS)}")
    return named


@reports_errors
def start() -> None:
    sys.argv[1:] = name_kind(sys.argv[1:])
    run_command(main)


if __name__ == "__main__":
    start()

"""Speak the menu into a corpus of recordings, offline."""

from pathlib import Path
from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.corpus.menu import Menu
from slu.corpus.synthesised import ensure_synthesised, synthesis_settings


@hydra.main(version_base="1.3", config_path="../conf", config_name="synthesize")
@reports_errors
def main(config: DictConfig) -> None:
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    menu = Menu.parse(settings["menu"], "menu")
    corpus = synthesis_settings(settings["synthesis"], settings["voices"])
    manifest, is_new = ensure_synthesised(menu, corpus, Path(settings["outputs"]), force=settings["force"])
    clips = sum(sum(counts.values()) for counts in (corpus.counts, corpus.no_voice, corpus.other))
    print(f"{'spoke' if is_new else 'up to date:'} {clips} clips, {manifest}")


if __name__ == "__main__":
    run_command(main)

"""Turn real recordings and their label tables into a validated manifest."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.common.settings import parse_settings
from slu.corpus.ingest_report import describe
from slu.corpus.ingest_settings import IngestSettings
from slu.corpus.ingested import ensure_ingested
from slu.corpus.manifest import read_manifest
from slu.corpus.readers import read_source
from slu.corpus.splits import Method, workable_method


@hydra.main(version_base="1.3", config_path="../conf", config_name="ingest")
@reports_errors
def main(config: DictConfig) -> None:
    if missing := sorted(OmegaConf.missing_keys(config)):
        raise UserError(f"{missing[0]} is not set; give it on the command line as {missing[0]}=...")
    values: Any = OmegaConf.to_container(config, resolve=True)
    source, outputs, force = values.pop("source"), Path(values.pop("outputs")), values.pop("force")
    settings = parse_settings(IngestSettings, values, "ingest")
    folder, is_new = ensure_ingested(read_source(source, settings.heads), settings, outputs, force=force)
    print(describe(folder) if is_new else f"up to date (force=true runs again): {describe(folder)}")
    manifest = folder / "metadata.csv"
    print(f"manifest: {manifest}")
    table = read_manifest(manifest).table
    method = workable_method(table) or "auto"
    print(f"train on it{_split_in_words(table, method)}: {_training_command(manifest, settings.heads, method)}")


def _split_in_words(table: pd.DataFrame, method: Method) -> str:
    """What has to be known of a split that is not the default."""
    people = [] if "speaker" not in table else list(table["speaker"])
    named = sorted(set(people) - {""})
    if not named:
        who = "no speaker is known"
    elif "" in people:
        who = "not every clip has a speaker"
    else:
        who = f"{len(named)} {'speaker is' if len(named) == 1 else 'speakers are'} too few to keep each on one side"
    return {
        "recording": f" ({who}, so whole recordings are split: figures will be too good where people recur)",
        "random": f" ({who}, so clips are split at random: figures will be too good, for voices leak)",
        "speaker": " (the split has gaps, so whole speakers are drawn)",
    }.get(method, "")


def _training_command(manifest: Path, heads: Sequence[str], method: Method) -> str:
    settings = ["data=manifest", f"data.manifest={manifest}"]
    if list(heads) != ["product", "quantity"]:  # what data=manifest expects unless told
        settings += [f"data.heads=[{','.join(heads)}]", f"data.task={'_'.join(heads)}"]
    longest_s = read_json(manifest.parent / "metadata.json")["duration_s"]["max"]
    if longest_s > 10:  # what data=manifest accepts unless told
        settings.append(f"data.max_duration_s={math.ceil(longest_s)}")
    if method != "auto":
        settings.append(f"data.split.method={method}")
    return shlex.join(["python", "-m", "slu.train", *settings])


if __name__ == "__main__":
    run_command(main)

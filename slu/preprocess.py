"""Compute the features of a corpus, once per clip and front end."""

from pathlib import Path
from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.training.shares import Share
from slu.training.stages import prepare, prepare_share


@hydra.main(version_base="1.3", config_path="../conf", config_name="preprocess")
@reports_errors
def main(config: DictConfig) -> None:
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    if settings["shard"] is not None:
        prepare_share(settings, Path(settings["outputs"]), Share.parse(settings["shard"]))
        return
    data = prepare(settings, Path(settings["outputs"]))
    table = data.features.table
    counts = ", ".join(f"{split} {count}" for split, count in table["split"].value_counts().items())
    print(f"{table['duration_s'].sum() / 3600:.2f} hours ({counts}); {len(data.features.rejected)} clips left out")


if __name__ == "__main__":
    run_command(main)

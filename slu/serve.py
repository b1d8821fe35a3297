"""Answer over HTTP: a recogniser of the registry, and a page to speak to."""

from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from slu.common.cli import reports_errors, run_command
from slu.common.settings import parse_settings
from slu.serving.settings import ServeSettings


@hydra.main(version_base="1.3", config_path="../conf", config_name="serve")
@reports_errors
def main(config: DictConfig) -> None:
    settings = parse_settings(
        ServeSettings, cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), "serve"
    )
    from slu.serving.server import serve  # after the settings: what is wrong with them is said at once

    serve(settings)


if __name__ == "__main__":
    run_command(main)

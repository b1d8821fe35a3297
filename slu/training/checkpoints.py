"""The checkpoints of a fit: the best epoch, and the last one, from which a run is resumed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from slu.common.errors import UserError
from slu.spec import TaskSpec
from slu.training.classifier import OBJECTIVE


class BestCheckpoint(ModelCheckpoint):
    """Keeps the best epoch, and takes an earlier run's record along on resuming.

    Lightning forgets the best score when the folder changed; a resumed run has its own folder, and must
    still end with the best epoch of both parts.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "best", OBJECTIVE, mode="max", enable_version_counter=False)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})


def last_checkpoint(folder: Path) -> ModelCheckpoint:
    """Every epoch's end, for resuming; written to a temporary name first, so a kill leaves the one before."""
    return ModelCheckpoint(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)


def require_checkpoint(path: Path) -> None:
    """Raises UserError where there is none; cheap enough to ask before any data are prepared."""
    if not path.is_file():
        raise UserError(f"there is no checkpoint at {path}; look for outputs/runs/train/*/checkpoints/last.ckpt")


def check_checkpoint(path: Path, model: Mapping[str, Any], spec: TaskSpec, seed: int) -> None:
    """Raises UserError when a checkpoint is missing, damaged, or of another model, task or seed than the settings
    say: a resumed run is to end as a whole one."""
    require_checkpoint(path)
    try:
        trained = torch.load(path, map_location="cpu", weights_only=True)["hyper_parameters"]
    except Exception:  # torch raises many kinds for a damaged file, and none of them says more
        raise UserError(f"the checkpoint {path} is damaged or was not written by slu.train") from None
    for name, now in (("model", dict(model)), ("spec", spec.to_json()), ("seed", seed)):
        if trained.get(name) != now:
            raise UserError(
                f"the checkpoint {path} was trained with other {name} settings; resume with the settings of its run, "
                f"which are in {path.parent.parent / '.hydra' / 'overrides.yaml'}"
            )

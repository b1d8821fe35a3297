"""Learn from accepted corrections; a better recogniser goes live, a worse one does not."""

import time
from pathlib import Path
from typing import Any, cast

import hydra
import torch
from omegaconf import DictConfig, OmegaConf

from slu.adaptation.replay import ReplaySettings
from slu.adaptation.settings import AdaptSettings
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.tables import facts_table, show
from slu.feedback import FeedbackStore, default_url
from slu.retraining.cycle import Outcome, Retraining, RetrainSettings
from slu.retraining.decision import PAGE
from slu.retraining.from_scratch import ScratchSettings
from slu.retraining.gate import GateSettings
from slu.retraining.lock import one_at_a_time

_PARTS = {
    "conditions": ConditionSettings,
    "gate": GateSettings,
    "adapt": AdaptSettings,
    "replay": ReplaySettings,
    "scratch": ScratchSettings,
}


@hydra.main(version_base="1.3", config_path="../conf", config_name="retrain")
@reports_errors
def main(config: DictConfig) -> None:
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    outputs, watch, every_s = Path(plain.pop("outputs")), bool(plain.pop("watch")), float(plain.pop("every_s"))
    url = plain.pop("feedback") or default_url(outputs)
    torch.set_num_threads(int(plain.pop("threads")))
    parts: dict[str, Any] = {key: parse_settings(kind, plain.pop(key), key) for key, kind in _PARTS.items()}
    settings = parse_settings(RetrainSettings, {**plain, **parts}, "settings")
    store = FeedbackStore(url, outputs)
    last = ""
    while True:
        outcome = _once(outputs, store, settings, watching=watch)
        if outcome.said != last:  # while it watches, once is enough
            _tell(outcome)
        last = outcome.said
        if not watch:
            return
        time.sleep(every_s)


def _once(outputs: Path, store: FeedbackStore, settings: RetrainSettings, *, watching: bool) -> Outcome:
    try:
        with one_at_a_time(outputs / "retrain"), progress_bar("hearing the frozen test") as progress:
            return Retraining(outputs, store, settings, progress).run()
    except UserError as error:
        if not watching:
            raise
        return Outcome(f"warning: {error}")  # another look may find it mended


def _tell(outcome: Outcome) -> None:
    facts = [("retraining", outcome.said)]
    if outcome.work is not None:
        facts.append(("decision", str(outcome.work / PAGE)))
        if outcome.version is not None:
            facts.append(("take it back", f"python -m slu.registry rollback {outcome.work.parent.name}"))
    show(facts_table(facts))


if __name__ == "__main__":
    run_command(main)

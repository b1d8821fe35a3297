"""What a trial says to its study, and when it is told to stop."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from optuna.pruners import MedianPruner
from optuna.trial import TrialState

from slu.common.errors import UserError
from slu.studies.search_report import saving
from slu.studies.study_storage import open_study
from slu.studies.trial_report import ReportToStudy, result, running_trial
from slu.studies.trials import TrialQueue
from slu.training.classifier import OBJECTIVE
from tests.studies.test_trials import MAXIMIZE, X


def train(report: ReportToStudy, values: list[float]) -> int:
    """Epochs until the callback stops it, as Lightning would call it."""
    trainer: Any = SimpleNamespace(should_stop=False, sanity_checking=False, max_epochs=len(values))
    for epoch, value in enumerate(values):
        trainer.current_epoch, trainer.callback_metrics = epoch, {OBJECTIVE: torch.tensor(value)}
        report.on_validation_end(trainer, None)  # type: ignore[arg-type]
        if trainer.should_stop:
            return epoch + 1
    return len(values)


def test_a_trial_below_the_median_of_those_before_it_is_ended(tmp_path: Path) -> None:
    url, pruner = f"sqlite:///{tmp_path / 's'}", MedianPruner(n_startup_trials=3, n_warmup_steps=2)
    queue = TrialQueue(open_study(url, "s", MAXIMIZE), 9, X)
    epochs = []
    for best in (0.9, 0.8, 0.7, 0.2, 0.95):
        trial = queue.take()
        assert trial is not None
        report = ReportToStudy(running_trial(url, "s", trial.number, pruner))
        epochs.append(train(report, [0.1 * best, 0.5 * best, 0.8 * best, 0.9 * best, best, best]))
        queue.tell(trial, [best], pruned=report.pruned)
    assert epochs == [6, 6, 6, 2, 6]
    trials = queue.study.get_trials()
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 3 + [TrialState.PRUNED, TrialState.COMPLETE]
    assert saving(queue.study) == (26, 4)


def test_a_storage_that_is_gone_costs_the_report_and_not_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 's'}"
    trial = TrialQueue(open_study(url, "s", MAXIMIZE), 1, X).take()
    assert trial is not None
    report = ReportToStudy(running_trial(url, "s", trial.number, None))
    (tmp_path / "s").write_bytes(b"nothing of the kind" * 500)
    assert train(report, [0.1, 0.2, 0.3]) == 3
    assert capsys.readouterr().out.count("warning: the study could not be told of epoch") == 1


def test_a_trial_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's'}"
    open_study(url, "s", MAXIMIZE)
    with pytest.raises(UserError, match="trial=7: the study s has no such trial"):
        running_trial(url, "s", 7, None)


def test_what_is_returned_is_what_was_asked_for() -> None:
    known = {"val/a_macro_f1": 0.5, "val/b_macro_f1": 0.25}
    assert result(0.4, known, (), pruned=True).values == (0.4,)
    assert result(0.4, known, ("val/b_macro_f1", "val/a_macro_f1"), pruned=False).values == (0.25, 0.5)
    with pytest.raises(UserError, match=r"there is no val/c; there are val/a_macro_f1, val/b_macro_f1"):
        result(0.4, known, ("val/c",), pruned=False)
    with pytest.raises(UserError, match="there are none"):
        result(None, {}, (), pruned=False)

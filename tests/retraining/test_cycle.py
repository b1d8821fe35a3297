"""From corrections to a decision: what is right goes live, what is wrong does not, and nothing is lost on the way."""

import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from slu.bundles import Predictor, load_bundle
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.feedback.schema import ACCEPTED, USED
from slu.retraining.lock import one_at_a_time
from tests.adaptation.helpers import new_person
from tests.retraining.helpers import GATE, accept_all, correct, live, registry_of, retraining


def right(folder: Path, manifest: Path) -> float:
    predictor, table = Predictor(load_bundle(folder)), pd.read_csv(manifest, dtype=str)
    answers = [predictor.predict(manifest.parent / name).labels for name in table["file_name"]]
    return sum(
        answer["pitch"] == row.pitch and answer["length"] == row.length
        for answer, row in zip(answers, table.itertuples(), strict=True)
    ) / len(table)


def test_corrections_of_a_new_person_are_learnt_and_go_live(tones: Path, tmp_path: Path) -> None:
    registry, clips = registry_of(tones, tmp_path), new_person(tmp_path / "new", 32)
    work = retraining(tones, tmp_path)
    before = live(registry)
    assert right(before, clips) < 0.7
    assert "0 of 20 new corrections" in work.run().said
    correct(work.store, registry, clips, tmp_path / "out")
    assert "0 of 20 new corrections" in work.run().said, "what nobody has accepted is not learnt from"
    accept_all(work.store)

    outcome = work.run()
    assert outcome.version is not None, outcome.said
    assert live(registry).name == outcome.version != before.name
    assert right(live(registry), clips) > 0.9
    assert outcome.work is not None
    decision = read_json(outcome.work / "decision.json")
    assert decision["passed"]
    assert all(check["passed"] for check in decision["checks"])
    assert "corrections held back" in {check["name"] for check in decision["checks"]}
    assert "promoted" in (outcome.work / "decision.html").read_text()
    assert (live(registry) / "reference.json").is_file(), "slu.monitor has something to compare its log with"
    assert {row.state for row in work.store.rows()} == {USED}
    assert registry.history("tones")[-1].by == "retrain"
    assert "0 of 20 new corrections" in work.run().said
    assert registry.rollback("tones").version == before.name
    assert "0 of 20 new corrections" in work.run().said, "what was taken back does not come again by itself"


def test_poisoned_corrections_are_refused_and_the_page_says_why(tones: Path, tmp_path: Path) -> None:
    registry = registry_of(tones, tmp_path)
    wrong = new_person(tmp_path / "bad", 32, "bad", pitch_hz=300, ratio=4.0, swapped=True)
    work = retraining(tones, tmp_path)
    before = live(registry)
    correct(work.store, registry, wrong, tmp_path / "out")
    accept_all(work.store)
    outcome = work.run()
    assert outcome.version is None
    assert outcome.said.startswith(f"refused, and {before.name} goes on answering: ")
    assert live(registry) == before
    assert registry.names("tones") == [before.name], "and is no version either"
    assert outcome.work is not None
    page = (outcome.work / "decision.html").read_text()
    assert "The champion goes on answering" in page
    assert "fails" in page
    assert {row.state for row in work.store.rows()} == {ACCEPTED}
    assert "0 of 20 new corrections" in work.run().said, "it is decided once"


def test_a_dry_run_decides_and_promotes_nothing_and_the_next_run_does(tones: Path, tmp_path: Path) -> None:
    registry, clips = registry_of(tones, tmp_path), new_person(tmp_path / "new", 32)
    dry = retraining(tones, tmp_path, dry_run=True)
    correct(dry.store, registry, clips, tmp_path / "out")
    accept_all(dry.store)
    before = live(registry)
    assert "dry_run promotes nothing" in dry.run().said
    assert live(registry) == before
    other = retraining(tones, tmp_path, gate=replace(GATE, max_latency_ratio=0.01)).run()
    assert other.work is not None, "what passed one gate is judged anew by another"
    assert other.version is None
    assert retraining(tones, tmp_path).run().version is not None


def _run(tones: Path, folder: Path) -> None:
    retraining(tones, folder).run()


def test_killed_at_any_moment_it_goes_on_and_what_answers_stays_sound(tones: Path, tmp_path: Path) -> None:
    registry, clips = registry_of(tones, tmp_path), new_person(tmp_path / "new", 32)
    work = retraining(tones, tmp_path)
    made = correct(work.store, registry, clips, tmp_path / "out")
    accept_all(work.store)
    fork, dice = multiprocessing.get_context("fork"), random.Random(0)
    for _ in range(6):
        child = fork.Process(target=_run, args=(tones, tmp_path))
        child.start()
        time.sleep(dice.uniform(0.05, 1.5))
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert registry.problems("tones") == []
        load_bundle(live(registry))
        assert sorted(row.request_id for row in work.store.rows()) == sorted(made)
    outcome = work.run()
    assert outcome.version is not None or "new corrections" in outcome.said
    assert right(live(registry), clips) > 0.9
    assert {row.state for row in work.store.rows()} == {USED}
    assert len(registry.names("tones")) == 2, "and it was registered once"


def test_one_at_a_time(tmp_path: Path) -> None:
    with (
        one_at_a_time(tmp_path),
        pytest.raises(UserError, match=rf"another retraining goes on \(process {os.getpid()}"),
        one_at_a_time(tmp_path),
    ):
        pass
    with one_at_a_time(tmp_path):
        pass

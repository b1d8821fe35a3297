"""The whole loop, killed again and again: a server that answers and takes corrections, and the retraining beside it."""

import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from slu.bundles import load_bundle
from slu.feedback.schema import USED
from tests.adaptation.helpers import new_person
from tests.retraining.helpers import accept_all, live, registry_of, retraining
from tests.retraining.test_cycle import right
from tests.serving.helpers import Server, running

ROUNDS, SERVER_EVERY = 24, 4


def correct_all(server: Server, clips: Path, acknowledged: list[str]) -> None:
    """As a till does it; what the server says that it has stored is remembered."""
    for row in pd.read_csv(clips, dtype=str).to_dict("records"):
        try:
            answer = server.post(content=(clips.parent / row["file_name"]).read_bytes()).json()
            labels = {head: row[head] for head in ("pitch", "length")}
            correction = {"request_id": answer["request_id"], "labels": labels}
            if httpx.post(f"{server.url}/feedback", json=correction, timeout=30).status_code < 300:
                acknowledged.append(answer["request_id"])
        except httpx.TransportError:
            return  # killed


def decided(outputs: Path, child: Any) -> None:
    """Wait until a decision is there that was not there before."""
    known, until = set(outputs.glob("retrain/tones/*/decision.json")), time.monotonic() + 60
    while set(outputs.glob("retrain/tones/*/decision.json")) == known and child.is_alive():
        assert time.monotonic() < until
        time.sleep(0.005)


def retrain(tones: Path, folder: Path) -> None:
    retraining(tones, folder, corrections=8).run()


@pytest.mark.slow
def test_killed_at_24_moments_the_loop_loses_nothing_and_always_answers(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry, dice, fork = registry_of(tones, tmp_path), random.Random(0), multiprocessing.get_context("fork")
    work, acknowledged = retraining(tones, tmp_path, corrections=8), list[str]()
    killed = {"retraining": 0, "server": 0}
    for start in range(0, ROUNDS, SERVER_EVERY):
        with running(tmp_path, "keep_audio=true", "feedback_per_hour=1000") as server:
            for number in range(start, start + SERVER_EVERY):
                clips = new_person(tmp_path / "new", 16, f"new{number}", pitch_hz=230 + number)
                accept_all(work.store)
                child = fork.Process(target=retrain, args=(tones, tmp_path))
                child.start()
                till = threading.Thread(target=correct_all, args=(server, clips, acknowledged))
                till.start()
                if number % 3 == 2:  # late: while it registers and promotes
                    decided(tmp_path / "out", child)
                else:
                    time.sleep(dice.uniform(0.05, 4.0 if number else 0.5))
                if number % SERVER_EVERY == SERVER_EVERY - 1:
                    os.killpg(server.process.pid, signal.SIGKILL)
                    killed["server"] += 1
                time.sleep(dice.uniform(0, 0.2))
                if child.pid is not None and child.is_alive():
                    os.kill(child.pid, signal.SIGKILL)
                    killed["retraining"] += 1
                child.join()
                till.join()
                assert registry.problems("tones") == []
                load_bundle(live(registry))
                assert set(acknowledged) <= {row.request_id for row in work.store.rows()}, "a correction was lost"
                if number % SERVER_EVERY < SERVER_EVERY - 1:
                    said = server.post(content=(clips.parent / f"audio/new{number}0.flac").read_bytes())
                    assert said.status_code == 200
                    assert said.json()["model_version"] in registry.names("tones")
    accept_all(work.store)
    outcome = work.run()
    assert outcome.version is not None or "new corrections" in outcome.said, outcome.said
    stored = [row.request_id for row in work.store.rows()]
    assert sorted(set(stored)) == sorted(stored)
    assert USED in {row.state for row in work.store.rows()}
    assert right(live(registry), new_person(tmp_path / "new", 16, "new3", pitch_hz=233)) > 0.9
    with capsys.disabled():
        print(
            f"\nkilled: {killed['retraining']} times the retraining, {killed['server']} times the server; "
            f"{len(acknowledged)} corrections acknowledged, {len(stored)} stored; "
            f"{len(registry.names('tones'))} versions, all sound"
        )

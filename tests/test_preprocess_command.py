"""Preprocessing in shares, as several machines would do it: real processes, a real kill, one table at the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from slu.training.feature_store import read_features
from slu.training.shard_store import CLIPS
from tests.conftest import RATE, ROOT, tone

CLIPS_OF_ALL = 1400
Ended = subprocess.CompletedProcess[str]
RunHere = Callable[..., Ended]


def corpus(folder: Path, clips: int) -> list[str]:
    """Settings that name the manifest of so many different short clips."""
    (folder / "audio").mkdir(parents=True)
    wave = tone(400, 2.0)
    names = [f"audio/{number}.wav" for number in range(clips)]
    for number, name in enumerate(names):
        sf.write(folder / name, wave[number : number + 3 * RATE // 10], RATE)
    people = [f"s{number % 6}" for number in range(clips)]
    table = {"file_name": names, "product": ["tea", "milk"] * (clips // 2), "speaker": people}
    pd.DataFrame(table).to_csv(folder / "metadata.csv", index=False)
    return ["data=manifest", f"data.manifest={folder / 'metadata.csv'}", "data.heads=[product]", "workers=1"]


def written(outputs: Path) -> pd.DataFrame:
    (path,) = (outputs / "features").glob("*/metadata_features.csv")
    return pd.read_csv(path)


def shards(outputs: Path) -> list[Path]:
    return list((outputs / "features").rglob("*.shard"))


def test_two_shares_at_once_and_a_kill_give_the_table_of_a_whole_run(tmp_path: Path, run_here: RunHere) -> None:
    settings = corpus(tmp_path / "mine", CLIPS_OF_ALL)

    def start(share: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "slu.preprocess", *settings, f"shard={share}", "outputs=shared"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)

    killed = start("1/2")
    while not shards(tmp_path / "shared"):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    done = CLIPS * len(shards(tmp_path / "shared"))
    assert 0 < done < CLIPS_OF_ALL // 2

    both = [start("1/2"), start("2/2")]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert f"shard 1/2: 700 clips, {700 - done} computed now, 0 unusable" in said[0]
    assert "shard 2/2: 700 clips, 700 computed now, 0 unusable" in said[1]
    assert not list((tmp_path / "shared/features").glob("*/metadata_features.csv"))

    for outputs, computed in (("shared", 0), ("alone", CLIPS_OF_ALL)):
        ended = run_here("preprocess", *settings, f"outputs={outputs}")
        assert f"{CLIPS_OF_ALL} clips, {computed} computed now" in ended.stdout
    shared, alone = (written(tmp_path / outputs) for outputs in ("shared", "alone"))
    pd.testing.assert_frame_equal(shared.drop(columns="feature_path"), alone.drop(columns="feature_path"))
    for row in range(0, CLIPS_OF_ALL, 97):
        one, other = (read_features(table["feature_path"].iloc[row]) for table in (shared, alone))
        np.testing.assert_array_equal(one, other)


def test_shares_one_after_the_other_by_multirun_say_what_cannot_be_used(tmp_path: Path, run_here: RunHere) -> None:
    settings = corpus(tmp_path / "mine", 20)
    (tmp_path / "mine/audio/3.wav").write_bytes(b"no audio")
    ended = run_here("preprocess", *settings, "shard=1/3")
    assert ended.returncode == 2
    assert "metadata.csv:5 (audio/3.wav)" in ended.stderr
    assert "1 of 6 clips cannot be used; mend them" in ended.stderr
    ended = run_here("preprocess", "-m", *settings, "data.on_bad_audio=skip", "shard=1/3,2/3,3/3")
    assert ended.returncode == 0
    assert "shard 1/3: 6 clips, 0 computed now, 1 unusable" in ended.stdout
    assert "shard 3/3: 7 clips, 7 computed now, 0 unusable" in ended.stdout
    ended = run_here("preprocess", *settings, "data.on_bad_audio=skip")
    assert "features: 19 clips, 0 computed now" in ended.stdout


@pytest.mark.parametrize("value", ["0/4", "5/4", "3", "first"])
def test_a_share_that_there_is_not_is_refused(tmp_path: Path, run_here: RunHere, value: str) -> None:
    ended = run_here("preprocess", f"shard={value}")
    assert ended.returncode == 2
    assert "error: shard" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_share_of_a_corpus_that_is_not_spoken_yet_is_refused(tmp_path: Path, run_here: RunHere) -> None:
    ended = run_here("preprocess", "shard=1/2")
    assert ended.returncode == 2
    assert "run python -m slu.synthesize" in ended.stderr
    assert not (tmp_path / "outputs/corpus").exists()


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="other processes are seen in /proc")
def test_workers_end_when_their_parent_is_killed() -> None:
    script = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from slu.training.extraction import _end_with_parent
if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    parent.kill()
    parent.wait()
    end = time.monotonic() + 300
    while is_running(worker):
        assert time.monotonic() < end, "the worker waits for more work for ever"
        time.sleep(0.05)

"""What many tests share: a tiny corpus that is fast to make and easy to learn, and a way to run commands."""

import importlib
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
RATE = 16_000

torch.set_num_threads(1)

UNDER_DEBUGGER = "hydra._internal.utils.is_under_debugger"
"""Hydra takes a tracer, as coverage has it on Python 3.11, for a debugger, and shows it tracebacks."""


def tone(pitch_hz: float, duration_s: float = 0.5, noise: float = 0.01, seed: int = 0) -> np.ndarray:
    """A tone with two harmonics and a noise floor, RMS about 0.1."""
    time = np.arange(int(duration_s * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in (1, 2, 3))
    return (0.1 * wave + noise * np.random.default_rng(seed).standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of 96 short tones: heads `pitch` (low, high) and `length` (short, long), six speakers."""
    folder = tmp_path_factory.mktemp("tones")
    (folder / "audio").mkdir()
    rows = []
    for index in range(96):
        high, long, speaker = index % 2, (index // 2) % 2, (index // 4) % 6
        wave = tone(300 * (4 if high else 1) * (1 + 0.02 * speaker), 0.8 if long else 0.3, seed=index)
        name = f"audio/{index:03d}.flac"
        sf.write(folder / name, wave, RATE)
        rows.append(
            {
                "file_name": name,
                "pitch": ("low", "high")[high],
                "length": ("short", "long")[long],
                "speaker": f"s{speaker}",
                "split": ("train", "train", "train", "train", "val", "test")[speaker],
            }
        )
    pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m slu.<command> …` in an empty folder, as a user would."""

    def call(command: str, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", f"slu.{command}" if command else "slu", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return call


@pytest.fixture
def run_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A Hydra command in this process: starting a new one costs seconds, and few tests look at what is new in it."""

    def call(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        module = importlib.import_module(f"slu.{command}")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(UNDER_DEBUGGER, lambda: False)
        monkeypatch.setattr(sys, "argv", [f"slu.{command}", "--config-path", str(ROOT / "conf"), *arguments])
        code = 0
        try:
            module.run_command(module.main)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    return call


@pytest.fixture
def printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """A command in this process, writing below `tmp_path / "out"`; gives (exit code, both streams as one text)."""

    def run(command: str, *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [command, f"outputs={tmp_path / 'out'}", *arguments])
        monkeypatch.delitem(sys.modules, f"slu.{command}", raising=False)  # runpy warns if it was imported
        monkeypatch.setattr(UNDER_DEBUGGER, lambda: False)
        code = 0
        try:
            runpy.run_module(f"slu.{command}", run_name="__main__")
        except SystemExit as end:
            code = int(end.code or 0)
        streams = capsys.readouterr()
        return code, streams.out + streams.err

    return run

"""The whole way of an order: a menu is trained, served, spoken to through a browser's microphone, and corrected."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from tests.browser import open_browser, until
from tests.conftest import ROOT
from tests.serving.helpers import running

MENU = """\
task: kiosk
language: id
heads:
  product:
    classes: { kopi: [kopi], telur: [telur], susu: [susu] }
  quantity:
    classes: { "1": [satu], "2": [dua], "5": [lima] }
carriers: ["catat {quantity} {product}"]
"""
QUICK = (
    "model=pretrained", "model.channels=64", "augment=none", "synthesis.counts={train: 200, val: 20, test: 30}",
    "voices.speakers={train: 20, val: 4, test: 4}", "trainer.max_epochs=4", "loader.batch_size=16", "logger=none",
    "loader.validation_snr_db=null", "optimizer.lr=4e-3", "patience=0", "noise_test_snr_db=[]",
)  # fmt: skip
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def train(folder: Path) -> None:
    (folder / "conf" / "menu").mkdir(parents=True)
    (folder / "conf" / "menu" / "kiosk.yaml").write_text(MENU)
    where = (f"hydra.searchpath=[file://{folder / 'conf'}]", "menu=kiosk", f"outputs={folder / 'out'}")
    result = subprocess.run(
        [sys.executable, "-m", "slu.train", *where, *QUICK], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def spoken(folder: Path, product: str, quantity: str) -> Path:
    """A clip of the corpus by a voice that was not trained on, with a moment of quiet on either side."""
    (path,) = (folder / "out" / "corpus").glob("*/metadata.csv")
    table = pd.read_csv(path, dtype=str)
    rows = table[(table["split"] == "test") & (table["product"] == product) & (table["quantity"] == quantity)]
    samples, rate = sf.read(path.parent / rows["file_name"].iloc[0], dtype="float32")
    quiet = 0.001 * np.random.default_rng(0).normal(size=rate // 2).astype(np.float32)
    sf.write(folder / "said.wav", np.concatenate([quiet, samples, quiet, quiet]), rate)
    return folder / "said.wav"


@pytest.mark.slow
def test_catat_lima_telur(tmp_path: Path) -> None:
    train(tmp_path)
    sound = spoken(tmp_path, "telur", "5")
    with (
        open_browser(*FAKE, f"--use-file-for-fake-audio-capture={sound}%noloop") as browser,
        running(tmp_path) as server,
    ):
        page = browser.new_page(locale="id-ID")
        page.goto(server.url)
        until(page, "document.querySelectorAll('#model option').length == 1")
        page.click("#record")
        page.wait_for_timeout(1000 * sf.info(sound).duration)
        page.click("#record")
        until(page, "document.querySelectorAll('#history li').length == 1")
        assert page.inner_text("#answer") == "telur \u00d7 5"
        page.select_option("#labels select[name=quantity]", "2")
        page.click("#feedback button")
        until(page, "document.querySelector('#sent').textContent.includes('disimpan')")
    with closing(sqlite3.connect(tmp_path / "out" / "feedback.sqlite")) as database:
        ((predicted, actual),) = database.execute("SELECT predicted, actual FROM feedback").fetchall()
    assert json.loads(predicted) == {"product": "telur", "quantity": "5"}
    assert json.loads(actual) == {"product": "telur", "quantity": "2"}

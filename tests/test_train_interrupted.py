"""A training that is killed, or ended with Ctrl-C, loses nothing: real processes, real signals."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from slu.bundles import load_bundle
from tests.test_train_command import only, tones_task


def test_a_killed_run_resumes_to_the_same_result(tones: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle of a later epoch; the resumed run must end with the very weights of a whole one."""
    settings = [*tones_task(tones), "trainer.max_epochs=6", "optimizer.lr=5e-3", "seed=3", "augment.noise_prob=0.9"]
    command = [sys.executable, "-m", "slu.train", *settings]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    subprocess.run(command, cwd=whole, capture_output=True, check=True)

    process = subprocess.Popen([*command], cwd=cut, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 3/6"):
            time.sleep(0.05)  # into the fourth epoch
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    assert not (cut / "outputs/registry").exists()
    last = only(cut, "outputs/runs/train/*/checkpoints/last.ckpt")
    resumed = subprocess.run([*command, f"ckpt_path={last}"], cwd=cut, capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    assert "epoch 1/6" not in resumed.stdout
    other = subprocess.run(
        [*command, f"ckpt_path={last}", "seed=4"], cwd=cut, capture_output=True, text=True, check=False
    )
    assert other.returncode == 2
    assert "was trained with other seed settings" in other.stderr

    one = load_bundle(whole / "outputs/registry/tones/latest")
    two = load_bundle(cut / "outputs/registry/tones/latest")
    assert one.metrics["objective"] == two.metrics["objective"]
    for (name, a), b in zip(one.recogniser.state_dict().items(), two.recogniser.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_ctrl_c_stops_with_a_sentence_and_keeps_the_checkpoint(tones: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "slu.train", *tones_task(tones), "trainer.max_epochs=500", "patience=0"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore the interrupt, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert only(tmp_path, "outputs/runs/train/*/checkpoints/last.ckpt").is_file()

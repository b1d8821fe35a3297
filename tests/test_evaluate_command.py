"""`python -m slu.evaluate` as users run it: a real process, a real browser, a real kill, bad input."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import soundfile as sf

from tests.browser import open_browser, until
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bundles and forty clips, ten of each of four speakers, with a few faults in files of their own."""
    folder = tmp_path_factory.mktemp("shop")
    tiny_bundle(folder / "one")
    tiny_bundle(folder / "two", seed=5)
    rows = []
    for i in range(40):
        sf.write(folder / f"{i}.wav", tone(200 + 30 * i, 0.3 + 0.01 * i, seed=i), RATE)
        labels = {"product": ("tea", "coffee", "milk")[i % 3], "quantity": str(1 + i % 2)}
        rows.append({"file_name": f"{i}.wav", **labels, "speaker": f"s{i % 4}"})
    (folder / "broken.wav").write_bytes(b"RIFF not audio")
    table = pd.DataFrame(rows)
    table.to_csv(folder / "metadata.csv", index=False)
    broken = {**rows[0], "file_name": "broken.wav"}
    pd.concat([table[:20], pd.DataFrame([broken]), table[20:]]).to_csv(folder / "broken.csv", index=False)
    table.assign(product="tea").drop(columns="speaker").to_csv(folder / "one_class.csv", index=False)
    table[:1].to_csv(folder / "one_clip.csv", index=False)
    table.replace("milk", "cola").to_csv(folder / "cola.csv", index=False)
    leaky = table.assign(split=["train", "test"] * 20, speaker=[f"s{i // 4}" for i in range(40)])
    leaky.to_csv(folder / "leaky.csv", index=False)
    leaky.rename(columns={"split": "fold"}).to_csv(folder / "own_split.csv", index=False)
    odd = {"s0": "budi [/b]", "s1": "Bü[bold]di", "s2": "$^$", "s3": '<&"'}
    table.replace(odd).to_csv(folder / "odd_names.csv", index=False)
    table.drop(columns="product").to_csv(folder / "no_product.csv", index=False)
    return folder


def only(folder: Path) -> Path:
    (found,) = (folder / "outputs" / "runs" / "evaluate").iterdir()
    return found


def test_the_report_in_a_browser(run: Run, shop: Path, tmp_path: Path) -> None:
    """Loads without a network, shows every picture, plays every clip, fits a phone."""
    result = run(
        "evaluate", f"bundle={shop / 'one'}", f"manifest={shop / 'metadata.csv'}", "conditions.noise_snr_db=[0]"
    )
    assert result.returncode == 0, result.stderr
    report = only(tmp_path) / "report.html"
    metrics = json.loads((report.parent / "metrics.json").read_text())
    with open_browser() as browser:
        for width in (1280, 390):
            context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
            page = context.new_page()
            problems: list[str] = []
            requests: list[str] = []
            page.on("console", lambda message, found=problems: found.append(message.text))
            page.on("pageerror", lambda error, found=problems: found.append(str(error)))
            page.on("request", lambda request, found=requests: found.append(request.url[:30]))
            page.goto(report.as_uri())
            until(page, "[...document.images].every(i => i.complete)")
            pictures = page.evaluate("[...document.images].map(i => i.naturalWidth)")
            assert len(pictures) > 10
            assert min(pictures) > 0
            until(page, "[...document.querySelectorAll('audio')].every(a => a.duration > 0.2)")
            clips = page.evaluate("document.querySelectorAll('audio').length")
            assert 10 <= clips <= 40
            played = page.evaluate(
                "async () => { const a = document.querySelector('audio'); a.muted = true; await a.play();"
                " await new Promise(r => a.onended = r); return a.currentTime }"
            )
            assert played > 0.2
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert f"{metrics['joint_accuracy']:.1%}" in page.inner_text("#verdict")
            assert "Only 4 speakers" in page.inner_text(".warnings")
            page.click("nav a:has-text('Errors')")
            until(page, "document.querySelector('#errors').getBoundingClientRect().top < 900")
            assert problems == []
            assert all(url.startswith(("file:", "data:")) for url in requests)
            context.close()


def test_two_bundles_side_by_side(run_here: Run, shop: Path, tmp_path: Path) -> None:
    result = run_here(
        "evaluate", f"bundle=[{shop / 'one'},{shop / 'two'}]", f"manifest={shop / 'metadata.csv'}", "conditions=clean"
    )
    assert result.returncode == 0, result.stderr
    folder = only(tmp_path)
    comparison = json.loads((folder / "comparison.json").read_text())
    assert comparison["bundles"] == {"A (M1)": "one", "B (M1)": "two"}
    (pair,) = comparison["conditions"]["clean"]
    single = [json.loads((folder / name / "metrics.json").read_text())["joint_accuracy"] for name in ("one", "two")]
    assert pair["comparison"]["difference"] == pytest.approx(single[0] - single[1])
    assert (folder / "one" / "report.html").is_file()
    assert "A (M1) against B (M1)" in (folder / "report.html").read_text()
    assert "minus B (M1)" in result.stdout


def test_killed_and_started_again_it_goes_on(shop: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle; the second run scores only what is missing and ends with the same figures."""
    many = pd.read_csv(shop / "metadata.csv")
    rows = []
    for copy in range(6):  # a quarter of a thousand clips: long enough to be killed in
        for _, row in many.iterrows():
            name = f"copy{copy}_{row['file_name']}"
            (shop / name).write_bytes((shop / row["file_name"]).read_bytes())
            rows.append({**row, "file_name": name})
    pd.DataFrame(rows).to_csv(shop / "many.csv", index=False)
    command = [sys.executable, "-m", "slu.evaluate", f"bundle={shop / 'one'}", f"manifest={shop / 'many.csv'}"]
    command += ["conditions.noise_snr_db=[5]", "conditions.speed=[]", "conditions.mp3_kbps=[]"]
    options = {"cwd": tmp_path, "env": {**os.environ, "OMP_NUM_THREADS": "1"}, "text": True}
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    kept = tmp_path / "outputs" / "answers"
    try:
        limit = time.monotonic() + 120
        while len(list(kept.rglob("*.npz"))) < 4:
            assert first.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < limit
            time.sleep(0.01)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    before = {path: path.stat().st_mtime_ns for path in kept.rglob("*.npz")}
    assert not list(tmp_path.rglob("report.html"))
    second = subprocess.run(command, capture_output=True, timeout=300, check=False, **options)  # type: ignore[call-overload]
    assert second.returncode == 0, second.stderr
    after = {path: path.stat().st_mtime_ns for path in kept.rglob("*.npz")}
    assert len(after) > len(before)
    assert {path: after[path] for path in before} == before
    (report,) = tmp_path.rglob("report.html")
    resumed = json.loads((report.parent / "metrics.json").read_text())
    third = subprocess.run([*command, "force=true"], capture_output=True, timeout=300, check=False, **options)  # type: ignore[call-overload]
    assert third.returncode == 0, third.stderr
    anew = max(tmp_path.rglob("metrics.json"), key=lambda path: path.stat().st_mtime_ns)
    fresh = json.loads(anew.read_text())
    for name in ("joint_accuracy", "joint_interval", "joint_ece", "speakers"):
        assert fresh[name] == resumed[name], name
    assert fresh["conditions"]["5 dB"]["joint_accuracy"] == resumed["conditions"]["5 dB"]["joint_accuracy"]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("broken.csv", "1 of 41 clips cannot be read"),
        ("one_class.csv", "over clips (speakers unknown)"),
        ("one_clip.csv", "1 clip is too few"),
        ("no_product.csv", "Nothing is said of product: the table has no column of that name"),
        ("odd_names.csv", "Only 4 speakers"),
        ("own_split.csv split_column=fold", "LEAK: 10 speakers (s0, s1, s2, s3, s4, …) stand on more than one side"),
        ("leaky.csv", "LEAK: 10 speakers (s0, s1, s2, s3, s4, …) stand on more than one side of the split"),
    ],
)
def test_odd_sets_are_scored_and_say_what_is_odd(
    run_here: Run, shop: Path, tmp_path: Path, manifest: str, said: str
) -> None:
    name, *more = manifest.split()
    result = run_here("evaluate", f"bundle={shop / 'one'}", f"manifest={shop / name}", "conditions=clean", *more)
    assert result.returncode == 0, result.stderr
    assert said in " ".join(result.stdout.split())
    document = json.loads((only(tmp_path) / "metrics.json").read_text())
    assert any(said in text for text in document["warnings"])
    page = (only(tmp_path) / "report.html").read_text()
    assert page.index(said) < page.index("Verdict</h2>")
    if manifest == "odd_names.csv":
        assert set(document["speakers"]) == {"budi [/b]", "Bü[bold]di", "$^$", '<&"'}
        assert "budi [/b]" in result.stdout
        assert "Bü[bold]di" in result.stdout
    if manifest == "no_product.csv":
        assert "nothing is said of whole answers" in page
    if manifest == "broken.csv":
        assert document["broken"][0].startswith(f"{shop / manifest}:22 (broken.wav)")
        assert document["n"] == 40


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["manifest=cola.csv"], "cola.csv:4: column 'product': 'cola' is not one of the classes"),
        (["manifest=nothing.csv"], "there is no manifest at"),
        (["manifest=metadata.csv", "split=test"], "has no column 'split'"),
        (["manifest=leaky.csv", "split=validation"], "the val split is empty"),
        (["manifest=leaky.csv", "split=foo"], "it must be one of train, val, test"),
        (["manifest=leaky.csv", "split_column=fold"], "has no column 'fold'"),
        (["manifest=metadata.csv", "conditions.noise_folder=nowhere"], "there is no folder nowhere"),
        (["manifest=metadata.csv", "conditions.speed=[0]"], "conditions.speed.0"),
        (["manifest=metadata.csv", "bundle=[]"], "bundle=[] names none"),
        (["manifest=metadata.csv", "on_unknown_label=ignore"], "on_unknown_label"),
        ([], "name the recordings to score: manifest="),
    ],
)
def test_mistakes_get_one_sentence(run_here: Run, shop: Path, arguments: list[str], said: str) -> None:
    placed = [a.replace("manifest=", f"manifest={shop}/") for a in arguments]
    result = run_here("evaluate", f"bundle={shop / 'one'}", *placed)
    assert result.returncode == 2, result.stdout
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_recordings_off_the_menu_that_cannot_be_read_are_named(run_here: Run, shop: Path, tmp_path: Path) -> None:
    talk = tmp_path / "talk"
    talk.mkdir()
    first = pd.read_csv(shop / "metadata.csv")["file_name"].iloc[0]
    shutil.copy(shop / first, talk / f"good{Path(first).suffix}")
    for number in range(5):
        (talk / f"bad_{number}.wav").write_bytes(b"no audio")
    result = run_here(
        "evaluate", f"bundle={shop / 'one'}", f"manifest={shop / 'metadata.csv'}", "conditions=clean",
        f"off_menu={talk}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    said = " ".join(result.stdout.split())
    assert "5 of 6 recordings of talk cannot be read and are not counted" in said
    assert [f"bad_{number}.wav" in said for number in range(5)] == [True] * 3 + [False] * 2
    assert "and 2 more" in said
    page = (only(tmp_path) / "report.html").read_text()
    assert "5 of 6 recordings of talk cannot be read" in page
    assert json.loads((only(tmp_path) / "metrics.json").read_text())["off_menu"]["sets"]["talk"]["unreadable"] == 5


def test_unknown_labels_can_be_skipped_and_are_counted(run_here: Run, shop: Path, tmp_path: Path) -> None:
    result = run_here(
        "evaluate", f"bundle={shop / 'one'}", f"manifest={shop / 'cola.csv'}", "conditions=clean",
        "on_unknown_label=skip", f"off_menu={shop / 'metadata.csv'}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    document = json.loads((only(tmp_path) / "metrics.json").read_text())
    (heard,) = document["off_menu"]["sets"].values()
    assert heard["clips"] == 40
    assert 0 <= heard["false_accepts"] <= 1
    assert "not on the menu; of what is" in result.stdout
    assert "False accepts against true accepts" in (only(tmp_path) / "report.html").read_text()
    assert document["unknown_labels"] == {"the model does not know product 'cola'": 13}
    assert document["heads"]["product"]["n"] == 27
    assert document["heads"]["quantity"]["n"] == 40

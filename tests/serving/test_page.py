"""The page in a real browser, with a microphone that hears a file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
import torchaudio.functional as AF
from playwright.sync_api import Browser, Page

from tests.browser import open_browser, until
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone
from tests.serving.helpers import GOOD, running

ANSWERED = "document.querySelectorAll('#history li').length == {}"
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
JUNK = {"name": "x.wav", "mimeType": "audio/wav", "buffer": b"nothing of the kind"}
CLIP = {"name": "a.wav", "mimeType": "audio/wav", "buffer": GOOD}


@dataclass(frozen=True)
class Place:
    browser: Browser
    url: str
    folder: Path
    sound: Path

    def open(self, url: str = "", language: str = "en-GB", scheme: str = "light", width: int = 390) -> Page:
        page = self.browser.new_page(
            viewport={"width": width, "height": 800},
            locale=language,
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page.goto(url or self.url)
        until(page, "document.querySelectorAll('#model option').length == 1")
        return page


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("page")
    sound = folder / "said.wav"
    sf.write(sound, np.concatenate([tone(300, 1.0), np.zeros(RATE // 2, np.float32)]), RATE)
    elsewhere = "--host-resolver-rules=MAP till.test 127.0.0.1"
    settings = ("max_duration_s=10", "keep_audio=true", "keep_audio_days=7")
    with (
        open_browser(*FAKE, f"--use-file-for-fake-audio-capture={sound}", elsewhere) as browser,
        running(folder, f"bundle={tiny_bundle(folder / 'drinks')}", *settings) as server,
    ):
        yield Place(browser, server.url, folder / "out", sound)


def stored(folder: Path) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(folder / "feedback.sqlite")) as database:
        database.row_factory = sqlite3.Row
        return database.execute("SELECT * FROM feedback").fetchall()


def test_it_records_asks_and_shows_what_was_heard(place: Place) -> None:
    page = place.open()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.locator("#record").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#record').textContent == 'Stop'")
    until(page, "document.querySelector('#level').value > 0.2")
    assert page.inner_text("[role=status] #answer").startswith("Recording.")
    page.wait_for_timeout(1200)
    page.keyboard.press("Enter")
    until(page, ANSWERED.format(1))
    assert page.locator("#details progress").count() == 5, "three products, two quantities"
    assert "Confidence" in page.inner_text("#note")
    pixels = "document.querySelector('#{}').getContext('2d').getImageData(0, 0, 640, 80).data"
    for canvas in ("wave", "spectrum"):
        until(page, f"Array.from({pixels.format(canvas)}).some(value => value)")
    assert "for 7 days" in page.inner_text("#keeps")
    page.select_option("#labels select[name=product]", "milk")
    page.fill("#comment", "the radio was on")
    page.click("#feedback button")
    until(page, "document.querySelector('#sent').textContent.includes('stored')")
    (row,) = stored(place.folder)
    assert json.loads(row["actual"])["product"] == "milk"
    assert (row["comment"], row["state"]) == ("the radio was on", "new")
    assert row["audio_path"].endswith(".webm")
    assert (place.folder / row["audio_path"]).stat().st_size > 1000
    page.click("#language")
    assert page.inner_text("#record") == "Rekam"
    assert page.locator("html").get_attribute("lang") == "id"
    assert "Keyakinan" in page.inner_text("#note"), "what is shown is said in the other language, too"
    page.set_input_files("#file", str(place.sound))
    until(page, ANSWERED.format(2))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it fits a phone"
    page.set_input_files("#file", JUNK)  # type: ignore[arg-type]
    until(page, "document.querySelector('#answer').textContent == 'Rekaman tidak bisa dipakai.'")
    assert "not audio" in page.inner_text("#note")
    assert not page.locator("#feedback").is_visible(), "there is nothing to correct"
    assert not [text for text in problems if "422" not in text]


def test_what_keeps_it_from_working_is_said(place: Place) -> None:
    page = place.open(place.url.replace("127.0.0.1", "till.test"))
    page.click("#record")
    assert "only to pages on https or localhost" in page.inner_text("#answer")
    page.set_input_files("#file", CLIP)  # type: ignore[arg-type]
    until(page, ANSWERED.format(1))
    page.context.set_offline(True)
    page.set_input_files("#file", CLIP)  # type: ignore[arg-type]
    until(page, "document.querySelector('#answer').textContent.startsWith('The server does not answer.')")
    page.close()
    refused = place.browser.new_context(permissions=[], locale="en-GB").new_page()
    refused.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    refused.goto(place.url)
    refused.click("#record")
    until(refused, "document.querySelector('#answer').textContent.startsWith('The microphone was not allowed.')")


# The contrast of every text that is seen with the nearest colour behind it, by the formula of WCAG 2.
CONTRASTS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const seen = (node) => node.checkVisibility() && [...node.childNodes].some((c) => c.nodeType == 3 && c.data.trim());
  return [...document.querySelectorAll("body *")].filter(seen).map((node) => {
    let behind = node;
    while (parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const colours = [getComputedStyle(node).color, getComputedStyle(behind).backgroundColor];
    const [a, b] = colours.map(light).sort((x, y) => y - x);
    return [node.id || node.textContent, (a + 0.05) / (b + 0.05)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_heard_and_used_with_the_keyboard(place: Place, scheme: str) -> None:
    page = place.open(scheme=scheme, width=1280)
    page.set_input_files("#file", CLIP)  # type: ignore[arg-type]
    until(page, ANSWERED.format(1))
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 20
    assert [pair for pair in contrasts if pair[1] < 4.5] == []
    named = "node => Boolean(node.labels?.length || node.getAttribute('aria-label') || node.textContent.trim())"
    for control in page.locator("button, select, input, meter, progress, canvas").all():
        if control.is_visible():
            assert control.evaluate(named), control.evaluate("node => node.outerHTML")
    page.locator("#language").focus()
    order = []
    for _ in range(8):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.name || 'send'"))
    assert order == ["record", "file", "model", "product", "quantity", "comment", "send", "play"]
    page.close()


def test_the_picture_is_a_log_mel_spectrogram(place: Place) -> None:
    page = place.open()
    samples = tone(700, 0.2) + 0.1 * np.random.default_rng(0).normal(size=RATE // 5).astype(np.float32)
    drawn = np.array(page.evaluate("samples => logMel(Float32Array.from(samples))", samples.tolist()))
    starts = [int(column * (len(samples) - 512) / 19) for column in range(20)]
    frames = torch.stack([torch.from_numpy(samples[start : start + 512]) for start in starts])
    powers = torch.fft.rfft(frames * torch.hann_window(512)).abs().square()
    bank = AF.melscale_fbanks(257, 60.0, 8000.0, 64, 16_000, mel_scale="htk")
    expected = 10 * (powers @ bank + 1e-10).log10().numpy()
    wide = bank.sum(0).numpy() > 0  # the browser gives a band that is narrower than a bin its nearest bin
    assert drawn.shape == (20, 64)
    assert np.abs(drawn - expected)[:, wide].max() < 0.1
    assert wide.sum() > 55
    page.close()

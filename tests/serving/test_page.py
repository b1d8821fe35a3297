"""The page in a real browser, with a microphone that hears a file."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import soundfile as sf

from tests.browser import open_browser, until
from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone
from tests.serving.helpers import running


def stored(folder: Path) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(folder / "out" / "feedback.sqlite")) as database:
        database.row_factory = sqlite3.Row
        return database.execute("SELECT * FROM feedback").fetchall()


ANSWERED = "document.querySelectorAll('#history li').length == {}"


def test_it_records_asks_and_shows_what_was_heard(tmp_path: Path) -> None:
    sound = tmp_path / "said.wav"
    sf.write(sound, np.concatenate([tone(300, 1.0), np.zeros(RATE // 2, np.float32)]), RATE)
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with (
        open_browser(*fake, f"--use-file-for-fake-audio-capture={sound}") as browser,
        running(tmp_path, f"bundle={tiny_bundle(tmp_path / 'drinks')}", "max_duration_s=10") as server,
    ):
        page = browser.new_page(viewport={"width": 390, "height": 800}, locale="en-GB")
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(server.url)
        until(page, "document.querySelectorAll('#model option').length == 1")
        record = page.locator("#record")
        record.focus()
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#record').textContent == 'Stop'")
        until(page, "document.querySelector('#level').value > 0.2")
        page.wait_for_timeout(1200)
        page.keyboard.press("Enter")
        until(page, ANSWERED.format(1))
        assert page.locator("#details progress").count() == 5, "three products, two quantities"
        assert "confidence" in page.inner_text("#details")
        pixels = "document.querySelector('#{}').getContext('2d').getImageData(0, 0, 640, 80).data"
        for canvas in ("wave", "spectrum"):
            until(page, f"Array.from({pixels.format(canvas)}).some(value => value)")
        page.select_option("#labels select[name=product]", "milk")
        page.fill("#comment", "the radio was on")
        page.click("#feedback button")
        until(page, "document.querySelector('#sent').textContent.includes('stored')")
        (row,) = stored(tmp_path)
        assert (json.loads(row["actual"])["product"], row["comment"], row["state"]) == (
            "milk",
            "the radio was on",
            "new",
        )
        page.click("#language")
        assert page.inner_text("#record") == "Rekam"
        assert page.locator("html").get_attribute("lang") == "id"
        page.set_input_files("#file", str(sound))
        until(page, ANSWERED.format(2))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it fits a phone"
        page.set_input_files("#file", {"name": "x.wav", "mimeType": "audio/wav", "buffer": b"nothing of the kind"})
        until(page, "document.querySelector('#answer').textContent.includes('not audio')")
        assert not [text for text in problems if "422" not in text]

"""The page made with Gradio: asked for by a setting, missing with a sentence, and otherwise a client of its server."""

import importlib.util
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from slu.common.errors import UserError
from slu.serving.gradio_blocks import headline, scores
from slu.serving.gradio_page import add_gradio, own_url
from slu.serving.models import Board
from slu.serving.settings import ServeSettings
from tests.browser import open_browser
from tests.serving.helpers import GOOD, running

ANSWER = {
    "labels": {"product": "tea", "quantity": ""},
    "display": {"product": "Teh"},
    "scores": {"product": {"a": 0.1, "b": 0.2, "tea": 0.6, "d": 0.1}, "quantity": {"": 1.0}},
    "understood": True,
    "confidence": 0.6,
}


def settings(**changes: object) -> ServeSettings:
    return ServeSettings(bundle=None, task=None, outputs="outputs", ui="gradio", **changes)  # type: ignore[arg-type]


def test_what_is_missing_or_does_not_go_together_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(UserError, match="ui=gradio needs Gradio: install it with"):
        add_gradio(FastAPI(), Board(), settings())
    with pytest.raises(UserError, match="cannot ask its visitors for an API key"):
        add_gradio(FastAPI(), Board(), settings(api_key="secret"))


def test_an_answer_in_its_words() -> None:
    assert headline(ANSWER) == "Teh (confidence 0.60)"
    assert headline({**ANSWER, "understood": False, "reason": "not sure"}) == "Not understood: not sure"
    assert headline({"detail": "too busy"}) == "too busy"
    found = scores(ANSWER)
    assert found is not None
    assert list(found)[:2] == ["product tea", "product b"]
    assert found["quantity (none)"] == 1.0
    assert len(found) == 4
    assert scores({"detail": "too busy"}) is None


def test_it_asks_the_server_it_is_part_of() -> None:
    assert own_url(settings(host="0.0.0.0", port=9000)) == "http://127.0.0.1:9000"
    assert own_url(settings(host="::")) == "http://[::1]:8000"


@pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="Gradio is not installed (it is optional)")
def test_a_clip_is_answered_and_nothing_of_it_stays(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, kept = tmp_path / "said.wav", tmp_path / "temporary"
    sound.write_bytes(GOOD)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(kept))
    chosen = ("ui=gradio", "rate_limit_per_minute=4")  # the visitor's three requests and one of ours
    with open_browser() as browser, running(tmp_path, f"bundle={bundle}", *chosen) as server:
        assert server.get("/").status_code == server.get("/models").status_code == 200
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/gradio/")
        page.click("button[aria-label='Upload file']")
        page.locator("input[type=file]").set_input_files(str(sound))
        page.wait_for_selector("[aria-label='Play']", timeout=10_000)
        page.click("text=What was said?")
        for _ in range(100):
            if "confidence" in (heard := page.get_by_label("Heard").input_value()):
                break
            page.wait_for_timeout(100)
        assert heard == headline(server.post(content=GOOD).json())
        assert not [path for path in kept.rglob("*") if path.is_file()]
        assert all(url.startswith((server.url, "data:", "blob:")) for url in asked), "no other site is asked"

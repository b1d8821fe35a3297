"""The owner's page in a real browser."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from slu.feedback import FEEDBACK
from slu.versions.aliases import target
from tests.browser import open_browser, until
from tests.serving.admin_helpers import HOSTILE, PASSWORD, Place, owned
from tests.serving.test_page import CONTRASTS
from tests.versions.helpers import TASK

PARTS = ("versions", "corrections", "drift", "learning", "system")
KEYS = (
    "(all) => Object.entries(all).flatMap(([k, v]) => (typeof v == 'string' ? [k] : Object.keys(v).map((w) => k + w)))"
)
SAID = "document.querySelector('#said').textContent"


@dataclass(frozen=True)
class Desk:
    browser: Browser
    place: Place

    def open(self, language: str = "en-GB", scheme: str = "light", width: int = 390) -> tuple[Page, list[str]]:
        """A page before the door, and what goes wrong in it from now on."""
        page = self.browser.new_page(
            viewport={"width": width, "height": 800},
            locale=language,
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{self.place.server.url}/admin")
        until(page, "!document.querySelector('#login').hidden")
        return page, problems


@pytest.fixture(scope="module")
def desk(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_browser() as browser, owned(tmp_path_factory.mktemp("desk"), bundle) as place:
        yield Desk(browser, place)


def log_in(page: Page) -> None:
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('#view article').length > 0")


def show(page: Page, part: str) -> None:
    page.click(f"nav a[href='#{part}']")
    until(page, f"document.querySelector('nav a[aria-current]').hash == '#{part}'")
    until(page, "document.querySelectorAll('#view section').length > 0")
    page.wait_for_timeout(300)


def test_the_way_in_and_out(desk: Desk) -> None:
    page, problems = desk.open()
    assert page.evaluate("document.activeElement.id") == "password"
    page.fill("#password", "not the password")
    page.keyboard.press("Enter")
    until(page, f"{SAID} == 'the password is wrong'")
    assert [text for text in problems if "401" not in text] == []
    problems.clear()
    log_in(page)
    assert page.evaluate("document.cookie") == "", "no script reads the session"
    page.reload()
    until(page, "document.querySelectorAll('#view article').length > 0")
    page.click("#logout")
    until(page, f"{SAID} == 'You have logged out.'")
    assert not page.locator("#inside").is_visible()
    assert page.locator("#view article").count() == 0, "nothing of it stays"
    page.reload()
    until(page, "!document.querySelector('#login').hidden")
    assert problems == []
    page.close()


def test_corrections_are_heard_and_decided_and_a_comment_is_only_text(desk: Desk) -> None:
    page, problems = desk.open()
    log_in(page)
    show(page, "corrections")
    first = page.locator("#correction-1")
    assert HOSTILE in first.inner_text()
    assert "the model was 90 % sure" in first.inner_text()
    assert page.locator("#view img").count() == 0
    assert page.title() == "slu admin"
    page.evaluate("document.querySelector('#correction-1 audio').load()")
    page.evaluate("document.querySelector('#correction-1 audio').play()")
    until(page, "document.querySelector('#correction-1 audio').duration > 0.5")
    page.get_by_role("button", name="Accept 1", exact=True).focus()
    page.keyboard.press("Enter")
    until(page, f"{SAID} == 'Correction 1 is accepted.'")
    assert [row.state for row in desk.place.store.rows(FEEDBACK.c.id == 1)] == ["accepted"]
    page.get_by_role("button", name="Accept 2", exact=True).click()
    until(page, f"{SAID} == 'Correction 2 is accepted.'")
    page.get_by_role("button", name="Accept 3", exact=True).click()
    until(page, f"{SAID}.includes('give one clip different labels')")
    page.get_by_role("button", name="Reject 1", exact=True).click()
    until(page, f"{SAID} == 'Correction 1 is rejected.'")
    page.select_option("#state", "rejected")
    until(page, "document.querySelectorAll('#view article').length == 1")
    with page.expect_download() as download:
        page.click("text=Export as CSV")
    assert HOSTILE.replace('"', '""') in Path(download.value.path()).read_text()
    assert [text for text in problems if "409" not in text] == []
    page.close()


def test_a_promotion_is_asked_about_once_and_shows_what_happened(desk: Desk) -> None:
    page, problems = desk.open()
    log_in(page)
    one, _, three = desk.place.versions
    promote = page.get_by_role("button", name=f"Promote {one}")
    promote.click()
    assert page.inner_text("#question") == f"Let {one} answer for {TASK}, also on running servers?"
    page.keyboard.press("Escape")
    assert target(desk.place.root / TASK, "live") is None
    assert page.locator("#jobs section").count() == 0
    promote.click()
    page.fill("#why", "better in <b>noise</b>")
    page.keyboard.press("Enter")
    until(page, f"{SAID} == 'Promotion has begun.'")
    until(page, f"{SAID} == 'Promotion: {TASK}: {one} is live; before, {three} answered'", 90)
    assert target(desk.place.root / TASK, "live") == one
    until(page, "document.querySelector('#view').textContent.includes('better in <b>noise</b>')")
    assert promote.is_disabled()
    assert page.get_by_role("button", name="Roll back").is_enabled()
    assert problems == []
    page.close()


@pytest.mark.parametrize(("scheme", "language", "width"), [("light", "en-GB", 390), ("dark", "id-ID", 1280)])
def test_every_part_can_be_read_and_used_on_any_screen(desk: Desk, scheme: str, language: str, width: int) -> None:
    page, problems = desk.open(language, scheme, width)
    log_in(page)
    named = "node => Boolean(node.labels?.length || node.getAttribute('aria-label') || node.textContent.trim())"
    for part in PARTS:
        show(page, part)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), part
        faint = [pair for pair in page.evaluate(CONTRASTS) if pair[1] < 4.5]
        disabled = page.locator("button:disabled").all_inner_texts()
        assert [pair for pair in faint if pair[0] not in disabled] == [], part
        for control in page.locator("button, select, input, audio, svg, a").all():
            if control.is_visible():
                assert control.evaluate(named), control.evaluate("node => node.outerHTML")
        assert "undefined" not in page.inner_text("body"), part
    assert page.locator("html").get_attribute("lang") == language[:2]
    page.click("#language")
    until(
        page,
        "document.querySelector('#logout').textContent == '{}'".format({"en": "Keluar", "id": "Log out"}[language[:2]]),
    )
    assert problems == []
    page.close()


def test_both_languages_have_the_same_words(desk: Desk) -> None:
    page, _ = desk.open()
    one, other = (page.evaluate(f"({KEYS})(TEXTS.{name})") for name in ("en", "id"))
    assert one == other
    assert len(one) > 100
    page.close()

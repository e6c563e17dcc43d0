"""The page in a real browser, with the sample service behind it: Debian's Chromium."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.console.commanded import Up, up

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.timeout(180)

ROOT = Path(__file__).parents[2]
SOON = 20_000  # milliseconds


@pytest.fixture(scope="module")
def command() -> Iterator[Up]:
    """The command, for the sample service as conftest.py declares it."""
    with up(ROOT) as started:
        yield started


class Opened:
    """The page in a window: what it asked for, and what went wrong in it."""

    def __init__(self, page: "Page", address: str) -> None:
        self.page = page
        self.address = address
        self.asked: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(SOON)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(address)
        page.get_by_role("heading", name="Nothing is broken").wait_for()

    def focused(self) -> str:
        """The id of the element that the keyboard is on, or its name."""
        found: str = self.page.evaluate(
            "document.activeElement.getAttribute('aria-labelledby')"
            " ?? document.activeElement.id ?? ''"
        )
        return found


@pytest.fixture
def opened(browser: "Browser", command: Up) -> Iterator[Opened]:
    """The page. At the end it has asked for nothing elsewhere, had no error, and nothing is
    broken."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    found = Opened(page, command.address)
    yield found
    assert found.errors == []
    assert [url for url in found.asked if not url.startswith(command.address)] == []
    page.close()


def test_a_fault_is_switched_on_and_off_by_the_keyboard(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the faults"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#faults")
    for _ in range(100):
        if opened.focused() == "fault-Outage":
            break
        page.keyboard.press("Tab")
    assert opened.focused() == "fault-Outage"
    switch = page.get_by_role("switch", name="Outage")
    assert switch.get_attribute("aria-checked") == "false"

    page.keyboard.press("Space")

    page.get_by_role("heading", name="1 fault in force").wait_for()
    assert switch.get_attribute("aria-checked") == "true"
    assert page.locator("#said").inner_text() == "Outage() is in force."
    page.get_by_role("button", name="Ask list-orders", exact=True).click()
    card = page.get_by_role("article", name="list-orders")
    card.locator(".badge.refused", has_text="503").wait_for()
    page.locator(".fault.on .effect", has_text="felt").wait_for()

    switch.focus()
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Nothing is broken").wait_for()
    assert "Outage healed; it was felt" in page.locator("#said").inner_text()
    page.locator('[data-health="ready"] .badge.ok').wait_for()
    page.get_by_role("button", name="Ask list-orders", exact=True).click()
    card.locator(".badge.ok", has_text="200").wait_for()


def test_a_field_is_entered_and_applied_with_the_enter_key(opened: Opened) -> None:
    page = opened.page
    delay = page.get_by_label("delay (ms)").first
    delay.fill("7")
    delay.press("Enter")
    page.locator(".fault.on .effect", has_text="Latency(ms(7))").wait_for()
    delay.fill("8")
    page.get_by_role("button", name="Apply Latency anew").click()
    page.locator(".fault.on .effect", has_text="Latency(ms(8))").wait_for()
    page.get_by_role("button", name="Heal everything").click()
    page.get_by_role("heading", name="Nothing is broken").wait_for()


def test_what_was_done_is_shown_as_a_test(opened: Opened) -> None:
    page = opened.page
    page.get_by_role("switch", name="Black hole").click()
    page.get_by_role("heading", name="1 fault in force").wait_for()
    page.get_by_role("switch", name="Black hole").click()
    page.get_by_role("heading", name="Nothing is broken").wait_for()
    page.get_by_role("button", name="Show the test").click()
    page.locator("#test", has_text="Break(BlackHole())").wait_for()
    page.get_by_role("button", name="Start over").click()
    page.locator("#test").wait_for(state="hidden")


HOSTILE = "</pre><img src=x onerror='window.ran = 1'><script>window.ran = 2</script>"


def hostile(route: "Route") -> None:
    """The true state, in which all that the service can say is hostile."""
    state = route.fetch().json()
    for one in state["operations"].values():
        answer = {"kind": "error", "came": HOSTILE, "ms": 1}
        one |= {"recent": [answer], "total": 1, "ago": 1}
        one["latest"] = {**answer, "headers": [HOSTILE], "body": HOSTILE}
    state["log"] = [HOSTILE]
    row = {"time": 1, "connection": 1, "asks": True, "type": HOSTILE, "count": 1}
    state["wire"]["rows"] = [{**row, "text": HOSTILE, "rule": HOSTILE}]
    state["trouble"] = {HOSTILE: HOSTILE}
    state["sessions"] = {**(state["sessions"] or {}), "by_state": {HOSTILE: 1}, "total": 1}
    route.fulfill(body=json.dumps(state), content_type="application/json")


def test_what_the_service_said_is_text(opened: Opened) -> None:
    page = opened.page
    page.route(re.compile("/state"), hostile)
    page.locator("#log", has_text="window.ran").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for place in ("#log", "#rows", "#sessions", "#trouble", ".answer >> nth=0"):
        assert "<img src=x" in page.locator(place).inner_text()
    assert page.evaluate("window.ran") is None
    assert page.locator("img, main script").count() == 0
    page.unroute_all(behavior="wait")


def test_the_policy_stops_what_the_page_did_not_bring(opened: Opened) -> None:
    """The control of the test above: even markup that got in could not act."""
    page = opened.page
    page.evaluate(
        "() => { const one = document.createElement('b');"
        " try { one.setAttribute('onclick', 'window.ran = 1'); } catch (error) {"
        " console.log(error.message); } document.body.append(one); one.click(); }"
    )
    assert page.evaluate("window.ran") is None
    assert "TrustedScript" in " ".join(opened.errors)
    opened.errors.clear()


def test_the_load_fills_the_strips_and_the_wire(opened: Opened) -> None:
    page = opened.page
    switch = page.get_by_role("switch", name="Light load")
    switch.click()
    page.locator('.operation[data-operation="list-products"] rect.ok').nth(2).wait_for(
        state="attached"
    )
    page.locator("#rows td", has_text="CommandComplete").first.wait_for()
    switch.click()
    page.locator("#load-switch[aria-checked=false]").wait_for()


def test_a_screen_reader_finds_names_for_everything(opened: Opened) -> None:
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    unnamed = (
        "[...document.querySelectorAll('button, input, select, [tabindex]')].filter((one) =>"
        " !(one.ariaLabel || [...(one.labels ?? [])].map((label) => label.textContent).join('')"
        " || (one.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean)"
        ".map((id) => document.getElementById(id).textContent).join('')"
        " || one.textContent).trim()).map((one) => one.outerHTML)"
    )
    assert page.evaluate(unnamed) == []
    page.evaluate("document.querySelector('#Latency-delay').labels[0].remove()")
    assert len(page.evaluate(unnamed)) == 1, "the control: what has no name is found"
    for name in ("The service", "Operations", "The wire", "The service's log", "Faults"):
        assert page.get_by_role("heading", name=name, level=2, exact=True).count() == 1


@pytest.mark.parametrize("width", [1920, 1280, 768, 390])
def test_nothing_sticks_out_of_the_window(opened: Opened, width: int) -> None:
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0

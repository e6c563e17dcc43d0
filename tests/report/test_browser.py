"""The report's page in a real browser: Debian's Chromium, driven by Playwright."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from brownout.report.html import page as made
from tests.report.runs import Run, hostile_run, large_run, mixed_run

FIRST_PAINT = 1000.0  # milliseconds
LOADS = 10  # of which one suffices: the others may have waited for a busy machine


class Opened:
    """A page that was opened from a file: what it asked for, and what went wrong in it."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.address = path.as_uri()
        page.goto(self.address)

    def hidden(self, selector: str) -> list[bool]:
        """Of each such element, whether it cannot be seen."""
        found = self.page.locator(selector).all()
        return [not one.is_visible() for one in found]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator["Opener"]:
    """Opens the page of a run. At the end, none has asked for anything or had an error."""
    opener = Opener(browser, tmp_path)
    yield opener
    for one in opener.all:
        assert one.errors == []
        assert {url.partition("#")[0] for url in one.requests} == {one.address}
        one.page.close()


class Opener:
    """Writes a run's page and opens it."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self.all: list[Opened] = []

    def __call__(self, run: Run, *, width: int = 1280) -> Opened:
        path = self._folder / f"{len(self.all)}.html"
        path.write_text(made(*run), encoding="utf-8")
        page = self._browser.new_page(viewport={"width": width, "height": 900})
        self.all.append(Opened(page, path))
        return self.all[-1]


def test_numbers_are_those_of_the_document(opened: Opener) -> None:
    document, recordings = mixed_run()
    page = opened((document, recordings)).page
    counts = page.locator(".counts li").all_inner_texts()
    assert counts == ["12 broken", "1 tolerated", "1 unknown", "1 not assessed", "15 kept"]
    assert page.locator("h1").inner_text() == "12 of 29 promises are broken"
    assert page.locator(".finding").count() == len(document["findings"])
    assert page.locator(".promise-row").count() == len(document["behaviours"])
    cells = sum(len(test["verdicts"]) for test in document["tests"])
    assert page.locator(".heat td a").count() == cells
    figures = page.locator(".promise-row .figure").all_inner_texts()
    assert figures == [
        "{value:g} of {limit:g} {unit}".format(**one["figure"]) for one in document["behaviours"]
    ]


def test_what_the_service_said_runs_nothing(opened: Opener) -> None:
    seen = opened(hostile_run())
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.locator("#search").fill("window.ran")
    assert page.evaluate("window.ran") is None
    assert page.locator("img, main script, [onload], [onerror]").count() == 0
    assert page.locator("pre", has_text="<img src=x").first.is_visible()


def test_the_policy_stops_what_the_page_did_not_bring(opened: Opener) -> None:
    """The control of the test above: even markup that got in could not act."""
    seen = opened(mixed_run())
    seen.page.evaluate(
        "() => { const one = document.createElement('b');"
        " try { one.setAttribute('onclick', 'window.ran = 1'); } catch (error) {"
        " console.log(error.message); } document.body.append(one); one.click(); }"
    )
    assert seen.page.evaluate("window.ran") is None
    assert "TrustedScript" in " ".join(seen.errors)
    seen.errors.clear()


def test_search_and_verdicts_filter(opened: Opener) -> None:
    seen = opened(mixed_run())
    page = seen.page
    shown = page.locator("#shown")
    assert shown.inner_text() == "14 of 14 findings, 30 of 30 promises, 3 of 3 trials"
    page.keyboard.press("/")
    page.keyboard.type("h1 liveness")
    assert shown.inner_text().startswith("1 of 14 findings, 1 of 30 promises")
    assert seen.hidden("#H1") == [False]
    assert seen.hidden("#E1") == [True]
    page.keyboard.press("Escape")
    assert shown.inner_text().startswith("14 of 14 findings")
    page.get_by_label("broken", exact=True).uncheck()
    assert shown.inner_text() == "2 of 14 findings, 18 of 30 promises, 3 of 3 trials"
    assert seen.hidden(".finding.broken") == [True] * 12


def test_the_map_is_walked_with_the_arrow_keys(opened: Opener) -> None:
    seen = opened(mixed_run())
    page = seen.page
    page.locator(".heat td a").first.focus()
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "E1 broken in outage"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "E2 broken in outage"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "E2 broken in outage", "there is nothing on that side"
    assert page.locator(".heat td a[tabindex='0']").count() == 1, "one stop of the Tab key"
    page.keyboard.press("Enter")
    page.wait_for_selector("#trial-outage[open]")  # a browser follows a link when it has time
    assert page.locator("#trial-outage .chart").is_visible()
    assert page.evaluate("document.activeElement.parentElement.id") == "trial-outage"


def test_the_first_stop_of_the_keyboard_leads_to_the_findings(opened: Opener) -> None:
    page = opened(mixed_run()).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the findings"
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#findings'")


def test_a_screen_reader_finds_names_for_everything(opened: Opener) -> None:
    page = opened(mixed_run()).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    charts = page.get_by_role("img").all()
    assert len(charts) > 3
    assert all((one.get_attribute("aria-label") or "").startswith("Answers") for one in charts)
    unnamed = (
        "[...document.querySelectorAll('a, summary, th[scope], button')]"
        ".filter((one) => !one.textContent.trim()).length"
    )
    assert page.evaluate(unnamed) == 0
    for level, name in ((1, "12 of 29 promises are broken"), (2, "Findings"), (2, "Trials")):
        assert page.get_by_role("heading", name=name, level=level).count() == 1


@pytest.mark.parametrize("width", [1920, 1280, 1024, 420])
def test_nothing_sticks_out_of_the_window(opened: Opener, width: int) -> None:
    page = opened(mixed_run(), width=width).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0


def test_it_prints_with_every_finding_open(opened: Opener, tmp_path: Path) -> None:
    page = opened(mixed_run()).page
    assert page.locator(".finding details:not([open])").count() > 0
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert page.locator(".finding details:not([open])").count() == 0
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_a_run_of_2000_cases_is_soon_there(opened: Opener) -> None:
    page = opened(large_run()).page
    paints: list[float] = []
    while len(paints) < LOADS and min(paints, default=FIRST_PAINT) >= FIRST_PAINT:
        page.reload()
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        first = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        paints.append(page.evaluate(first))
    assert min(paints) < FIRST_PAINT
    page.locator("#search").fill("trial_49")
    assert page.locator("#shown").inner_text().endswith("1 of 50 trials")

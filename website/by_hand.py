"""Makes the picture of the page of `brownout up`: the sample service in a black hole.

`make picture` runs it and needs Debian's Chromium.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from playwright.sync_api import Page, sync_playwright

from website.sources import DOCS, ROOT

__all__ = ["main"]

_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_PROGRAM: Final = "import sys, brownout.cli; sys.exit(brownout.cli.main())"
_MOST: Final = 200_000  # bytes of one picture
_WIDTH: Final = 1280
_HEIGHT: Final = 860
_ANSWERS: Final = 24


def main() -> int:
    """Write the picture in a light and a dark form."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("The picture needs the program chromium.")
    with _served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in _SCHEMES:
            size = {"width": _WIDTH, "height": _HEIGHT}
            tab = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            tab.goto(address)
            _break(tab)
            picture = DOCS / f"by-hand-{scheme}.png"
            tab.screenshot(path=picture)
            tab.get_by_role("button", name="Heal everything").click()
            tab.get_by_role("heading", name="Nothing is broken").wait_for()
            tab.close()
            written = picture.stat().st_size
            sys.stdout.write(f"{picture.relative_to(ROOT)}: {written} bytes\n")
            if written > _MOST:
                sys.stderr.write(f"It has more than {_MOST} bytes.\n")
                return 1
        browser.close()
    return 0


@contextmanager
def _served() -> Iterator[str]:
    """The page of the sample service."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "up"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        lines = process.stdout or ()
        yield next(found[1] for line in lines if (found := re.search(r"page +(http\S+)", line)))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def _break(page: Page) -> None:
    """Let the load run, without a fault and then in a black hole."""
    page.locator("#rate").select_option("10")
    load = page.get_by_role("switch", name="Light load")
    if load.get_attribute("aria-checked") == "false":
        load.click()
    bars = page.locator('[data-operation="list-orders"] rect')
    bars.nth(_ANSWERS // 2).wait_for(state="attached")
    page.get_by_role("switch", name="Black hole").click()
    bars.nth(_ANSWERS).wait_for(state="attached")
    page.locator('[data-operation="list-orders"] .badge.refused').wait_for()
    page.locator(".fault.on .effect", has_text="felt").wait_for()
    # The path of this machine's Python says nothing to a reader.
    page.locator(".about code").first.evaluate("(one) => { one.textContent = 'sample_service'; }")


if __name__ == "__main__":
    sys.exit(main())

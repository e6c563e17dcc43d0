"""Makes the README's picture: the report of the tutorial's first version, as a browser shows it.

`make picture` runs a gate on it and needs Debian's Chromium.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import sync_playwright

from website.sources import DOCS, ROOT

__all__ = ["main"]

ONLY: Final = "steady,outage,black_hole,reset,terminated_backends"
_BLOCK: Final = re.compile(r'^```\w+ title="([\w.]+)"\n(.*?)^```', re.MULTILINE | re.DOTALL)
_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_MOST: Final = 200_000  # bytes of one picture
_WIDTH: Final = 960
_HEIGHT: Final = 1060


def main() -> int:
    """Write the picture in a light and a dark form."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _judge(folder)
        for scheme in _SCHEMES:
            picture = DOCS / f"report-{scheme}.png"
            _take(folder / "brownout-report" / "index.html", picture, scheme)
            size = picture.stat().st_size
            sys.stdout.write(f"{picture.relative_to(ROOT)}: {size} bytes\n")
            if size > _MOST:
                sys.stderr.write(f"It has more than {_MOST} bytes.\n")
                return 1
    return 0


def _judge(folder: Path) -> None:
    """Run a gate on the tutorial's service there."""
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    for title, text in _BLOCK.findall(tutorial):
        (folder / title).write_text(text, encoding="utf-8")
    programs = str(Path(sys.executable).parent)
    command = [f"{programs}/brownout", "gate", "--replicas=1", f"--only={ONLY}", "-q"]
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        check=False,
    )


def _take(page: Path, picture: Path, scheme: Literal["light", "dark"]) -> None:
    """The first screen of the page."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("The picture needs the program chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme=scheme)
        tab.goto(page.as_uri())
        tab.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())

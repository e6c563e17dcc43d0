"""Builds the site in build/site, and fails at the first warning."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from website.faults import fault_pages
from website.navigation import configuration
from website.promises import promise_pages
from website.reference import reference_pages
from website.sources import ROOT, own_pages

__all__ = ["build", "main", "pages"]

BUILT: Final = ROOT / "build"


def pages() -> dict[str, str | bytes]:
    """Every file of the site's source, by its path: what is written by hand, and what is made of
    the catalogue, the suites, the faults and the options."""
    made = {**promise_pages(), **fault_pages(), **reference_pages()}
    return {**own_pages(frozenset(made)), **made}


def build(folder: Path) -> int:
    """Write the source below `folder` and let Zensical build the site there; its exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    source = pages()
    for name, content in source.items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "zensical.toml").write_text(configuration(source), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def main() -> int:
    """Build it where `make docs` says."""
    code = build(BUILT)
    if code == 0:
        sys.stdout.write(f"documentation: {(BUILT / 'site' / 'index.html').relative_to(ROOT)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

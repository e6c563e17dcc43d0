"""Who may import whom: one direction, and outside libraries only where they belong."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.frame.surface import SURFACE

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "fixtures" / "brownout"

LAYERS = [
    {"_version", "errors", "figures", "login", "suggestions", "texts", "units"},
    {"behaviours", "endings", "graphql", "mask", "observations", "settings", "templates"},
    {"declaration"},
    {"engine"},
    {"control", "faults", "reaper"},
    {"backends"},
    {"postgres", "service"},
    {"distributed"},
    {"expectations", "trial"},
    {"chaos"},
    {"report"},
    {"telemetry"},
    {"watch"},
    {"plugin"},
    {"console"},
    {"cli"},
]
"""A module may import its own layer and those before it."""

PYTEST = {"pytest", "_pytest", "pytest_asyncio"}
CONTAINERS = {"docker", "testcontainers"}
LOCUST = {"gevent", "locust"}
PATCHED = {f"distributed/{name}.py" for name in ("forked", "inbox", "master", "worker")}
"""Modules of processes of their own, in which Locust may replace the blocking calls."""

EXTRAS = ("asyncio", "chaos", "completion", "embedded", "locust", "otel")
OUT_OF_REACH = {"sample_service", "suites", "tests", "benchmarks", "conftest", "fixtures"}


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, str | None]]:
    """Each import in a file, wherever it stands: the module, and the name taken from it if any."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            assert node.module is not None
            for alias in node.names:
                yield node.module, alias.name


def part_of(module: str, name: str | None) -> str | None:
    """The part of the package that an import means: "engine" for `brownout.control.client`."""
    words = [*module.split("."), *([name] if module == "brownout" and name else [])]
    return words[1] if words[0] == "brownout" and len(words) > 1 else None


def layer_of(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_each_part_of_the_package_has_one_layer() -> None:
    parts = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    parts |= {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert sorted(parts) == sorted(part for layer in LAYERS for part in layer)


def test_imports_point_one_way() -> None:
    wrong = []
    for path in sources(PACKAGE):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        allowed = layer_of("declaration" if own == "__init__" else own)
        parts = {part_of(module, name) for module, name in imported(path)} - {None}
        wrong += [f"{path} imports {part}" for part in parts if part and layer_of(part) > allowed]
    assert not wrong


def test_libraries_stay_where_they_belong() -> None:
    wrong = []
    for path in sources(PACKAGE):
        place = path.relative_to(PACKAGE).as_posix()
        forbidden = OUT_OF_REACH | {"_pytest"}
        if not place.startswith("plugin/"):
            forbidden |= PYTEST
        if place.startswith("reaper/"):
            forbidden |= {"testcontainers"}
        elif not place.startswith("backends/docker/"):
            forbidden |= CONTAINERS
        if not place.startswith("telemetry/"):
            forbidden |= {"opentelemetry"}
        if place not in PATCHED:
            forbidden |= LOCUST
        tops = {module.partition(".")[0] for module, _ in imported(path)}
        wrong += [f"{path} imports {top}" for top in tops & forbidden]
    assert not wrong


def test_the_run_imports_no_module_of_locust_s_processes() -> None:
    modules = {f"brownout.{place.removesuffix('.py').replace('/', '.')}" for place in PATCHED}
    wrong = []
    for path in sources(PACKAGE):
        if path.relative_to(PACKAGE).as_posix() not in PATCHED:
            named = {f"{module}.{name}" for module, name in imported(path)}
            named |= {module for module, _ in imported(path)}
            wrong += [f"{path} imports {module}" for module in named & modules]
    assert not wrong


def test_suites_see_only_what_an_adopter_sees() -> None:
    wrong = []
    for path in sources(ROOT / "suites"):
        for module, name in imported(path):
            top = module.partition(".")[0]
            if top not in {"brownout", "pytest"} | sys.stdlib_module_names:
                wrong.append(f"{path} imports {module}")
            elif top == "brownout" and name not in SURFACE.get(module, ()):
                wrong.append(f"{path} imports {name} from {module}")
    assert not wrong


def distributions_needed(folder: Path) -> set[str]:
    """The distributions that the third-party imports below `folder` come from."""
    known = packages_distributions()
    tops = {module.partition(".")[0] for path in sources(folder) for module, _ in imported(path)}
    ours = {"benchmarks", "brownout", "examples", "sample_service", "tests", "website"}
    own = ours | sys.stdlib_module_names
    return {canonicalize_name(known[top][0]) for top in tops - own}


def required(*extras: str) -> set[str]:
    """The distributions that pyproject.toml names, with those of `extras`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_what_the_package_imports_is_declared() -> None:
    assert distributions_needed(PACKAGE) <= required(*EXTRAS)


def test_no_requirement_is_a_plugin_that_warns_in_every_project() -> None:
    """pytest-asyncio's warning is an error where a project says `filterwarnings = error`."""
    assert not required() & {"hypothesis", "pytest-asyncio"}


def test_what_the_sample_service_imports_is_declared() -> None:
    assert distributions_needed(ROOT / "sample_service") <= required("sample")


def test_what_tests_and_benchmarks_import_is_declared() -> None:
    needed = distributions_needed(ROOT / "tests") | distributions_needed(ROOT / "benchmarks")
    assert needed <= required(*EXTRAS, "sample", "dev")


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-oldest.txt"])
def test_constraints_hold_versions_and_nothing_else(name: str) -> None:
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            assert str(requirement.specifier).startswith("==")
            assert requirement.url is None


def pinned(name: str) -> dict[str, str]:
    """The version of each distribution in a file of constraints."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in found}


def test_constraints_pin_whatever_is_declared() -> None:
    declared = required(*EXTRAS, "sample", "dev") - {"pytest-brownout"}
    assert declared <= set(pinned("constraints.txt"))


def test_the_lowest_versions_that_are_declared_are_those_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    tested = pinned("constraints-oldest.txt")
    for line in [*project["dependencies"], *extras["asyncio"], *extras["embedded"]]:
        requirement = Requirement(line)
        lowest = Version(str(requirement.specifier).removeprefix(">="))
        assert Version(tested[canonicalize_name(requirement.name)]) == lowest, line

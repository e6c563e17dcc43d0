"""The three ways to hand a service's declaration over, and what is said where none was used."""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.plugin.conftest import INI, PREAMBLE, QUIETLY

pytest_plugins = ["pytester"]

DECLARATION = """
from brownout import Budget, Health, Service, seconds

def declare(pool):
    return Service(
        command=["serve", "{port}"], health=Health(live="/l", ready="/r"),
        budget=Budget(request=seconds(1), recovery=seconds(3), pool=pool),
    )

service = declare(3)
"""

FIXTURE = """
import pytest
from declaration import declare

@pytest.fixture(scope="session")
def service_under_test():
    return declare(5)
"""

ASKS = """
@pytest.mark.behaviour('T1')
def test_it(service_under_test):
    print("pool", service_under_test.budget.pool)
"""


@pytest.fixture
def declared(project: pytest.Pytester) -> pytest.Pytester:
    """A project with a module that holds a declaration."""
    project.makefile(".ini", pytest=INI + "pythonpath = .\n")
    project.makepyfile(declaration=DECLARATION)
    return project


def run(project: pytest.Pytester, *arguments: str, source: str = ASKS) -> pytest.RunResult:
    project.makepyfile(test_it=PREAMBLE + source)
    return project.runpytest_inprocess(*QUIETLY, "-s", *arguments)


def test_fixture_in_the_conftest_at_rootdir(declared: pytest.Pytester) -> None:
    declared.makeconftest(FIXTURE)
    run(declared).stdout.fnmatch_lines(["*pool 5*"])


def test_fixture_that_yields_is_ended_after_the_run(declared: pytest.Pytester) -> None:
    declared.makeconftest(
        FIXTURE.replace("return declare(5)", "yield declare(5)\n    print('ended')")
    )
    run(declared).stdout.fnmatch_lines(["*pool 5*", "*ended*"])


def test_fixture_with_parameters_is_checked_for_each(declared: pytest.Pytester) -> None:
    declared.makeconftest(
        FIXTURE.replace('scope="session"', 'scope="session", params=[2, 4]')
        .replace("service_under_test()", "service_under_test(request)")
        .replace("declare(5)", "declare(request.param)")
    )
    run(declared).stdout.fnmatch_lines(["*pool 2*", "*pool 4*"])


def test_fixture_beside_imported_tests(declared: pytest.Pytester) -> None:
    declared.makepyfile(suite="import pytest\n" + ASKS)
    result = run(declared, source=FIXTURE + "\nfrom suite import *\n")
    result.stdout.fnmatch_lines(["*pool 5*"])


def test_named_by_the_option(declared: pytest.Pytester) -> None:
    run(declared, "--brownout-service=declaration:service").stdout.fnmatch_lines(["*pool 3*"])


def test_option_outranks_the_fixture(declared: pytest.Pytester) -> None:
    declared.makeconftest(FIXTURE)
    result = run(declared, "--brownout-service=declaration:service")
    result.stdout.fnmatch_lines(["*pool 3*"])


def test_named_function_is_called(declared: pytest.Pytester) -> None:
    with Path(declared.path, "declaration.py").open("a") as module:
        module.write("\ndef make(): return declare(7)\n")
    run(declared, "--brownout-service=declaration:make").stdout.fnmatch_lines(["*pool 7*"])


def test_named_module_is_found_from_rootdir_without_pythonpath(project: pytest.Pytester) -> None:
    project.makepyfile(declaration=DECLARATION)
    run(project, "--brownout-service=declaration:service").stdout.fnmatch_lines(["*pool 3*"])


@pytest.mark.parametrize(
    ("named", "lines"),
    [
        ("nowhere:service", ["*: there is no module 'nowhere'.", "Tried:", "*importing nowhere *"]),
        ("declaration:servce", ["*has no 'servce'.", "*Did you mean 'declaration:service'?"]),
        ("declaration:seconds", ["*cannot be called without arguments: *"]),
        ("declaration:Budget", ["*gives a value of type type, but a brownout.Service is needed.*"]),
        ("broken:service", ["*importing broken raised ZeroDivisionError: *broken.py, line 1).*"]),
        ("needy:service", ["*importing needy raised ModuleNotFoundError: *'not_there'*"]),
        ("fixtured:service", ["*fixtured:service' is a pytest fixture, which only pytest can *"]),
        (
            "misdeclared:service",
            ["*Service: workers is 0, but *", "Tried:", "*importing misdeclared (*.py, line 4)"],
        ),
        ("unknown:service", ["*importing unknown raised TypeError: *", "*you mean 'applied'?"]),
        ("renamed:service", ["*importing renamed raised TypeError: *", "*you mean 'live'?"]),
        ("spelt:service", ["*importing spelt raised AttributeError: *", "*you mean 'read'?"]),
        ("calls:service", ["*calling service raised TypeError: *line 2).", "*'recovery'?"]),
    ],
)
def test_wrong_name_is_told_before_anything_starts(
    declared: pytest.Pytester, named: str, lines: list[str]
) -> None:
    declared.makepyfile(
        broken="1 / 0",
        needy="import not_there",
        fixtured="import pytest\n@pytest.fixture\ndef service(): pass\n",
        unknown="import brownout\nbrownout.Operation.write('x', 'POST', '/x', aplied='…')",
        renamed="import brownout\nbrownout.Health(liveness='/x', ready='/r')",
        spelt="import brownout\nbrownout.Operation.reed('x', 'GET', '/x')",
        calls="import brownout\ndef service(): brownout.Budget(recover=3)",
        misdeclared=DECLARATION.replace("command=", "workers=0, command="),
    )
    result = run(declared, f"--brownout-service={named}")
    assert result.ret == 2
    result.stdout.fnmatch_lines([*lines, "brownout: nothing was started — exit 2"])


@pytest.mark.parametrize(
    ("returned", "line"),
    [
        ("None", "*gives nothing (None), but a brownout.Service is needed.*"),
        ("[declare(5)]", "*gives a value of type list, but a brownout.Service is needed.*"),
        ("{'command': 'x'}", "*gives a value of type dict, but a brownout.Service is needed.*"),
    ],
)
def test_fixture_that_gives_no_service(declared: pytest.Pytester, returned: str, line: str) -> None:
    declared.makeconftest(FIXTURE.replace("declare(5)", returned))
    result = run(declared)
    assert result.ret == 2
    told = " ".join(result.stdout.str().split())
    assert fnmatch(told, f"*The fixture service_under_test {line}*")


def test_no_declaration_names_the_places_and_the_ways(declared: pytest.Pytester) -> None:
    below = declared.mkdir("checks")
    (below / "conftest.py").write_text(FIXTURE)
    environment = declared.mkdir("env")
    (environment / "pyvenv.cfg").touch()
    (environment / "conftest.py").write_text(FIXTURE)
    result = run(declared)
    assert result.ret == 2
    told = " ".join(result.stdout.str().split())
    for part in [
        "No service is declared, so there is nothing to test.",
        f"conftest.py at rootdir ({declared.path}), or in the test's own file",
        "the option --brownout-service ",
        f"{below}/conftest.py defines service_under_test, but is not at rootdir: ",
        "What to do: Do one of these: define the fixture ",
        "(in an ini file: brownout_service = brownout.toml).",
    ]:
        assert part in told
    assert str(environment) not in result.stdout.str()
    assert "is there" not in told


def test_a_file_that_is_not_named_is_told_to_be_there(declared: pytest.Pytester) -> None:
    (declared.path / "brownout.toml").touch()
    told = " ".join(run(declared).stdout.str().split())
    there = declared.path / "brownout.toml"
    assert f"{there} is there, but pytest reads it only where it is named" in told


def test_document_holds_what_the_service_promises(declared: pytest.Pytester) -> None:
    declared.makeconftest(FIXTURE)
    run(declared, "--brownout-report=out")
    text = (declared.path / "out" / "brownout.json").read_text()
    assert '"pool": 5' in text
    assert '"recovery_seconds": 3.0' in text

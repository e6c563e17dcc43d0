"""The sweep runs only where it is asked for, with what the options set."""

import pytest

from brownout.plugin.sweeping import cases_named
from brownout.trial.sweep.cases import SHARES, share_of
from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

CASE = "place-order/insert orders/lost-reply"
TRIALS = """
from brownout.faults import Outage
from brownout.trial import Trial
from brownout.trial.plan import SWEEP

@pytest.fixture
def brownout_recording(request):
    script = request.param.script
    if script is not None:
        print(f"<{script!r}>")

@pytest.mark.behaviour('T1')
@pytest.mark.trials(Trial("outage", Outage()), *SWEEP)
def test_in_time(brownout_recording): pass

@pytest.mark.behaviour('C1')
@pytest.mark.trials(*SWEEP)
def test_kept(brownout_recording): pass
"""


def ran(result: pytest.RunResult) -> list[str]:
    return [line.split("::")[1].split(" ")[0] for line in result.outlines if "::test_" in line]


def shares(*numbers: int, tests: tuple[str, ...] = ("test_in_time", "test_kept")) -> list[str]:
    return [f"{test}[sweep_{number + 1}]" for number in numbers for test in tests]


def test_a_run_leaves_the_sweep_out(judge: Judge) -> None:
    result = judge(TRIALS, "-v", "-s")
    assert result.ret == 0
    assert ran(result) == ["test_in_time[outage]"]


def test_the_option_adds_the_sweep_with_its_limits(judge: Judge) -> None:
    result = judge(
        TRIALS,
        "-v",
        "-s",
        "--brownout-sweep=60",
        "--brownout-sweep-cases=40",
        "--brownout-sweep-seed=7",
    )
    assert ran(result) == ["test_in_time[outage]", *shares(*range(SHARES))]
    assert "cases=40, lasting=datetime.timedelta(seconds=60), seed=7, only=()" in (
        result.stdout.str()
    )


def test_all_of_it_has_no_limit(judge: Judge) -> None:
    result = judge(TRIALS, "-v", "-s", "--brownout-sweep=all")
    assert "cases=None, lasting=None, seed=1, only=()" in result.stdout.str()


def test_only_the_sweep_is_named_like_a_trial(judge: Judge) -> None:
    result = judge(TRIALS, "-v", "-s", "--brownout-only=sweep")
    assert ran(result) == shares(*range(SHARES))
    assert "lasting=None, seed=1, only=()" in result.stdout.str()


def test_a_promise_in_the_sweep(judge: Judge) -> None:
    result = judge(TRIALS, "-v", "-s", "--brownout-only=C1/sweep/place-order/COMMIT")
    assert ran(result) == shares(*range(SHARES), tests=("test_kept",))
    assert "only=('place-order/COMMIT',)" in result.stdout.str()


def test_a_whole_case_needs_its_own_share_alone(judge: Judge) -> None:
    result = judge(TRIALS, "-v", "-s", f"--brownout-only=sweep/{CASE}")
    assert ran(result) == shares(share_of(CASE))
    assert f"only=('{CASE}',)" in result.stdout.str()


@pytest.mark.parametrize(
    ("option", "needed"),
    [
        ("--brownout-sweep=0", "a number of seconds above 0"),
        ("--brownout-sweep=soon", "a number of seconds above 0"),
        ("--brownout-sweep-cases=-1", "a whole number from 1"),
        ("--brownout-sweep-seed=x", "a whole number from 1"),
    ],
)
def test_a_wrong_limit_is_refused(judge: Judge, option: str, needed: str) -> None:
    result = judge(TRIALS, option)
    assert result.ret == 2
    assert needed in result.stdout.str()


def test_where_the_whole_sweep_is_named_as_well_no_case_is_left_out() -> None:
    assert cases_named(["H1", "sweep/a/b", "T1/sweep/c"]) == ("a/b", "c")
    assert cases_named(["sweep/a/b", "sweep"]) == ()
    assert cases_named(["outage"]) == ()

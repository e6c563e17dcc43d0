"""What a test needs of a declaration is asked before its trial is made."""

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

SOURCE = """
from brownout import Budget, Health, Service, seconds
from brownout.declaration.needs import concurrency
from brownout.trial.plan import OUTAGE

@pytest.fixture(scope="session")
def service_under_test():
    return Service(
        command=["serve"], health=Health(live=None, ready=None),
        budget=Budget(request=seconds(1), recovery=seconds(3), pool=1, concurrency={concurrency}),
    )

@pytest.fixture(scope="session")
def brownout_recordings():
    class Making:
        def of(self, trial):
            raise RuntimeError("the trial was made: " + trial.id)
    return Making()

@pytest.mark.behaviour("L3", needs={needs})
@pytest.mark.trials(OUTAGE)
def test_it(brownout_recording):
    pass
"""


def test_no_trial_is_made_for_a_test_that_is_not_assessed(judge: Judge) -> None:
    result = judge(SOURCE.format(concurrency=None, needs="concurrency"), "-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["*Budget.concurrency is not declared*What to do: Add concurrency*"]
    )
    result.stdout.no_fnmatch_line("*the trial was made*")


def test_a_trial_is_made_for_what_is_declared(judge: Judge) -> None:
    result = judge(SOURCE.format(concurrency=9, needs="concurrency"))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the trial was made: outage*"])


def test_what_cannot_be_called_is_refused(judge: Judge) -> None:
    result = judge(SOURCE.format(concurrency=9, needs="'concurrency'"))

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["*is marked wrongly: The mark's needs is 'concurrency', not a function*"]
    )

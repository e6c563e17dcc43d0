"""`--brownout-only` keeps what it names, and a name that there is not is refused once."""

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

TRIALS = """
from brownout.faults import Outage, BlackHole
from brownout.trial import Trial

OUTAGE, SILENT = Trial("outage", Outage()), Trial("silent", BlackHole())
ALONE = Trial("compared", alone=True)

@pytest.fixture
def brownout_recording(request):
    print(f"<{request.param.id}>")

@pytest.mark.behaviour('E5')
@pytest.mark.trials(OUTAGE, SILENT)
def test_honest(brownout_recording): pass

@pytest.mark.behaviour('H1')
@pytest.mark.trials(OUTAGE, SILENT, ALONE)
def test_alive(brownout_recording): pass

@pytest.mark.behaviour('T1')
def test_without_a_trial(): pass

def test_ordinary(): pass
"""


@pytest.mark.parametrize(
    ("only", "left"),
    [
        ("H1", ["test_alive[compared]", "test_alive[outage]", "test_alive[silent]"]),
        ("h1/silent", ["test_alive[silent]"]),
        ("outage", ["test_honest[outage]", "test_alive[outage]"]),
        ("T1, E5/outage", ["test_honest[outage]", "test_without_a_trial"]),
        ("T1,T1", ["test_without_a_trial"]),
    ],
)
def test_what_is_named_is_left(judge: Judge, only: str, left: list[str]) -> None:
    result = judge(TRIALS, f"--brownout-only={only}", "-v")
    assert result.ret == 0
    ran = [line.split("::")[1].split(" ")[0] for line in result.outlines if " PASSED" in line]
    assert ran == left


@pytest.mark.parametrize(
    ("only", "cause", "remedy"),
    [
        ("H99", "There is no promise or trial 'H99'", "Did you mean"),
        ("E5/outag", "There is no promise or trial 'outag'", "Did you mean 'outage'?"),
        (
            "E5/compared",
            "No test judges what --only names as 'E5/compared'",
            "Name one of the trials in which E5 is judged: outage, silent.",
        ),
        ("V1", "No test judges what --only names as 'V1'", "alone"),
    ],
)
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["here", "in workers"])
def test_what_is_not_there_is_refused_once(
    judge: Judge, only: str, cause: str, remedy: str, workers: list[str]
) -> None:
    result = judge(TRIALS, f"--brownout-only={only}", *workers)
    assert result.ret == 2
    assert "unknown" not in result.stdout.str()
    text = result.stdout.str()
    assert text.count(cause) == 1
    assert remedy in text
    assert "passed" not in text


def test_the_items_of_a_trial_follow_each_other_and_those_alone_come_first(judge: Judge) -> None:
    result = judge(TRIALS, "-v", "-s")
    ran = [line.split("::")[1].split(" ")[0] for line in result.outlines if "::test_" in line]
    assert ran == [
        "test_alive[compared]",
        "test_honest[outage]",
        "test_alive[outage]",
        "test_honest[silent]",
        "test_alive[silent]",
        "test_without_a_trial",
        "test_ordinary",
    ]

"""What a comparison of times says against a service is said only after a second trial."""

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

LATE = """
from brownout.trial import Trial

ALONE, ORDINARY = Trial("compared", alone=True), Trial("ordinary")

class Recording:
    process = None
    def __init__(self, seconds): self.seconds = seconds
    def require_felt(self): pass
    def facts(self): return {"trial": "compared"}

class Recordings:
    tries = 0
    def of(self, trial): return Recording(SECONDS[self.tries])
    def again(self, trial):
        self.tries += 1
        print(f"<try {self.tries + 1}>")
        return self.of(trial)

@pytest.fixture
def brownout_recordings(): return Recordings()

@pytest.fixture
def brownout_recording(request, brownout_recordings): return brownout_recordings.of(request.param)

@pytest.mark.behaviour('X1')
@pytest.mark.trials(TRIAL)
def test_it(brownout_recording):
    if brownout_recording.seconds > 1:
        raise violation("It is in time.")
"""


@pytest.mark.parametrize(
    ("trial", "seconds", "broken", "tries"),
    [
        ("ALONE", (0, 9), False, 1),
        ("ALONE", (2, 0), False, 2),
        ("ALONE", (2, 3), True, 2),
        ("ORDINARY", (2, 0), True, 1),
    ],
)
def test_late_twice_is_broken_and_late_once_is_not(
    judge: Judge, trial: str, seconds: tuple[int, int], broken: bool, tries: int
) -> None:
    source = LATE.replace("TRIAL)", f"{trial})").replace("SECONDS[", f"{seconds}[")
    result = judge(source, "-s")
    assert result.ret == (1 if broken else 0)
    assert ("<try 2>" in result.stdout.str()) is (tries == 2)


def test_a_service_whose_process_ended_is_not_tried_again(judge: Judge) -> None:
    source = LATE.replace("TRIAL)", "ALONE)").replace("SECONDS[", "(2, 0)[")
    result = judge(source.replace("process = None", 'process = "it ended"'), "-s")
    assert result.ret == 1
    assert "<try 2>" not in result.stdout.str()

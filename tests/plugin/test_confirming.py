"""What the machine may explain is said against a service only after a second trial."""

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

LATE = """
from brownout.figures import Figure, note
from brownout.trial import Trial

LIMIT = 1
ALONE, ORDINARY = Trial("compared", alone=True), Trial("ordinary")

class Recording:
    process = None
    lost = LOST
    def __init__(self, seconds): self.seconds = seconds
    def require_felt(self): pass
    def facts(self): return {"trial": "compared"}

class Recordings:
    tries = 0
    def of(self, trial): return Recording(SECONDS[self.tries])
    def earlier(self, trial): return Recording(SECONDS[self.tries - 1]) if self.tries else None
    def times_again(self, trial): return self.tries
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
    note(Figure(brownout_recording.seconds, LIMIT, "s"))
    if brownout_recording.seconds > LIMIT:
        raise violation("It is in time.")
"""


@pytest.mark.parametrize(
    ("trial", "lost", "seconds", "broken", "tries"),
    [
        ("ALONE", 0, (0, 9), False, 1),
        ("ALONE", 0, (2, 0), False, 2),
        ("ALONE", 0, (2, 3), True, 2),
        ("ORDINARY", 0, (2, 0), True, 1),
        # Of two seconds a sixth may have been lost: 3 times 0.33 s explain one, but 0.3 s do not.
        ("ORDINARY", 0.17, (2, 0), False, 2),
        ("ORDINARY", 0.15, (2, 0), True, 1),
        ("ORDINARY", 0.17, (2, 2), True, 2),
        ("ORDINARY", 0.5, (9, 0), False, 2),
    ],
)
def test_late_twice_is_broken_and_late_once_is_not(
    judge: Judge,
    trial: str,
    lost: float,
    seconds: tuple[int, int],
    broken: bool,
    tries: int,
) -> None:
    source = LATE.replace("TRIAL)", f"{trial})").replace("SECONDS[", f"{seconds}[")
    source = source.replace("LOST", str(lost))
    result = judge(source, "-s")
    assert result.ret == (1 if broken else 0)
    assert ("<try 2>" in result.stdout.str()) is (tries == 2)


@pytest.mark.parametrize(
    ("trial", "lost", "seconds", "ret"),
    [
        # Of 2 s at least 0.8 s were the service's own: less than the limit of 1 s.
        ("ALONE", 0.6, (2, 2), 2),
        ("ALONE", 0.59, (2, 2), 1),
        # Of 3 s it was 1.2 s.
        ("ALONE", 0.6, (2, 3), 1),
        ("ORDINARY", 0.6, (2, 2), 2),
        ("ORDINARY", 0.59, (2, 2), 1),
        ("ORDINARY", 0.6, (2, 3), 1),
    ],
)
def test_a_time_that_a_starved_machine_explains_twice_is_unknown(
    judge: Judge, trial: str, lost: float, seconds: tuple[int, int], ret: int
) -> None:
    source = LATE.replace("TRIAL)", f"{trial})").replace("SECONDS[", f"{seconds}[")
    result = judge(source.replace("LOST", str(lost)), "-s")
    assert result.ret == ret
    assert "<try 2>" in result.stdout.str()
    assert ("had to wait for a core in 60%" in result.stdout.str()) is (ret == 2)


@pytest.mark.parametrize(
    ("lost", "seconds", "ret"),
    [
        # Of 0.15 s at least 0.12 s were the service's own: more than the limit of 0.1 s.
        (0.2, (0.15, 0.15), 1),
        (0.4, (0.15, 0.15), 2),
        (0.4, (0.15, 0.3), 1),
        (0.0, (0.15, 0.15), 1),
    ],
)
def test_a_short_time_that_little_lost_time_explains_twice_is_unknown(
    judge: Judge, lost: float, seconds: tuple[float, float], ret: int
) -> None:
    source = LATE.replace("TRIAL)", "ALONE)").replace("SECONDS[", f"{seconds}[")
    source = source.replace("LIMIT = 1", "LIMIT = 0.1").replace("LOST", str(lost))
    assert judge(source).ret == ret


def test_a_judgement_without_another_try_is_unknown_on_a_starved_machine_too(judge: Judge) -> None:
    source = LATE.replace("TRIAL)", "ALONE)").replace("SECONDS[", "(2, 2, 2, 2, 2)[")
    source = source.replace("LOST", "0.7").replace("tries = 0", "tries = 1")
    result = judge(source, "-s")
    assert result.ret == 2
    assert "<try" not in result.stdout.str()


def test_a_service_whose_process_ended_is_not_tried_again(judge: Judge) -> None:
    source = LATE.replace("TRIAL)", "ALONE)").replace("SECONDS[", "(2, 0)[").replace("LOST", "0")
    result = judge(source.replace("process = None", 'process = "it ended"'), "-s")
    assert result.ret == 1
    assert "<try 2>" not in result.stdout.str()


def test_what_an_answer_says_is_not_tried_again(judge: Judge) -> None:
    source = LATE.replace("TRIAL)", "ALONE)").replace("SECONDS[", "(2, 0)[").replace("LOST", "0.7")
    says = """
        raise ContractViolation(
            "It says 503.", expected="503", observed="500", content=True)
"""
    result = judge(source.replace('\n        raise violation("It is in time.")\n', says), "-s")
    assert result.ret == 1
    assert "<try 2>" not in result.stdout.str()


SEVERAL = LATE.replace("TRIAL)", "ALONE)").replace(
    "@pytest.fixture\n", "@pytest.fixture(scope='module')\n", 1
)


@pytest.mark.parametrize(
    ("seconds", "broken", "tries"),
    [
        # Two tries that are both late prove it for every promise.
        ((2, 2, 0, 0, 0), 4, 2),
        # The second is in time for every promise.
        ((2, 0, 0, 0, 0), 0, 2),
        ((0, 2, 0, 0, 0), 0, 1),
    ],
)
def test_a_trial_is_not_made_again_for_each_promise_that_it_breaks(
    judge: Judge, seconds: tuple[int, ...], broken: int, tries: int
) -> None:
    source = SEVERAL.replace("SECONDS[", f"{seconds}[").replace("LOST", "0")
    more = "".join(f"\n\ntest_{name} = test_it" for name in ("this", "that", "other"))
    result = judge(source + more, "-s")
    assert result.parseoutcomes().get("failed", 0) == broken
    assert result.stdout.str().count("<try") == tries - 1


def test_a_promise_that_only_the_second_try_breaks_is_tried_once_more(judge: Judge) -> None:
    source = SEVERAL.replace("SECONDS[", "(2, 3, 3)[").replace("LOST", "0")
    later = """

@pytest.mark.behaviour('X1')
@pytest.mark.trials(ALONE)
def test_later(brownout_recording):
    note(Figure(brownout_recording.seconds, 2.5, "s"))
    if brownout_recording.seconds > 2.5:
        raise violation("It is nearly in time.")
"""
    result = judge(source + later, "-s")
    assert result.parseoutcomes()["failed"] == 2
    assert result.stdout.str().count("<try") == 2

"""How long a plan can take follows from its trials and from how many replicas there are."""

from brownout import Service, seconds
from brownout.faults import Outage, Reset
from brownout.trial import Trial
from brownout.trial.duration import longest_of
from tests.core.made import service

OUTAGE, RESET = Trial("outage", Outage()), Trial("reset", Reset(), hold=seconds(60))
ALONE = [Trial("one", Outage(), alone=True), Trial("another", Reset(), alone=True)]


def test_on_one_replica_they_follow_each_other() -> None:
    each = [trial.longest(service()) for trial in (OUTAGE, RESET, *ALONE)]
    assert longest_of([OUTAGE, RESET, *ALONE], service(), 1) == sum(each, seconds(0))


def test_on_two_replicas_the_longer_one_decides() -> None:
    assert longest_of([OUTAGE, RESET], service(), 2) == RESET.longest(service())


def test_each_goes_to_the_replica_that_is_free_first() -> None:
    trials = [RESET, OUTAGE, Trial("outage_again", Outage())]
    both = OUTAGE.longest(service()) * 2
    assert longest_of(trials, service(), 2) == max(RESET.longest(service()), both)


def test_those_that_run_alone_have_no_other_beside_them() -> None:
    alone = sum((trial.longest(service()) for trial in ALONE), seconds(0))
    assert longest_of([OUTAGE, *ALONE], service(), 4) == alone + OUTAGE.longest(service())


def test_a_trial_that_lacks_its_declaration_takes_no_time() -> None:
    undeclared = Trial("breaking", Outage(), needs=[Service.required_breaker])
    assert longest_of([OUTAGE, undeclared], service(), 1) == OUTAGE.longest(service())


def test_no_trials_take_no_time() -> None:
    assert longest_of([], service(), 4) == seconds(0)

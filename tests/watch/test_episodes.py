"""When requests failed, and whether that is the service's to answer for."""

import pytest

from brownout import Answer, Completion, Operation, ms, seconds
from brownout.watch.episodes import Dark, Episode, Episodes
from brownout.watch.kept import Kept
from brownout.watch.marks import Marks, Window
from brownout.watch.witnesses import Witnesses
from tests.core.made import answer, no_answer

LIST, SHOW = Operation.read("list", "GET", "/things"), Operation.read("show", "GET", "/thing")
READY = Operation.route("/ready")


def at(moment: float, status: int | None, operation: Operation = LIST) -> Answer:
    """What came of a request that was asked for then, 5 ms later."""
    if status is None:
        return no_answer(Completion.CONNECTION_REFUSED, operation=operation, started=moment)
    return answer(status, operation=operation, started=moment)


def heard(*answers: Answer, proven: bool = True, settle: float = 1.0) -> Episodes:
    episodes = Episodes(("list", "show"), "/ready", settle=settle)
    for one in answers:
        episodes.hear(one, proven=proven)
    return episodes


def test_an_episode_lasts_from_the_first_failure_until_all_succeed() -> None:
    episodes = heard(
        at(1, 200), at(2, 503), at(2.5, 503, READY), at(3, 200, SHOW), at(4, 200), at(5, 200, READY)
    )
    assert episodes.over(5.9) is None, "it may be over, or only flicker"
    episode = episodes.over(6)
    assert episode is not None
    assert (episode.began, episode.last, episode.ended) == (2, 2.5, 5)
    assert episode.served == 4
    assert episode.failures == {"list": 1, "/ready": 1}
    assert episodes.over(7) is None
    assert episodes.current is None


def test_a_service_that_flickers_has_one_episode() -> None:
    episodes = heard(at(1, 503), at(1.5, 200), at(2, 503), at(2.5, 200))
    episode = episodes.over(3.5)
    assert episode is not None
    assert (episode.began, episode.last, episode.ended, episode.served) == (1, 2, 2.5, 2.5)


def test_a_success_that_was_asked_for_before_the_failure_ends_nothing() -> None:
    episodes = heard(at(2, 503), at(1.9, 200))
    assert episodes.over(100) is None
    assert episodes.current is not None


@pytest.mark.parametrize("status", [404, 401, 429])
def test_what_is_the_callers_is_no_failure_of_the_service(status: int) -> None:
    assert heard(at(1, status)).current is None


def test_an_operation_that_needs_no_database_begins_no_episode() -> None:
    assert heard(at(1, 503, Operation.read("quote", "GET", "/quote"))).current is None


def disturbed(*answers: Answer, proven: bool = True) -> bool:
    episode = heard(*answers, proven=proven).current
    assert episode is not None
    return episode.disturbed


def test_a_database_was_disturbed_if_readiness_says_so_or_everything_fails_again_and_again() -> (
    None
):
    all_twice = [at(1, 500), at(1, 500, SHOW), at(2, 500), at(2, 500, SHOW)]
    assert disturbed(at(1, 503, READY))
    assert disturbed(*all_twice)
    assert not disturbed(at(1, None, READY)), "the way to it may be down"
    assert not disturbed(*all_twice, proven=False)
    assert not disturbed(*all_twice[:3]), "one may have failed for a reason of its own"
    assert not disturbed(at(1, 500), at(2, 500), at(2, 200, SHOW))


def dark(*answers: Answer, until: float = 9, proven: bool = True) -> list[Dark]:
    episode = heard(*answers, proven=proven).cut(until)
    assert episode is not None
    return episode.dark


def test_it_is_dark_while_no_operation_that_needs_the_database_succeeds() -> None:
    both = [at(1, 503), at(2, 503, SHOW)]
    assert dark(*both) == [Dark(2, 9)]
    assert dark(*both, at(4, 200)) == [Dark(2, 4)]
    assert dark(*both, at(4, 200), at(5, 503), at(6, 503, SHOW)) == [Dark(2, 4), Dark(5, 9)]
    assert dark(at(1, 503), at(2, 200, SHOW)) == []
    assert dark(*both, proven=False) == []


def test_one_that_is_cut_has_no_end() -> None:
    episodes = heard(at(1, 503))
    episode = episodes.cut(9)
    assert isinstance(episode, Episode)
    assert episode.ended is None
    assert episodes.cut(9) is None


def test_of_what_is_long_the_beginning_and_the_end_are_kept() -> None:
    kept: Kept[int] = Kept(2)
    kept.extend(range(7))
    assert (list(kept), kept.added, kept.whole) == ([0, 1, 5, 6], 7, False)


def test_what_was_asked_for_before_is_told_of_probes_only_if_none_is_missing() -> None:
    episode = Episode(1, 2, ended=9)
    episode.readiness.extend(at(number, 503, READY) for number in range(4000))
    assert len(list(episode.before(100).readiness)) == 100
    episode.readiness.extend([at(4000, 503, READY)])
    assert list(episode.before(100).readiness) == []
    assert episode.before(100).ended is None


def test_marks_say_when_faults_were_in_force() -> None:
    marks = Marks()
    assert marks.latest(0, 100) is None
    marks.begin(10)
    marks.begin(12)
    assert marks.latest(0, 9) is None
    assert marks.latest(11, 11) == Window(10)
    marks.end(20)
    marks.end(25)
    marks.begin(30)
    assert marks.windows == (Window(10, 20), Window(30))
    assert marks.latest(15, 29) == Window(10, 20)
    assert marks.latest(21, 29) is None


def test_a_fault_of_which_only_the_end_is_marked_was_in_force_before() -> None:
    marks = Marks()
    marks.end(20)
    assert marks.latest(1, 2) == Window(float("-inf"), 20)


def test_marks_say_which_faults_were_over_before_another_began() -> None:
    marks = Marks([Window(10, 20), Window(30, 40), Window(35, 50), Window(60), Window(100, 110)])
    assert list(marks.followed(0, 90)) == [(Window(10, 20), 30), (Window(35, 50), 60)]
    assert list(marks.followed(21, 90)) == [(Window(35, 50), 60)]
    assert list(marks.followed(0, 55)) == [(Window(10, 20), 30)]


def test_marks_are_bounded() -> None:
    marks = Marks()
    for moment in range(1000):
        marks.begin(moment)
        marks.end(moment + 0.5)
    assert len(marks.windows) == 100
    assert marks.windows[-1] == Window(999, 999.5)


def test_a_request_without_an_answer_is_the_services_only_if_another_was_answered_meanwhile() -> (
    None
):
    silent = no_answer(Completion.NO_ANSWER, started=100, elapsed=seconds(3))
    witnesses = Witnesses()
    witnesses.hear(
        [answer(started=99.0), answer(started=102.999), no_answer(Completion.DROPPED, started=101)]
    )
    assert not witnesses.proven(silent, seconds(1))
    witnesses.hear([answer(started=101)])
    assert witnesses.proven(silent, seconds(1))


def test_a_late_answer_is_no_witness_of_itself() -> None:
    late = answer(started=100, elapsed=seconds(3))
    witnesses = Witnesses()
    witnesses.hear([late])
    assert not witnesses.proven(late, seconds(1))
    assert witnesses.proven(answer(elapsed=ms(5)), seconds(1))


def test_witnesses_are_forgotten() -> None:
    witnesses = Witnesses()
    witnesses.hear([answer(started=101)])
    witnesses.hear([answer(started=1000)])
    silent = no_answer(Completion.NO_ANSWER, started=100, elapsed=seconds(3))
    assert not witnesses.proven(silent, seconds(1))

"""Which worker makes which trial, and what becomes of the trial in which one dies."""

from types import SimpleNamespace
from typing import Any

import pytest

from brownout.plugin.scheduling import TrialScheduling

TESTS = [
    "a.py::test_x[outage]",
    "b.py::test_y[outage]",
    "a.py::test_x[reset]",
    "a.py::test_x[cut]",
    "b.py::test_y[cut]",
    "a.py::test_x[restart]",
    "a.py::test_x[latency]",
]


class Worker:
    """Notes what it is sent."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.sent: list[str] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        """As `WorkerController`."""
        self.sent += [TESTS[index] for index in indices]

    def shutdown(self) -> None:
        """As `WorkerController`."""
        self.shutting_down = True


def _trial(nodeid: str) -> str:
    return nodeid.rpartition("[")[2].removesuffix("]")


class Run:
    """A run with two workers, which have begun."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        config: Any = SimpleNamespace(
            option=SimpleNamespace(loadscopereorder=True),
            getvalue=lambda _: ["popen", "popen"],
            hook=SimpleNamespace(pytest_runtest_logreport=self._report),
        )
        self.scheduling = TrialScheduling(config, None)
        self.workers = [self.add("gw0"), self.add("gw1")]
        self.scheduling.schedule()

    def _report(self, report: pytest.TestReport) -> None:
        assert report.failed
        self.lost.append(report.nodeid)

    def add(self, name: str) -> Worker:
        """Add a worker that has collected."""
        worker = Worker(name)
        self.scheduling.add_node(worker)
        self.scheduling.add_node_collection(worker, TESTS)
        if self.scheduling.collection is not None:
            self.scheduling.schedule()
        return worker

    def end(self, worker: Worker, nodeid: str) -> None:
        """Let a test of the worker end."""
        self.scheduling.mark_test_complete(worker, TESTS.index(nodeid))

    def end_all(self, *workers: Worker) -> None:
        """Let each test end that the workers are sent, in turns."""
        for turn in range(len(TESTS)):
            for worker in workers:
                for nodeid in worker.sent[turn : turn + 1]:
                    if not self.scheduling.assigned_work[worker][_trial(nodeid)][nodeid]:
                        self.end(worker, nodeid)


def test_each_worker_has_one_trial_and_knows_of_one_more() -> None:
    one, another = Run().workers
    assert one.sent == TESTS[:2]
    assert another.sent == [TESTS[2], *TESTS[3:5]]


def test_a_trial_in_which_a_worker_died_is_made_again_with_what_was_not_judged() -> None:
    run = Run()
    one, another = run.workers
    run.end(one, TESTS[0])
    assert one.sent == [*TESTS[:2], TESTS[5]]
    assert run.scheduling.remove_node(one) is None
    new = run.add("gw2")
    assert new.sent[:1] == TESTS[1:2], "what was judged is not asked again"
    run.end_all(another, new)
    assert sorted([*new.sent, *another.sent]) == sorted(TESTS[1:])
    assert run.lost == []
    assert run.scheduling.tests_finished


def test_a_trial_in_which_two_died_is_given_up_and_the_rest_goes_on() -> None:
    run = Run()
    one, another = run.workers
    assert run.scheduling.remove_node(one) is None
    second = run.add("gw2")
    assert second.sent[:2] == TESTS[:2]
    assert run.scheduling.remove_node(second) == TESTS[0]
    assert run.lost == [TESTS[1]]
    third = run.add("gw3")
    run.end_all(another, third)
    assert sorted([*another.sent, *third.sent]) == sorted(TESTS[2:])
    assert run.scheduling.tests_finished


def test_a_worker_that_dies_with_nothing_left_leaves_nothing() -> None:
    run = Run()
    one, another = run.workers
    run.end_all(one, another)
    assert sorted([*one.sent, *another.sent]) == sorted(TESTS)
    assert run.scheduling.remove_node(one) is None
    assert run.scheduling.tests_finished
    assert run.lost == []

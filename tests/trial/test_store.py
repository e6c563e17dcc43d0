"""Each trial is run once, whatever it ends with, and one that compares times runs alone."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from brownout import BrownoutError, FaultNotFelt, NotAssessable, ServiceNotReady
from brownout.faults import BlackHole, Outage
from brownout.trial import Recorder, Recording, Recordings, Trial
from tests.core.fakes import FakeReferee
from tests.core.made import recording

OUTAGE = Trial("outage", Outage())
ROOT = Path(__file__).parents[2]


class FakeRecorder:
    """Records whatever it is asked to, or fails."""

    def __init__(self, *errors: Exception) -> None:
        self.trials: list[Trial] = []
        self._errors = list(errors)

    async def record(self, trial: Trial) -> Recording:
        """As `Recorder.record`."""
        self.trials.append(trial)
        if self._errors:
            raise self._errors.pop(0)
        return recording(trial)


def recordings(recorder: FakeRecorder, tmp_path: Path, folder: Path | None = None) -> Recordings:
    return Recordings(
        cast("Recorder", recorder),
        FakeReferee().as_referee,
        folder=folder,
        lock=tmp_path / "brownout.lock",
    )


# -- once ----------------------------------------------------------------------------------------


def test_the_same_trial_is_run_once(tmp_path: Path) -> None:
    recorder = FakeRecorder()
    store = recordings(recorder, tmp_path)
    first = store.of(OUTAGE)
    assert first.trial == OUTAGE
    assert store.of(Trial("outage", Outage())) is first
    assert recorder.trials == [OUTAGE]


def test_a_trial_that_differs_in_anything_is_another_one(tmp_path: Path) -> None:
    recorder = FakeRecorder()
    store = recordings(recorder, tmp_path)
    others = [Trial("outage", BlackHole()), Trial("outage", Outage(), waves=3)]
    assert len({id(store.of(trial)) for trial in (OUTAGE, *others)}) == 3
    assert recorder.trials == [OUTAGE, *others]


def test_a_trial_whose_operations_are_a_list_is_run_once(tmp_path: Path) -> None:
    recorder = FakeRecorder()
    store = recordings(recorder, tmp_path)
    assert store.of(Trial("x", ask=["list"])) is store.of(Trial("x", ask=["list"]))


@pytest.mark.parametrize("kind", [BrownoutError, FaultNotFelt, NotAssessable, ServiceNotReady])
def test_an_error_is_remembered_and_raised_each_time(
    kind: type[BrownoutError], tmp_path: Path
) -> None:
    recorder = FakeRecorder(kind("no way"))
    store = recordings(recorder, tmp_path)
    raised = []
    for _ in range(3):
        with pytest.raises(kind, match="no way") as error:
            store.of(OUTAGE)
        raised.append(error.value)
    assert raised[0] is raised[1] is raised[2]
    assert recorder.trials == [OUTAGE]
    trace, depth = raised[2].__traceback__, 0
    while trace is not None:
        trace, depth = trace.tb_next, depth + 1
    assert depth <= 3, "the trace of each time, not of all times together"


def test_an_error_of_one_trial_is_not_another_s(tmp_path: Path) -> None:
    store = recordings(FakeRecorder(BrownoutError("no way")), tmp_path)
    with pytest.raises(BrownoutError):
        store.of(OUTAGE)
    assert store.of(Trial("black_hole", BlackHole())).trial.id == "black_hole"


def test_a_trial_that_a_defect_of_ours_ended_is_not_run_again_for_each_judgement(
    tmp_path: Path,
) -> None:
    """A search may have run for an hour. The first to ask is told where the error comes from."""
    recorder = FakeRecorder(KeyError("a bug"))
    store = recordings(recorder, tmp_path)
    depths = []
    for _ in range(3):
        with pytest.raises(KeyError, match="a bug") as error:
            store.of(OUTAGE)
        depths.append(len(error.traceback))
    assert recorder.trials == [OUTAGE]
    assert depths[0] > depths[1] == depths[2]


# -- on disk -------------------------------------------------------------------------------------


def test_recordings_are_written_where_there_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "report" / "recordings"
    store = recordings(FakeRecorder(), tmp_path, folder)
    store.of(OUTAGE)
    [path] = folder.iterdir()
    assert path.name == "outage.json"
    assert json.loads(path.read_text())["trial"]["id"] == "outage"


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    recordings(FakeRecorder(), tmp_path).of(OUTAGE)
    assert [path.name for path in tmp_path.iterdir()] == ["brownout.lock"]


def test_a_recording_that_cannot_be_written_is_an_error_of_its_trial(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = FakeRecorder()
    store = recordings(recorder, tmp_path, tmp_path / "file")
    for _ in range(2):
        with pytest.raises(BrownoutError, match="recording of outage cannot be written"):
            store.of(OUTAGE)
    assert recorder.trials == [OUTAGE]


# -- alone ---------------------------------------------------------------------------------------

WORKER = """
import sys
from pathlib import Path
from tests.core.made import recording
from brownout.trial import Recordings, Trial
from tests.core.fakes import FakeReferee

class Recorder:
    async def record(self, trial):
        print("recording", flush=True)
        sys.stdin.readline()
        return recording(trial)

print("up", flush=True)
trial = Trial("x", alone=sys.argv[2] == "alone")
Recordings(Recorder(), FakeReferee(), folder=None, lock=Path(sys.argv[1])).of(trial)
print("over", flush=True)
"""

PATIENCE = 60.0  # seconds: a busy machine may take a quarter of it to start a process
SILENT = 0.3  # seconds in which a worker that need not wait would have begun long ago


class Worker:
    """Another process of the run, with one trial that lasts until it is told to end."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._words: queue.Queue[str] = queue.Queue()
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()
        assert self.says("up")

    def _listen(self) -> None:
        with cast("IO[str]", self._process.stdout) as output:
            for line in output:
                self._words.put(line.strip())

    def says(self, word: str, within: float = PATIENCE) -> bool:
        """Whether this is its next word, in time."""
        try:
            return self._words.get(timeout=within) == word
        except queue.Empty:
            return False

    def end(self) -> None:
        """Let its trial end."""
        entry = cast("IO[str]", self._process.stdin)
        entry.write("\n")
        entry.flush()
        assert self.says("over")

    def kill(self) -> None:
        """It dies in the middle of its trial."""
        self._process.kill()
        self._process.wait()
        self._listening.join()
        cast("IO[str]", self._process.stdin).close()


Starting = Callable[[str], Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starting]:
    started: list[Worker] = []

    def one(kind: str) -> Worker:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path / "brownout.lock"), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )
        started.append(Worker(process))
        return started[-1]

    yield one
    for worker in started:
        worker.kill()


def test_ordinary_trials_of_several_processes_run_side_by_side(start: Starting) -> None:
    one, another = start("beside"), start("beside")
    assert one.says("recording")
    assert another.says("recording")
    one.end()
    another.end()


@pytest.mark.parametrize(
    ("first", "second"), [("alone", "beside"), ("beside", "alone"), ("alone", "alone")]
)
def test_a_trial_that_runs_alone_waits_for_the_others_and_they_for_it(
    first: str, second: str, start: Starting
) -> None:
    one = start(first)
    assert one.says("recording")
    another = start(second)
    assert not another.says("recording", within=SILENT)
    one.end()
    assert another.says("recording")
    another.end()


def test_one_that_dies_alone_keeps_nobody_waiting(start: Starting) -> None:
    one = start("alone")
    assert one.says("recording")
    another = start("alone")
    one.kill()
    assert another.says("recording")
    another.end()

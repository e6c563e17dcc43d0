"""`brownout watch` judges a service that runs, while a test breaks its database."""

import json
import re
import signal
import time
from pathlib import Path

import pytest

from brownout.backends.model import Backend
from brownout.cli import main
from brownout.reaper import Reaper
from brownout.settings.options import OPTIONS
from tests.backends.waiting import until
from tests.core.certified import Authority
from tests.remote.conftest import engine_elsewhere
from tests.remote.staging import DECLARED, staging
from tests.watch.commanded import PAIRED, Watch, outage, watching

__all__ = ["engine_elsewhere"]

pytestmark = pytest.mark.timeout(240)

ALWAYS = {"E1", "E2", "E3", "E4", "E5", "E6", "H1", "H8", "T1", "Z1", "Z2"}
"""What is seen of a service in any time in which its requests fail."""


def test_a_service_that_survives_is_kept_and_its_report_is_whole(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    with (
        staging(server, reaper, tmp_path, engine_elsewhere) as place,
        watching(tmp_path, place) as watch,
    ):
        watch.send(signal.SIGUSR1)
        with outage(place, watch):
            # For as long as readiness may take to fail: three periods of a second.
            time.sleep(4)
            watch.send(signal.SIGUSR2)
        watch.until("all is well again")
        watch.send(signal.SIGINT)
        code, said = watch.end()
        assert place.is_whole()
        assert place.process.is_running()
    assert code == 0, said
    assert watch.having("kept") == ALWAYS | {"H3", "H4", "H9", "V2"}, said
    assert not watch.having("broken") | watch.having("unknown")
    assert len(watch.verdicts()) == 89
    assert "requests failed once" in said
    assert "not assessed: O1 O2 O3 O4: the service's log is not Brownout's to read" in said
    recordings = {path.stem for path in (watch.report / "recordings").iterdir()}
    assert recordings == {"watch", "watch_1"}
    (marked,) = json.loads((watch.report / "recordings" / "watch_1.json").read_text())["injected"]
    assert marked["fault"] == "a fault that was marked"
    for name in ("index.html", "junit.xml", "summary.md"):
        assert (watch.report / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("app", "broken"),
    [
        ("tests.watch.broken:html_refusals", {"E1", "E4"}),
        ("tests.controls.broken.health:swapped_probes_bundle", {"H1", "H3"}),
    ],
    ids=["html", "liveness"],
)
def test_what_a_single_answer_shows_is_broken(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, app: str,
    broken: set[str],
) -> None:  # fmt: skip
    with (
        staging(server, reaper, tmp_path, engine_elsewhere, app=app) as place,
        watching(tmp_path, place) as watch,
    ):
        with outage(place, watch):
            time.sleep(4)  # as above
        watch.until("all is well again")
        watch.send(signal.SIGTERM)
        code, said = watch.end()
    assert code == 1, said
    assert watch.having("broken") == broken, said
    assert re.search(r"seen: \d+ times, ", said)


def test_a_service_of_ones_own_authority_is_watched_once_that_is_named(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    authority = Authority.in_folder(tmp_path / "certificates")
    stranger = Authority.in_folder(tmp_path / "stranger")
    app = "tests.watch.broken:html_refusals"
    with staging(server, reaper, tmp_path, engine_elsewhere, app=app, authority=authority) as place:
        named = [f"--remote-service={place.url}", DECLARED, "--for=1"]
        with Watch(tmp_path, *named, f"--remote-ca={stranger.certificate}") as refused:
            code, said = refused.end()
        assert code == 2, said
        assert "The certificate of the service is not accepted" in " ".join(said.split())
        with watching(tmp_path, place, f"--remote-ca={authority.certificate}") as watch:
            with outage(place, watch):
                pass
            watch.until("all is well again")
            watch.send(signal.SIGINT)
            code, said = watch.end()
    assert code == 1, said
    assert watch.having("broken") == {"E1", "E4"}, said


def test_a_service_that_never_comes_back_is_broken_where_the_end_of_the_fault_is_known(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    app = "tests.watch.broken:never_back"
    with (
        staging(server, reaper, tmp_path, engine_elsewhere, app=app) as place,
        watching(tmp_path, place, "--for=12") as watch,
    ):
        watch.send(signal.SIGUSR1)
        with outage(place, watch):
            pass
        watch.send(signal.SIGUSR2)
        code, said = watch.end()
    assert code == 1, said
    assert watch.having("broken") == {"V2"}, said


def test_without_that_end_it_is_unknown(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    app = "tests.watch.broken:never_back"
    with (
        staging(server, reaper, tmp_path, engine_elsewhere, app=app) as place,
        watching(tmp_path, place) as watch,
    ):
        with outage(place, watch):
            pass
        watch.send(signal.SIGINT)
        code, said = watch.end()
    assert code == 2, said
    assert "V2" in watch.having("unknown")
    assert not watch.having("broken"), said
    assert "nothing shows whether the fault was over" in " ".join(said.split())


def test_where_nothing_fails_nothing_is_assessed(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    with (
        staging(server, reaper, tmp_path, engine_elsewhere) as place,
        watching(tmp_path, place, "--for=2") as watch,
    ):
        code, said = watch.end()
    assert code == 2, said
    assert watch.having("not assessed") == set(watch.verdicts())
    assert "Nothing failed while it was watched." in said
    assert "no writes, which --brownout-allow-writes would add" in " ".join(said.split())


@pytest.mark.parametrize(
    ("app", "verdict"),
    [("tests.watch.broken:by_customer", "kept"), ("tests.watch.broken:forgetful", "broken")],
    ids=["kept", "lost"],
)
def test_writes_that_are_allowed_are_read_back(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, app: str, verdict: str
) -> None:
    with (
        staging(server, reaper, tmp_path, engine_elsewhere, app=app) as place,
        watching(tmp_path, place, "--allow-writes", declared=PAIRED) as watch,
    ):
        with outage(place, watch):
            pass
        watch.until("all is well again")
        watch.send(signal.SIGINT)
        _, said = watch.end()
    assert watch.verdicts()["C1"] == verdict, said
    assert watch.verdicts()["C2"] == verdict
    assert watch.verdicts()["C3"] == ("kept" if verdict == "kept" else "unknown")


def test_a_second_signal_ends_it_without_a_verdict(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    app = "tests.watch.broken:by_customer"
    with (
        staging(server, reaper, tmp_path, engine_elsewhere, app=app) as place,
        watching(tmp_path, place, "--allow-writes", declared=PAIRED) as watch,
    ):
        place.process.suspend()  # so that what it reads back at the end is not answered
        try:
            watch.send(signal.SIGINT)
            watch.until("judging what was seen")
            watch.send(signal.SIGINT)
            code, said = watch.end()
        finally:
            place.process.resume()
    assert code == 2, said
    assert "interrupted before it had judged" in said
    assert watch.document()["behaviours"] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda one: one.name)
def test_what_it_has_seen_is_left_however_it_ends(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, number: signal.Signals
) -> None:
    """A breach while requests still fail, and then all of that time."""
    app = "tests.watch.broken:by_customer_in_html"
    with (
        staging(server, reaper, tmp_path, engine_elsewhere, app=app) as place,
        watching(tmp_path, place, "--allow-writes", declared=PAIRED) as watch,
    ):
        with outage(place, watch):
            document = watch.report / "brownout.json"
            assert until(lambda: document.exists() and "E1" in watch.having("broken"))
        watch.until("all is well again")
        assert until(lambda: watch.verdicts()["V2"] != "not assessed")
        place.process.suspend()
        try:
            if number is signal.SIGINT:
                watch.send(number)
                watch.until("judging what was seen")
            watch.send(number)
            code, said = watch.end()
        finally:
            place.process.resume()
    left = watch.document()
    assert watch.having("broken") == {"E1", "E4"}
    assert len(watch.verdicts()) == 89
    assert left["exit_code"] == 1
    assert (watch.report / "recordings" / "watch_1.json").exists()
    if number is signal.SIGINT:
        assert code == 1, said
        assert "interrupted before it had judged" in left["error"]
        assert (watch.report / "index.html").stat().st_size > 0
    else:
        assert left["error"] == "The watch has not ended: this is what it had seen."


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No option is set, and the folder declares nothing."""
    monkeypatch.chdir(tmp_path)
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--remote-service=http://127.0.0.1:9"], "No service is declared in"),
        ([DECLARED], "needs --brownout-remote-service."),
        (
            [DECLARED, "--remote-service=http://staging:8080"],
            "leads to the host staging, which is not allowed",
        ),
        (
            [DECLARED, "--remote-service=http://127.0.0.1:9", "--start-timeout=0.2"],
            "was not ready within 0.2 s",
        ),
    ],
    ids=["undeclared", "no service", "host", "not there"],
)
def test_it_refuses_before_it_asks(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", "--until-signal", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    document = json.loads(Path("brownout-report/brownout.json").read_text("utf-8"))
    assert document["exit_code"] == 2


@pytest.mark.usefixtures("elsewhere")
def test_a_declaration_without_anything_to_ask_for_is_refused(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with staging(server, reaper, tmp_path, engine_elsewhere) as place:
        words = [f"--remote-service={place.url}", "--service=tests.remote.declared:nothing"]
        assert main(["watch", "--until-signal", *words]) == 2
    assert "there is nothing to watch" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--for=0"],
        ["--for=soon"],
        ["--for=1", "--until-signal"],
        ["--until-signal", "--fault-until=2026-05-01T14:30:00"],
        ["--until-signal", "--fault-from=+x"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", *words])
    assert ended.value.code == 2

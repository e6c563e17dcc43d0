"""`brownout doctor` and `brownout check` look at a service that already runs, and break nothing."""

import re
from pathlib import Path

import pytest

from brownout.backends.model import Backend
from brownout.cli import main
from brownout.control import EngineClient
from brownout.reaper import Reaper
from brownout.settings.options import OPTIONS
from tests.engine.foreground import free_port
from tests.remote.staging import PROXY, staging

pytestmark = pytest.mark.timeout(120)

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No option is set, and the folder declares nothing."""
    monkeypatch.chdir(tmp_path)
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


def test_check_asks_for_what_it_may(
    server: Backend, reaper: Reaper, tmp_path: Path, api: str, capsys: Said
) -> None:
    with staging(server, reaper, tmp_path, api) as place:
        code = main(["check", *place.words("--allow-unleased")])
        assert place.is_whole()
    page = capsys.readouterr().out
    assert code == 0, page
    flat = " ".join(page.split())
    assert f"brownout check: {place.url}, declared by" in flat
    assert f"backend remote, through http://{api}/{PROXY}; proxy and service found in" in flat
    assert re.search(r"read +list-orders +200 +\d+ ms +\d+ ms +-\n", page)
    assert "place-order" not in page
    assert "The trial overload is not made here: it compares times closely" in flat
    assert re.search(r"a gate makes \d+ trials and takes up to about", page)
    assert "a missing extension" not in page


def test_check_finds_that_the_service_goes_around_the_proxy(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, capsys: Said
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere, around=True) as place:
        assert main(["check", *place.words()]) == 2
    flat = " ".join(capsys.readouterr().out.split())
    assert "No connection goes through the proxy, so no fault would reach the service." in flat


def test_doctor_looks_at_service_and_proxy_and_starts_no_postgresql(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, capsys: Said
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere) as place:
        words = [word for word in place.words() if not word.startswith("--service")]
        assert main(["doctor", *words]) == 0
        page = capsys.readouterr().out
        assert re.search(rf"^ok +service +{re.escape(place.url)}", page, re.MULTILINE)
        assert re.search(r"^ok +proxy +http", page, re.MULTILINE)
        assert not re.search(r"^\w+ +PostgreSQL", page, re.MULTILINE)
        EngineClient(engine_elsewhere).add_toxic(PROXY, "latency", {"latency": 1}, name="slow")
        assert main(["doctor", *words]) == 2
    flat = " ".join(capsys.readouterr().out.split())
    assert "is broken before this run has broken anything." in flat


def test_doctor_says_what_does_not_answer(capsys: Said) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    words = [f"--remote-service={nowhere}", f"--remote-proxy={nowhere}/{PROXY}"]
    assert main(["doctor", "--backend=remote", *words]) == 2
    page = capsys.readouterr().out
    assert re.search(r"^BAD +service ", page, re.MULTILINE)
    assert re.search(r"^BAD +proxy ", page, re.MULTILINE)


def test_doctor_says_what_a_toxiproxy_lacks(
    server: Backend, reaper: Reaper, tmp_path: Path, toxiproxy_elsewhere: str, capsys: Said
) -> None:
    with staging(server, reaper, tmp_path, toxiproxy_elsewhere) as place:
        words = [word for word in place.words() if not word.startswith("--service")]
        assert main(["doctor", *words]) == 2
        assert "has no leases" in " ".join(capsys.readouterr().out.split())
        assert main(["doctor", *words, "--allow-unleased"]) == 0
    page = capsys.readouterr().out
    assert re.search(r"^note +proxy ", page, re.MULTILINE)
    assert "faults of the wire protocol cannot be made there" in " ".join(page.split())

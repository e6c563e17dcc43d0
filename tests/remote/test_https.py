"""A service that speaks HTTPS is judged like any other, once its certificate is accepted."""

import json
import re
from pathlib import Path

import pytest

from brownout.backends.model import Backend
from brownout.cli import main
from brownout.reaper import Reaper
from tests.controls.kiosk.declaration import declared_kiosk
from tests.controls.kiosk.settings import DEADLINE, POOL, RECOVERY
from tests.core.certified import Authority
from tests.frame.gates import Gate
from tests.remote.staging import by_https, staging
from tests.remote.test_gate import judged, with_verdict

pytestmark = pytest.mark.timeout(240)

SUITES = "--only=steady,outage,black_hole,mistakes"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.in_folder(tmp_path / "certificates")


def test_a_sound_service_is_kept(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, authority: Authority
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere, authority=authority) as place:
        ca = f"--remote-ca={authority.certificate}"
        gate, code, said = judged(tmp_path, place, ca, "--allow-writes", SUITES)
    assert code == 0, said
    assert f"judging https://127.0.0.1:{place.url.rpartition(':')[2]}" in said
    assert with_verdict(gate, "kept") >= {"E1", "E5", "E9", "H1", "H3", "T2", "T6", "V1"}
    assert not with_verdict(gate, "unknown")


def test_a_defect_is_found(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, authority: Authority
) -> None:
    """It answers 200 with an empty list when its database does not."""
    app = "tests.controls.broken.answers:empty_instead"
    with staging(server, reaper, tmp_path, engine_elsewhere, app=app, authority=authority) as place:
        ca = f"--remote-ca={authority.certificate}"
        gate, code, said = judged(tmp_path, place, ca, "--only=steady,outage")
    assert code == 1, said
    assert with_verdict(gate, "broken") == {"E9"}


def test_a_certificate_that_is_not_accepted_ends_the_run_with_what_to_do(
    server: Backend,
    reaper: Reaper,
    tmp_path: Path,
    engine_elsewhere: str,
    authority: Authority,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with staging(server, reaper, tmp_path, engine_elsewhere, authority=authority) as place:
        gate, code, said = judged(tmp_path, place, "--only=steady")
        words = [word for word in place.words() if not word.startswith("--service")]
        assert main(["doctor", *words]) == 2
        row = " ".join(capsys.readouterr().out.split())
        assert main(["doctor", *words, f"--remote-ca={authority.certificate}"]) == 0
        page = capsys.readouterr().out
    assert code == 2, said
    assert not with_verdict(gate, "broken")
    for text in (" ".join(said.split()), row):
        assert "The certificate of the service is not accepted: unable to get local issuer" in text
        assert "by --brownout-remote-ca." in text
    assert re.search(rf"^ok +service +{re.escape(place.url)} answers", page, re.MULTILINE)


DECLARED = """
command = {command}
env = {{ DATABASE_URL = "{{dsn}}" }}
seed = {seed}
tls_ca = "certificates/ca.pem"
health = {{ live = "/health/live", ready = "/health/ready" }}
budget = {{ request = {deadline}, recovery = {recovery}, pool = {pool} }}

[[operations]]
kind = "read"
name = "list-orders"
method = "GET"
path = "/orders"
"""


@pytest.mark.parametrize(
    ("app", "broken"),
    [("kiosk.app:kiosk", set()), ("broken.answers:empty_instead", {"E9"})],
    ids=["sound", "empty_instead"],
)
def test_a_service_that_brownout_starts_may_speak_https(
    app: str, broken: set[str], tmp_path: Path, authority: Authority
) -> None:
    kiosk = by_https(declared_kiosk(f"tests.controls.{app}"), authority)
    text = DECLARED.format(
        command=json.dumps(kiosk.command),
        seed=json.dumps(kiosk.seed),
        deadline=DEADLINE,
        recovery=RECOVERY,
        pool=POOL,
    )
    (tmp_path / "brownout.toml").write_text(text, encoding="utf-8")
    with Gate(tmp_path, "--replicas=1", "--only=steady,outage") as gate:
        code, said = gate.end()
        assert gate.left() == []
    assert code == (1 if broken else 0), said
    assert with_verdict(gate, "broken") == broken
    assert with_verdict(gate, "kept") >= {"H1", "T6", "V1"}

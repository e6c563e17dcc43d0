"""A service behind a login is judged like any other, and its tokens are shown nowhere."""

from pathlib import Path

import pytest

from tests.frame.gates import Gate

PASSWORD = "let-me-in"  # noqa: S105 - it opens a kiosk
ONLY = "E2/outage,E5/outage,V1/outage,T1/latency,C1,S1/redeployed_in_an_outage,S2,E4/mistakes"


def judged(folder: Path, service: str, only: str) -> tuple[int, dict[str, str], str, list[str]]:
    """The exit code, the verdicts, the output and the findings of a gate."""
    words = ["--replicas=1", f"--service=tests.trial.members:{service}", f"--only={only}"]
    with Gate(folder, *words) as gate:
        code, said = gate.end()
        document = gate.document()
    verdicts = {one["id"]: one["verdict"] for one in document["behaviours"]}
    return code, verdicts, said, [finding["text"] for finding in document["findings"]]


def written(folder: Path) -> dict[str, str]:
    """Everything in the report's folder, by file."""
    files = [path for path in (folder / "report").rglob("*") if path.is_file()]
    return {str(path): path.read_text("utf-8", "replace") for path in files}


@pytest.mark.timeout(180)
def test_a_sound_service_keeps_its_promises_behind_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSK_PASSWORD", PASSWORD)
    code, verdicts, said, _ = judged(tmp_path, "members", ONLY)
    assert set(verdicts.values()) == {"kept"}, said
    assert code == 0
    texts = written(tmp_path)
    assert any("a member came with ********" in text for text in texts.values())
    for path, text in texts.items():
        assert PASSWORD not in text, path
        for line in text.splitlines():
            assert "a member came with " not in line or "with ****" in line, path
    recording = texts[str(tmp_path / "report" / "recordings" / "outage.json")]
    assert '"Authorization: Bearer $TOKEN"' in recording.replace("\\", "")


@pytest.mark.timeout(180)
def test_a_service_that_logs_its_callers_out_has_not_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSK_PASSWORD", PASSWORD)
    code, verdicts, said, _ = judged(tmp_path, "forgetful", "V1/outage")
    assert verdicts == {"V1": "broken"}, said
    assert "status 401" in said
    assert code == 1


@pytest.mark.timeout(180)
def test_a_token_that_expired_says_nothing_against_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSK_PASSWORD", PASSWORD)
    code, verdicts, said, (finding,) = judged(tmp_path, "short_lived", "V1/long_outage")
    assert verdicts == {"V1": "unknown"}, said
    assert "The login's token expired during the trial" in finding
    assert code == 2


@pytest.mark.timeout(120)
def test_a_login_that_fails_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_PASSWORD", "mistyped-word")
    code, verdicts, _, (finding,) = judged(tmp_path, "members", ONLY)
    assert set(verdicts.values()) == {"unknown"}
    assert code == 2
    assert finding.startswith("The login failed, with status 401: {")
    assert "POST /login" in finding
    assert "Correct `login` in the declaration" in finding
    assert "mistyped-word" not in "".join(written(tmp_path).values())


@pytest.mark.timeout(60)
def test_without_the_password_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIOSK_PASSWORD", raising=False)
    code, verdicts, said, _ = judged(tmp_path, "members", ONLY)
    assert (code, verdicts) == (2, {})
    told = "The login needs the environment variable KIOSK_PASSWORD, which is not set."
    assert said.count(told) == 1
    assert "judging" not in said

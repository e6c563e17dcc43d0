"""Whatever a service says of its secrets, no output of a run holds one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frame.gates import Gate
from tests.secrets.blabbing import ARGUMENT, LITERAL
from tests.secrets.forms import FORMS, core_of, text_in

ROOT = Path(__file__).parents[2]
PASSWORD = "pä?s/w+>rd \"\\1<&'x"  # noqa: S105 - it opens nothing
API_KEY = "sk_1/2+3=4&5 ~~6?7"
ONLY = (
    "E1/outage,E2/outage,E3/outage,E4/outage,Z1/outage,Z2,H1/outage,H3/outage,V1/outage,"
    "revoked_permission,S6/terminated_backends,failing_once,V1/long_outage"
)
PLACES = {
    "log", "log at login", "log of an error", "log at the process's end", "SQL",
    "an error of the server", "application_name", "an error's body", "an error's header",
    "a 2xx's body", "a 2xx's header", "a health route's body", "a health route's header",
}  # fmt: skip


def written(folder: Path) -> dict[str, str]:
    """Everything in a folder, by file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text("utf-8", "replace") for path in files}


def brownout(*words: str, folder: Path) -> str:
    """What a command of Brownout prints."""
    done = subprocess.run(
        [sys.executable, "-m", "brownout.cli", *words],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("service", "only"),
    [("by_token", ONLY), ("by_cookie", "E1/outage,Z1/outage,V1/outage"),
     ("by_basic", "E1/outage,Z1/outage,V1/outage")],
)  # fmt: skip
def test_no_secret_is_in_any_output(
    service: str, only: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv("BLABBING_NOTES", str(notes))
    monkeypatch.setenv("BLABBING_PASSWORD", PASSWORD)
    monkeypatch.setenv("BLABBING_API_KEY", API_KEY)
    declared = f"--service=tests.secrets.blabbing:{service}"
    with Gate(tmp_path, declared, "--replicas=1", f"--only={only}", "-rA", "-l") as gate:
        code, said = gate.end()
    report = tmp_path / "report"
    assert code == 1, said
    outputs = {"the terminal": said}
    outputs |= written(report)
    outputs["brownout report"] = brownout("report", str(report), folder=tmp_path)
    outputs["check"] = brownout("check", declared, folder=ROOT)
    outputs |= {f"again: {path}": text for path, text in written(report).items()}
    merged = tmp_path / "merged"
    brownout("report", "--to", str(merged), str(report), folder=tmp_path)
    outputs |= {f"merged: {path}": text for path, text in written(merged).items()}
    for name in ("junit.xml", "index.html", "summary.md", "brownout.json", "service.log"):
        assert name in outputs

    planted = [json.loads(line) for line in notes.read_text("utf-8").splitlines()]
    leaked = [
        (output, one["place"], one["what"], one["form"])
        for output, text in outputs.items()
        for one in planted
        if text_in(text, core_of(one["form"], one["text"], one["secret"]))
    ]
    places = {one["place"] for one in planted}
    kinds = {(one["what"], one["form"]) for one in planted}
    for one in leaked: print(one)
    (tmp_path/"said").write_text(said)
    print(tmp_path)
    print(len(planted), "planted in", len(places), "places,", len(kinds), "kinds;", len(leaked))
    assert not leaked, leaked[:40]
    assert ARGUMENT not in "".join(outputs.values())
    assert LITERAL not in "".join(outputs.values())

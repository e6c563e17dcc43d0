"""Whatever a service says of its secrets, no output of a run holds one."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.frame.gates import Gate
from tests.secrets.blabbing import ARGUMENT, LITERAL
from tests.secrets.forms import FORMS, core_of, forms_of, text_in
from tests.telemetry.collector import collecting

ROOT = Path(__file__).parents[2]
PASSWORD = "pä?s/w+>rd \"\\1<&'x"  # noqa: S105 - it opens nothing
API_KEY = "sk_1/2+3=4&5 ~~6?7"
ONLY = (
    "E1/outage,E4/outage,Z1/outage,Z2/outage,H3/outage,V1/outage,"
    "E4/revoked_permission,S6/revoked_permission,failing_once"
)
LOGGED = {"log", "log at login", "log of an error", "log at the process's end"}
RECORDED = {
    "an error's body", "an error's header", "a 2xx's body", "a 2xx's header",
    "a health route's body", "a health route's header",
}  # fmt: skip
CARRIED = {
    "by_token": {"the login's token", "what Authorization carried"},
    "by_cookie": {"the login's token", "the cookie session"},
    "by_basic": {"what Authorization carried"},
}


@dataclass(frozen=True)
class Planted:
    """What the service has said where: whose secret, in which form, and the text."""

    place: str
    what: str
    form: str
    text: str
    secret: str

    @property
    def label(self) -> str:
        """What it said before it."""
        return f"@{self.place}: {self.what}, {self.form}@"

    def is_in(self, text: str) -> bool:
        """Whether an output gives it away."""
        return text_in(text, core_of(self.form, self.text, self.secret))


def written(folder: Path) -> dict[str, str]:
    """Everything in a folder, by file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text("utf-8", "replace") for path in files}


def brownout(*words: str, folder: Path) -> str:
    """What a command of Brownout prints."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())", *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("service", "only"),
    [("by_token", ONLY), ("by_cookie", "E1/outage,V1/outage"), ("by_basic", "E1/outage")],
)
def test_no_secret_is_in_any_output(
    service: str, only: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, report = tmp_path / "notes", tmp_path / "report"
    another, merged = tmp_path / "another", tmp_path / "merged"
    monkeypatch.setenv("BLABBING_NOTES", str(notes))
    monkeypatch.setenv("BLABBING_PASSWORD", PASSWORD)
    monkeypatch.setenv("BLABBING_API_KEY", API_KEY)
    declared = f"--service=tests.secrets.blabbing:{service}"
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        with Gate(tmp_path, declared, "--replicas=1", f"--only={only}", "-rA", "-l") as gate:
            code, said = gate.end()
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    assert code == 1, said
    outputs = {"the terminal": said, **written(report)}
    outputs["traces and metrics"] = collector.texts()
    assert "trial outage" in outputs["traces and metrics"]
    outputs["brownout report"] = brownout("report", str(report), folder=tmp_path)
    outputs |= {f"again: {path}": text for path, text in written(report).items()}
    shutil.copytree(report, another)
    outputs["brownout report merge"] = brownout(
        "report", "merge", "--to", str(merged), str(report), str(another), folder=tmp_path
    )
    outputs |= {f"merged: {path}": text for path, text in written(merged).items()}
    outputs["brownout check"] = brownout("check", declared, folder=tmp_path)
    assert " will be assessed" in outputs["brownout check"]
    assert outputs.keys() >= {
        *("junit.xml", "index.html", "summary.md", "brownout.json", "service.log"),
        *("recordings/outage.json", "merged: index.html", "again: index.html"),
    }

    planted = [Planted(**json.loads(line)) for line in notes.read_text("utf-8").splitlines()]
    leaked = [
        (output, one.place, one.what, one.form)
        for output, text in outputs.items()
        for one in planted
        if one.is_in(text)
    ]
    assert not leaked, leaked[:40]
    everything = "\n".join(outputs.values())
    assert ARGUMENT not in everything
    assert LITERAL not in everything
    # What was planted has come to where it was looked for.
    assert {one.what for one in planted} >= CARRIED[service]
    for place in LOGGED - {"log at the process's end", "log at login"}:
        said_there = {one.label for one in planted if one.place == place}
        assert said_there
        assert not [label for label in said_there if label not in outputs["service.log"]], place
    recorded = "".join(text for path, text in outputs.items() if path.startswith("recordings/"))
    if service == "by_token":
        assert {one.place for one in planted} >= LOGGED | RECORDED
        reached = [one for one in planted if one.label in everything]
        seen = {one.place for one in planted if one.label in recorded}
        assert seen >= RECORDED
        assert "SQL" not in seen, "statements are recorded without their comments"
        assert {one.form for one in reached} == set(FORMS)
        assert len(reached) > 2000


def test_what_is_looked_for_would_be_found() -> None:
    for name, text in forms_of(PASSWORD):
        one = Planted("log", "a password", name, text, PASSWORD)
        assert one.is_in(f"said {text} there"), name
        assert one.is_in(json.dumps({"text": text})), name
        assert not one.is_in("said ******** there"), name

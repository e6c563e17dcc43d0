"""The gate in a service's own environment: with FastAPI, Starlette and uvicorn as they are there.

`make oldest` runs this with those of 2022, `make test` with today's.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys, brownout.cli; sys.exit(brownout.cli.main())"
WORDS = ["gate", "--only=H0,H1/outage"]
DECLARATION = """
import sys
from brownout import Budget, Health, Operation, Service, seconds

service = Service(
    command=[sys.executable, "-m", "uvicorn", "service_of_2022:app", "--port", "{port}"],
    env={"DATABASE_URL": "{dsn}"},
    health=Health(live="/live", ready="/ready"),
    seed=["create table notes (text text)", "notes.sql"],
    operations=[Operation.read("notes", "GET", "/notes")],
    budget=Budget(request=seconds(3), recovery=seconds(5), pool=40),
)
"""


@pytest.mark.parametrize("replicas", [1, 2])
def test_gate_judges_it(tmp_path: Path, replicas: int) -> None:
    service = Path(__file__).with_name("service_of_2022.py")
    (tmp_path / service.name).write_text(service.read_text())
    (tmp_path / "notes.sql").write_text("insert into notes values ('50 % off');\nselect 1;\n")
    (tmp_path / "brownout_service.py").write_text(DECLARATION)
    gate = subprocess.run(
        [sys.executable, "-c", PROGRAM, *WORDS, f"--replicas={replicas}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert gate.returncode == 0, gate.stdout + gate.stderr
    document = json.loads((tmp_path / "brownout-report" / "brownout.json").read_text())
    verdicts = {found["id"]: found["verdict"] for found in document["behaviours"]}
    assert verdicts == {"H0": "kept", "H1": "kept"}

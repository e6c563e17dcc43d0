"""The page with the real thing behind it: a service, its database, and the engine between them."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from brownout.console.switches import SWITCHES
from brownout.faults import CommitNeverArrives, ServerError, Statement
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import Ask, Break
from brownout.trial.chaos.pasted import pasted
from tests.console.calling import Page, opened

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture(loop_scope="session")
async def page(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_steady: None
) -> AsyncIterator[Page]:
    """The page of the sample service, which is steady, and nothing was done yet."""
    assert brownout_steady is None
    async with opened(brownout_service, brownout_postgres) as found:
        yield found
    assert [one for one in brownout_postgres.injections if one.healed_at is None] == []


async def test_it_is_seen_how_the_service_is(page: Page) -> None:
    state = await page.until(
        lambda now: all(now["health"].values()) and now["sessions"] and now["log"]
    )
    assert set(state["health"]) == {"live", "ready", "startup"}
    assert {one[-1]["came"] for one in state["health"].values()} == {"200"}
    assert state["service"] == {"running": True, "restarting": False, "ended": ""}
    assert 0 < state["sessions"]["total"] <= state["sessions"]["most"]
    assert state["trouble"] == {}
    assert state["steps"] == 0


async def test_a_fault_changes_the_answers_and_heals(page: Page) -> None:
    assert (await page.asked("list-orders"))["came"] == "200"

    assert await page.call("break", fault="Outage", values={}) == {"code": "Outage()", "felt": 0}

    broken = await page.asked("list-orders")
    assert (broken["kind"], broken["came"]) == ("refused", "503")
    assert "content-type: application/problem+json" in broken["headers"]
    state = await page.until(lambda now: now["faults"]["Outage"]["felt"])
    assert state["faults"]["Outage"]["on"]

    healed = await page.call("heal", fault="Outage")
    assert healed["felt"] > 0
    await page.until(lambda now: now["health"]["ready"][-1]["came"] == "200")
    assert (await page.asked("list-orders"))["came"] == "200"
    assert not (await page.state())["faults"]["Outage"]["on"]


async def test_a_fault_of_the_protocol_is_seen_on_the_wire(page: Page) -> None:
    values = {"sqlstate": "53100", "on": r"insert into orders"}
    made = await page.call("break", fault="ServerError", values=values)
    assert made["code"] == 'ServerError("53100", Statement("insert into orders"))'
    answer = await page.asked("place-order")
    assert answer["kind"] != "ok"
    state = await page.until(lambda now: any(row["rule"] for row in now["wire"]["rows"]))
    (hit, *_) = (row for row in state["wire"]["rows"] if row["rule"])
    assert "insert into orders" in hit["text"].lower()
    assert (await page.call("heal", fault="ServerError"))["felt"] > 0


async def test_what_the_page_has_of_the_wire_is_not_sent_again(page: Page) -> None:
    await page.asked("list-orders")
    state = await page.until(lambda now: now["wire"]["rows"])
    steps = len(state["wire"]["rows"])
    for _ in range(100):
        last = (await page.state())["wire"]["last"]
        again = await page.state(f"?seen={last}")
        if again["wire"]["rows"] is None:
            break
    assert again["wire"]["rows"] is None
    every = await page.state("?messages=yes")
    assert len(every["wire"]["rows"]) > steps


async def test_a_momentary_fault_is_over_at_once(page: Page) -> None:
    await page.asked("list-orders", 3)
    made = await page.call("break", fault="TerminatedBackends", values={})
    assert made["felt"] > 0
    state = await page.state()
    assert not state["faults"]["TerminatedBackends"]["on"]
    await page.until(lambda now: now["health"]["ready"][-1]["came"] == "200")


async def test_a_switch_takes_new_values_while_it_is_on(page: Page) -> None:
    await page.call("break", fault="Latency", values={"delay": "20"})
    made = await page.call("break", fault="Latency", values={"delay": "200"})
    assert made["code"] == "Latency(ms(200))"
    answer = await page.asked("list-orders")
    assert answer["ms"] >= 200
    await page.call("heal-all")
    state = await page.state()
    assert not any(one["on"] for one in state["faults"].values())


async def test_the_load_asks_until_it_is_turned_off(page: Page) -> None:
    assert await page.call("load", rate=10, operations=["list-orders", "list-products"]) == {}
    state = await page.until(
        lambda now: min(now["operations"][n]["total"] for n in ("list-orders", "list-products")) > 2
    )
    assert state["operations"]["place-order"]["total"] == 0
    await page.call("load", rate=0, operations=[])
    await page.until(lambda now: not any(o["under_way"] for o in now["operations"].values()))
    total = (await page.state())["operations"]["list-orders"]["total"]
    assert (await page.asked("list-orders"))["came"] == "200"
    assert (await page.state())["operations"]["list-orders"]["total"] == total + 1


async def test_what_needs_a_frozen_server_waits_for_its_heal(page: Page) -> None:
    await page.call("break", fault="Freeze", values={})
    refused = await page.call("break", fault="LockedTables", values={})
    assert "LockedTables needs the server, which is frozen." in refused["error"]
    assert "Heal Freeze first." in refused["error"]
    assert "error" not in await page.call("break", fault="Latency", values={"delay": "1"})
    assert await page.call("heal-all") == {}
    await page.until(lambda now: now["health"]["ready"][-1]["came"] == "200")


async def test_a_heal_that_fails_is_said_and_is_tried_again(page: Page) -> None:
    await page.call("break", fault="LockedTables", values={})
    await page.call("break", fault="Restart", values={})  # ends the session that holds the lock
    failed = await page.call("heal", fault="LockedTables")
    assert "ended too early" in failed["error"]
    state = await page.state()
    assert state["faults"]["LockedTables"]["on"]
    assert "ended too early" in state["faults"]["LockedTables"]["trouble"]
    assert "error" not in await page.call("heal", fault="LockedTables")
    state = await page.until(lambda now: now["health"]["ready"][-1]["came"] == "200")
    assert not state["faults"]["LockedTables"]["on"]
    assert state["faults"]["LockedTables"]["trouble"] == ""


async def test_what_the_backend_cannot_make_has_a_reason_and_no_switch(
    page: Page, brownout_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(brownout_postgres.backend)
    monkeypatch.setattr(kind, "missing_faults", {"Freeze": "the server is not ours"})
    text = (await page.get("")).text
    form = text.partition('data-fault="Freeze"')[2].partition("</form>")[0]
    assert "This backend cannot make it: the server is not ours." in form
    assert "<button" not in form
    refused = await page.call("break", fault="Freeze", values={})
    assert "Freeze cannot be made here: the server is not ours." in refused["error"]


async def test_the_service_is_started_anew(page: Page, brownout_service: RunningService) -> None:
    before = brownout_service.pid
    assert await page.call("restart") == {}
    assert brownout_service.pid != before
    assert (await page.asked("list-orders"))["came"] == "200"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("break", {"fault": "Latancy", "values": {}}, "There is no fault 'Latancy'."),
        ("break", {"fault": "Latency", "values": {"delay": "x"}}, "it is not a number"),
        ("break", {"fault": "Latency"}, "values has to be an object"),
        ("break", {"values": {}}, "fault has to be a text"),
        ("heal", {"fault": "Fault"}, "There is no fault 'Fault'."),
        ("ask", {"operation": "no-such", "callers": 1}, "declares no operation 'no-such'"),
        ("ask", {"operation": "list-orders", "callers": 51}, "1 to 50 can be"),
        ("ask", {"operation": "list-orders", "callers": True}, "callers has to be a whole number"),
        ("load", {"rate": 3, "operations": ["list-orders"]}, "cannot be made"),
        ("load", {"rate": 2, "operations": []}, "no operation to ask for"),
        ("load", {"rate": 2, "operations": "list-orders"}, "has to be a list of names"),
    ],
)  # fmt: skip
async def test_a_wrong_call_is_refused_and_nothing_is_done(
    page: Page, path: str, body: dict[str, object], says: str
) -> None:
    assert says in (await page.call(path, **body))["error"]
    state = await page.state()
    assert state["faults"] == {}
    assert not any(one["total"] + one["under_way"] for one in state["operations"].values())


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
async def test_another_page_cannot_break_anything(page: Page, headers: dict[str, str]) -> None:
    call = {"fault": "Outage", "values": {}}
    async with httpx.AsyncClient(trust_env=False) as client:
        refused = await client.post(f"{page.address}break", json=call, headers=headers)
        without = await client.post(f"{page.address.rsplit('/', 2)[0]}/break", json=call)
        made = await page.state()
        own = {"Origin": page.address.rsplit("/", 2)[0]}
        passed = await client.post(f"{page.address}break", json=call, headers=own)
    assert (refused.status_code, without.status_code) == (403, 403)
    assert made["faults"] == {}
    assert passed.status_code == 200, "the control: its own page can"
    await page.call("heal-all")


async def test_no_state_has_the_password(page: Page, brownout_postgres: Postgres) -> None:
    await page.asked("place-order")
    seen = (await page.get("state?messages=yes")).text + (await page.get("")).text
    for secret in (brownout_postgres.login.password, brownout_postgres.admin.role):
        assert secret not in seen


# -- what the page is made of ---------------------------------------------------------------------


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


async def test_each_fault_has_a_form_and_nothing_acts_but_the_script(page: Page) -> None:
    answer = await page.get("")
    found = Elements(answer.text).found
    assert {one["data-fault"] for _, one in found if "data-fault" in one} == set(SWITCHES)
    for tag, attributes in found:
        assert not {name for name in attributes if name.startswith("on")} | (
            attributes.keys() & {"style", "srcset", "action"}
        ), tag
    ids = [one["id"] for _, one in found if "id" in one]
    assert len(ids) == len(set(ids))
    labelled = {one["for"] for tag, one in found if tag == "label" and "for" in one}
    entered = {
        one["id"]
        for tag, one in found
        if tag in ("input", "select") and one.get("id", "").partition("-")[0] in SWITCHES  # type: ignore[union-attr]
    }
    assert entered == labelled
    assert entered


async def test_what_belongs_to_the_page_is_there(page: Page) -> None:
    text = (await page.get("")).text
    for name in re.findall(r'(?:href|src)="([^"#]+)"', text):
        assert (await page.get(name)).status_code == 200
    assert "--kept" in (await page.get("page.css")).text, "the report's colours"


# -- what is saved --------------------------------------------------------------------------------


def outcome(text: str, folder: Path, *words: str) -> tuple[int, str]:
    """The exit code and the output of the test as pasted, in a project of its own."""
    (folder / "test_pasted.py").write_text(text, encoding="utf-8")
    conftest = (ROOT / "conftest.py").read_text(encoding="utf-8")
    (folder / "conftest.py").write_text(
        conftest.replace("Path(__file__).parent", repr(str(ROOT))), encoding="utf-8"
    )
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider",
         "-c", str(folder / "pytest.ini"), str(folder / "test_pasted.py"), *words],
        cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout


async def test_what_was_done_runs_as_pasted_and_a_sound_service_survives_it(
    page: Page, tmp_path: Path
) -> None:
    assert "Nothing was broken yet" in (await page.get("saved")).json()["error"]
    await page.call("break", fault="Outage", values={})
    await page.asked("list-orders")
    await page.call("break", fault="Latency", values={"delay": "50"})
    await page.call("heal", fault="Outage")
    await page.asked("place-order", 3)
    await page.call("heal-all")
    text = (await page.get("saved")).json()["test"]
    assert "Break(Outage())" in text
    assert 'Ask("place-order", 3)' in text

    code, output = outcome(text, tmp_path)

    assert code == 0, output
    assert "1 passed" in output
    await page.call("start-over")
    assert "error" in (await page.get("saved")).json()


async def test_a_service_that_breaks_a_promise_fails_what_is_pasted(tmp_path: Path) -> None:
    conflict = ServerError("40001", on=Statement(r"\binsert\b"), times=1)
    steps = (Break(conflict), Break(CommitNeverArrives()), Ask("place-order"))
    text = pasted(steps, trial="by_hand", test="test_done_by_hand")
    named = "--brownout-service=tests.chaos.declared:done_after_a_conflict"
    code, output = outcome(text, tmp_path, named)
    assert code == 1, output
    assert "No acknowledged write is lost." in output

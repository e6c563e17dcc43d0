"""The runner starts what is declared, says why where it cannot, and leaves nothing behind."""

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import psutil
import pytest

from brownout import BrownoutError, Budget, Health, Service, ServiceNotReady, ms, seconds
from brownout.login import Address, Login
from brownout.service.ports import free_port
from brownout.service.process import RunningService
from tests.core.clients import soon
from tests.core.made import service

TINY = str(Path(__file__).with_name("tiny.py"))
PASSWORD = "pass/word+1"  # noqa: S105 - it opens nothing
LOGIN = Login(Address("127.0.0.1", 5433), "shop_db", "shop_role", PASSWORD)
PATIENT = seconds(20)
MARK = "BROWNOUT_TEST_MARK"

Running = Callable[..., RunningService]


def tiny(*words: str) -> list[str]:
    return [sys.executable, "-S", TINY, *words]


def declared(*words: str, **fields: Any) -> Service:
    return service(command=tiny(*words), **fields)


def graceful(grace: timedelta) -> Budget:
    return Budget(request=seconds(1), recovery=seconds(2), pool=3, grace=grace)


def marked(token: str) -> list[psutil.Process]:
    """Every process of a test that still runs."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == token and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def token() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def announced() -> list[int]:
    """The process ids that were announced as leaders of sessions."""
    return []


@pytest.fixture
def run(tmp_path: Path, token: str, announced: list[int]) -> Iterator[Running]:
    """Makes services, not yet started; whatever a test does, nothing of them is left."""
    made: list[RunningService] = []

    def make(declaration: Service, start_timeout: timedelta = PATIENT) -> RunningService:
        one = RunningService(
            declaration,
            LOGIN,
            folder=tmp_path,
            environment={MARK: token},
            announce=announced.append,
            start_timeout=start_timeout,
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
    assert marked(token) == []


DOCKER = """#!/bin/sh
# Docker's command, as far as a service needs it: what runs is a process of this machine.
case "$1 $3" in
run*) shift; while [ "${{1#--}}" != "$1" ]; do shift; done; shift; exec "$@" ;;
"inspect {{{{.Config.StopSignal}}}}") echo "{said}" ;;
esac
"""


def terminated(one: RunningService) -> int | None:
    """The exit code with which it ends when an orchestrator ends it."""
    one.terminate()
    assert soon(lambda: not one.running)
    return one.exit_code


def refused(one: RunningService, token: str) -> ServiceNotReady:
    """Why it does not start; nothing of it is left running then."""
    with pytest.raises(ServiceNotReady) as refusal:
        one.start()
    assert marked(token) == []
    assert not one.running
    assert PASSWORD not in str(refusal.value)
    return refusal.value


# -- what is started -----------------------------------------------------------------------------


def test_a_service_runs_and_answers_where_it_was_told_to(run: Running) -> None:
    one = run(declared("serve", "{port}"))
    one.start()
    assert one.running
    assert httpx.get(f"{one.url}/anything", trust_env=False).status_code == 200
    assert one.log() == f"up {one.pid} {one.url.rpartition(':')[2]}\n"


def test_every_session_is_announced_with_its_leader(run: Running, announced: list[int]) -> None:
    one = run(declared("serve", "{port}", prepare=[tiny("end", "0")]))
    one.start()
    prepared, served = announced
    assert served == one.pid == os.getsid(one.pid)
    assert not psutil.pid_exists(prepared)


def test_a_service_that_cannot_be_announced_is_ended(run: Running, token: str) -> None:
    one = run(declared("serve", "{port}"))

    def refuse(_: int) -> None:
        raise BrownoutError("the reaper has died", remedy="run again")

    one._announce = refuse
    with pytest.raises(BrownoutError, match="the reaper has died"):
        one.start()
    assert marked(token) == []


def test_command_environment_and_preparation_are_handed_the_database(
    run: Running, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    parts = "{database_host} {database_port} {database_name} {database_user} {other}"
    one = run(
        declared(
            "show", "{port}", "URL", "PARTS",
            env={"URL": "{dsn}", "PARTS": parts},
            prepare=[tiny("note", str(notes), "first", "{dsn}"), tiny("note", str(notes), parts)],
        )
    )  # fmt: skip
    one.start()
    filled = "127.0.0.1 5433 shop_db shop_role {other}"
    assert notes.read_text() == f"first {LOGIN.dsn}\n{filled}\n"
    assert one.log().startswith("URL=postgresql://shop_role:********@127.0.0.1:5433/shop_db\n")
    assert f"PARTS={filled}\n" in one.log()


def test_libpq_s_variables_are_set_unless_the_declaration_says_otherwise(run: Running) -> None:
    names = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"]
    one = run(declared("show", "{port}", *names, env={"PGUSER": "another"}))
    one.start()
    assert one.log().startswith(
        "PGHOST=127.0.0.1\nPGPORT=5433\nPGDATABASE=shop_db\nPGUSER=another\nPGPASSWORD=********\n"
    )


def test_a_url_of_another_dialect_is_written_with_the_rest_of_the_dsn(run: Running) -> None:
    url = "postgresql+asyncpg:{dsn_rest}?ssl=disable"
    one = run(declared("show", "{port}", "URL", env={"URL": url}))
    one.start()
    filled = "postgresql+asyncpg://shop_role:********@127.0.0.1:5433/shop_db?ssl=disable"
    assert one.log().startswith(f"URL={filled}\n")


def test_commands_run_in_the_declared_folder(run: Running, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    one = run(declared("serve", "{port}", cwd=str(folder), prepare=[tiny("note", "notes", "a")]))
    one.start()
    assert (folder / "notes").read_text() == "a\n"
    assert psutil.Process(one.pid).cwd() == str(folder)


def test_a_folder_that_does_not_exist_is_named(run: Running, token: str, tmp_path: Path) -> None:
    why = refused(run(declared("serve", "{port}", cwd=tmp_path / "nowhere")), token)
    assert why.cause.startswith(f"The folder {tmp_path / 'nowhere'}, which the service is to run")
    assert "`cwd`" in why.remedy


def test_commands_for_after_the_start_run_when_it_is_ready_each_time(
    run: Running, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    one = run(declared("serve", "{port}", after_start=[tiny("note", str(notes), "{port}")]))
    one.start()
    port = one.url.rpartition(":")[2]
    assert notes.read_text() == f"{port}\n"
    one.restart()
    assert notes.read_text() == f"{port}\n" * 2


def test_a_command_after_the_start_that_fails_is_named(run: Running, token: str) -> None:
    why = refused(run(declared("serve", "{port}", after_start=[tiny("end", "3")])), token)
    assert "ended with exit code 3" in why.cause


def test_the_declared_time_to_start_comes_before_the_option(run: Running, token: str) -> None:
    why = refused(run(declared("sleep", start_timeout=ms(300)), PATIENT), token)
    assert "The service was not ready within 0.3 s" in why.cause
    assert "raise `start_timeout` in the declaration" in why.remedy


def test_a_declared_port_and_base_path_are_in_the_url(run: Running) -> None:
    port = free_port("127.0.0.1")
    one = run(declared("serve", str(port), port=port, base_path="/shop"))
    one.start()
    assert one.url == f"http://127.0.0.1:{port}/shop"


def test_a_declared_port_that_is_in_use_is_said_to_be_so(run: Running, token: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        why = refused(run(declared("serve", str(port), port=port)), token)
    assert why.cause.startswith(f"Port {port} on 127.0.0.1, declared for the service, is in use")


def test_a_seed_that_cannot_be_carried_out_is_named(run: Running, token: str) -> None:
    why = refused(run(declared("serve", "{port}", seed=["insert into nowhere"])), token)
    assert why.cause.startswith("A seed cannot be carried out: ")  # no server is there
    assert why.tried == ("insert into nowhere",)


def test_a_byte_order_mark_before_a_seed_is_not_sent(
    run: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = MagicMock()
    monkeypatch.setattr("brownout.service.process.connect", session)
    (tmp_path / "seed.sql").write_text("select 'caf\u00e9'", encoding="utf-8-sig")
    run(declared("serve", "{port}", cwd=tmp_path, seed=["seed.sql"])).start()
    execute = session.return_value.__enter__.return_value.execute
    execute.assert_called_once_with("select 'caf\u00e9'".encode())


def test_a_seed_of_another_encoding_is_refused(run: Running, token: str, tmp_path: Path) -> None:
    (tmp_path / "seed.sql").write_bytes("insert into a values ('caf\u00e9')".encode("cp1252"))
    why = refused(run(declared("serve", "{port}", cwd=tmp_path, seed=["seed.sql"])), token)
    assert why.cause == "The seed seed.sql is not UTF-8 (byte 26)."
    assert "iconv" in why.remedy


def test_secrets_are_masked_in_the_log(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER_KEY", "outer-secret")
    names = ["API_KEY", "OUTER_KEY", "OPEN"]
    one = run(
        declared(
            "show", "{port}", *names,
            env={"API_KEY": "in/ner", "OPEN": "in%2Fner and open"},
            secrets=["API_KEY", "OUTER_KEY", "UNSET"],
        )
    )  # fmt: skip
    one.start()
    assert one.log().startswith("API_KEY=********\nOUTER_KEY=********\nOPEN=******** and open\n")


@pytest.mark.parametrize("secret", ["{noop}hunter2-hunter2", '{"key": "hunter2-hunter2"}\n'])
def test_a_secret_that_begins_with_a_brace_is_masked(run: Running, secret: str) -> None:
    one = run(declared("show", "{port}", "KEY", env={"KEY": secret}, secrets=["KEY"]))
    one.start()
    assert one.log().startswith("KEY=********\n")


def test_a_port_is_not_masked_though_it_is_declared_as_a_secret(run: Running) -> None:
    one = run(declared("show", "{port}", "KEY", env={"KEY": "{port}"}, secrets=["KEY"]))
    one.start()
    assert one.log().startswith(f"KEY={one.url.rpartition(':')[2]}\n")


def test_pytest_s_variables_are_not_handed_on_unless_they_are_declared(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    one = run(declared("serve", "{port}", env={"PYTEST_PLUGINS": "shop"}))
    one.start()
    found = psutil.Process(one.pid).environ()
    assert {name for name in found if name.startswith("PYTEST_")} == {"PYTEST_PLUGINS"}


def test_libpq_s_variables_of_another_server_are_not_handed_on_unless_they_are_declared(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGSSLMODE": "require",
        "PGCHANNELBINDING": "require",
        "PGHOSTADDR": "127.0.0.2",
        "PGOPTIONS": "endpoint=another",
        "PGAPPNAME": "shop",
    }.items():
        monkeypatch.setenv(name, value)
    one = run(declared("serve", "{port}", env={"PGOPTIONS": "-c jit=off"}))
    one.start()
    found = psutil.Process(one.pid).environ()
    assert not found.keys() & {"PGSSLMODE", "PGCHANNELBINDING", "PGHOSTADDR"}
    assert (found["PGOPTIONS"], found["PGAPPNAME"]) == ("-c jit=off", "shop")


def test_the_administrator_s_url_is_not_handed_on(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWNOUT_POSTGRES", "postgresql://admin:hunter2@db/postgres")
    one = run(declared("show", "{port}", "BROWNOUT_POSTGRES"))
    one.start()
    assert "hunter2" not in str(psutil.Process(one.pid).environ())
    assert "BROWNOUT_POSTGRES" not in psutil.Process(one.pid).environ()


def test_what_looks_like_a_secret_is_masked_in_what_is_said_of_the_log(run: Running) -> None:
    words = ["-c", "import sys; sys.exit('token=abcd1234 \\x1b[2J')"]
    one = run(service(command=[sys.executable, *words]))
    with pytest.raises(ServiceNotReady) as why:
        one.start()
    assert "token=… \\x1b[2J" in str(why.value)


def test_every_process_of_a_service_carries_the_run_s_mark_whatever_is_declared(
    run: Running, token: str
) -> None:
    one = run(declared("stubborn", "{port}", env={MARK: "mine"}, budget=graceful(ms(50))))
    one.start()
    assert len(marked(token)) == 2


def test_without_a_readiness_route_liveness_says_when_it_is_up(run: Running) -> None:
    one = run(declared("serve", "{port}", health=Health(live="/live", ready=None)))
    one.start()
    assert one.running


def test_without_any_route_the_open_port_says_so(run: Running) -> None:
    one = run(declared("serve", "{port}", "500", health=Health(live=None, ready=None)))
    one.start()
    assert httpx.get(one.url, trust_env=False).status_code == 500


def test_the_environment_s_proxy_is_no_way_to_the_service(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    one = run(declared("serve", "{port}"))
    one.start()
    assert one.running


# -- why it does not start -----------------------------------------------------------------------


def test_a_service_that_exits_at_once_is_named_with_its_exit_code_and_last_words(
    run: Running, token: str
) -> None:
    words = [f"line {number}" for number in range(40)]
    why = refused(
        run(declared("end", "3", *words, "no login as {database_password}", "{dsn}")), token
    )
    assert "ended before it was ready" in why.cause
    assert "Exit code 3." in why.cause
    assert "| no login as ********" in why.cause
    assert "| line 39" in why.cause
    assert "line 2\n" not in why.cause, "the last 25 lines are enough"
    assert "{port}" not in why.remedy


def test_last_words_on_standard_error_are_shown_though_the_log_is_a_file(
    run: Running, token: str, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    log.write_text("starting\n")
    why = refused(run(declared("end", "1", "ImportError: shop", log=log)), token)
    assert "| ImportError: shop" in why.cause
    assert "| starting" in why.cause


def test_a_service_that_is_never_ready_is_named_with_what_it_last_answered(
    run: Running, token: str
) -> None:
    why = refused(run(declared("serve", "{port}", "503"), start_timeout=seconds(1.5)), token)
    assert "not ready within 1.5 s (last seen: status 503 at /ready)" in why.cause
    assert "--brownout-start-timeout" in why.remedy
    assert "| up " in why.cause


def test_a_readiness_route_that_does_not_exist_is_said_to_be_so(run: Running, token: str) -> None:
    why = refused(run(declared("serve", "{port}", "404"), start_timeout=seconds(1.5)), token)
    assert "status 404 at /ready" in why.cause
    assert "does not exist" in why.remedy


def test_a_service_that_never_listens_is_said_to_be_so(run: Running, token: str) -> None:
    why = refused(run(declared("sleep"), start_timeout=ms(500)), token)
    assert "ConnectError at /ready" in why.cause
    assert "--brownout-start-timeout" in why.remedy


def test_a_service_that_listens_elsewhere_is_told_where(run: Running, token: str) -> None:
    why = refused(run(declared("serve", "0"), start_timeout=seconds(2)), token)
    [up] = [line for line in why.cause.splitlines() if "| up " in line]
    assert f"it listens on 127.0.0.1, port {up.split()[-1]}, instead" in why.tried
    assert "{port}" in why.remedy


def test_a_service_on_the_right_port_of_another_address_is_told_so(
    run: Running, token: str
) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    one = run(declared("serve", "{port}", "200", "::1"), start_timeout=seconds(2))
    why = refused(one, token)
    port = one.url.rpartition(":")[2]
    assert f"it listens on ::1, port {port}, instead" in why.tried
    assert "127.0.0.1" in why.remedy


@pytest.mark.parametrize("status", [[], ["503"]], ids=["silent", "not ready"])
def test_a_second_port_is_not_taken_for_the_wrong_one(
    run: Running, token: str, status: list[str]
) -> None:
    one = run(declared("beside_metrics", "{port}", *status), start_timeout=seconds(2))
    why = refused(one, token)
    assert why.tried == (f"GET {one.url}/ready",)
    assert "Read the log lines above, or raise --brownout-start-timeout" in why.remedy


def test_a_command_that_ends_well_before_it_is_ready_has_to_stay_in_the_foreground(
    run: Running, token: str
) -> None:
    why = refused(run(declared("end", "0")), token)
    assert "Exit code 0." in why.cause
    assert "in the foreground" in why.remedy


def test_a_command_that_does_not_exist_is_named(run: Running, token: str) -> None:
    why = refused(run(service(command=["no-such-program", "{dsn}"])), token)
    assert "'no-such-program' cannot be run: No such file or directory" in why.cause
    assert why.tried == ("no-such-program {dsn}",)


def test_a_variable_before_the_command_belongs_into_env(run: Running, token: str) -> None:
    why = refused(run(service(command=["PORT={port}", "serve"])), token)
    assert "Declare the variable in `env`" in why.remedy


def test_a_command_that_may_not_be_run_is_named(run: Running, token: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    why = refused(run(service(command=[str(script)])), token)
    assert "cannot be run: Permission denied" in why.cause


def test_a_preparation_that_fails_is_named_and_the_service_is_not_started(
    run: Running, token: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    one = run(
        declared(
            "note", str(notes), "started",
            prepare=[tiny("end", "4", "cannot migrate {dsn}"), tiny("note", str(notes))],
        )
    )  # fmt: skip
    why = refused(one, token)
    assert " of `prepare` " in why.cause
    assert why.tried[0].endswith("end 4 'cannot migrate {dsn}'")
    assert "ended with exit code 4" in why.cause
    told = "| cannot migrate postgresql://⟨dsn.user⟩:********@⟨dsn.address⟩/⟨dsn.database⟩"
    assert told in why.cause
    assert not notes.exists()


def test_a_preparation_that_hangs_is_ended_and_named(run: Running, token: str) -> None:
    why = refused(run(declared("serve", "{port}", prepare=[tiny("sleep")]), ms(500)), token)
    assert "did not end within 0.5 s" in why.cause
    assert "--brownout-start-timeout" in why.remedy


def test_what_a_preparation_leaves_running_is_ended(run: Running, token: str) -> None:
    one = run(declared("serve", "{port}", prepare=[tiny("launcher")]))
    one.start()
    assert "left behind" in one.log()
    assert [process.pid for process in marked(token)] == [one.pid]


def test_a_port_in_use_is_named_and_its_owner_left_alone(run: Running, token: str) -> None:
    one = run(declared("serve", "{port}"))
    port = int(one.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)) as other:
        why = refused(one, token)
        assert f"Port {port} on 127.0.0.1" in why.cause
        assert other.fileno() > 0
    one.start()


def test_ctrl_c_during_the_start_leaves_nothing(
    run: Running, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = run(declared("stubborn", "{port}", budget=graceful(ms(50))))

    def interrupted(*_: object, **__: object) -> httpx.Response:
        deadline = time.monotonic() + PATIENT.total_seconds()
        while "up" not in one.log() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(marked(token)) == 2
        raise KeyboardInterrupt

    monkeypatch.setattr(httpx.Client, "get", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.start()
    assert marked(token) == []


# -- how it ends ---------------------------------------------------------------------------------


def test_a_service_that_ignores_sigterm_is_killed_with_all_its_processes_after_its_grace(
    run: Running, token: str
) -> None:
    one = run(declared("stubborn", "{port}", budget=graceful(ms(300))))
    one.start()
    assert len(marked(token)) == 2
    began = time.monotonic()
    one.stop()
    assert time.monotonic() - began >= 0.3
    assert marked(token) == []


def test_a_service_behind_a_wrapper_has_its_grace_though_the_wrapper_is_gone(
    run: Running, token: str
) -> None:
    one = run(declared("wrapper", "{port}", budget=graceful(PATIENT)))
    one.start()
    one.stop()
    assert one.log().endswith("left in peace\n")
    assert marked(token) == []


def test_sigterm_reaches_the_command_alone_and_it_can_be_launched_again(run: Running) -> None:
    one = run(declared("serve", "{port}", budget=graceful(PATIENT)))
    one.start()
    first = one.pid
    assert terminated(one) == -signal.SIGTERM
    with pytest.raises(ServiceNotReady, match="is not running"):
        one.terminate()
    one.stop(grace=ms(0))
    one.launch()
    assert one.pid != first
    assert one.start_took > ms(0)


def test_a_service_finishes_at_the_signal_that_is_declared_for_a_stop(run: Running) -> None:
    one = run(declared("like_nginx", "{port}", stop_signal="SIGQUIT", budget=graceful(PATIENT)))
    one.start()
    assert terminated(one) == 0
    one.restart()
    one.stop()
    assert one.log().count("finished") == 2


def test_without_one_it_is_told_by_sigterm(run: Running) -> None:
    one = run(declared("like_nginx", "{port}", budget=graceful(PATIENT)))
    one.start()
    assert terminated(one) == -signal.SIGTERM
    one.restart()
    one.stop()
    assert "finished" not in one.log()


@pytest.mark.parametrize(
    ("said", "declared_signal", "code"),
    [
        ("SIGQUIT", None, 0),
        ("QUIT", None, 0),
        ("3", None, 0),
        ("SIGRTMIN+3", None, -signal.SIGRTMIN - 3),
        ("SIGRTMAX-1", None, 1 - signal.SIGRTMAX),
        ("SIGUSR2", None, -signal.SIGUSR2),
        ("SIGTERM", None, -signal.SIGTERM),
        ("", None, -signal.SIGTERM),
        ("SIGKILL", None, -signal.SIGTERM),
        ("SIGNOTHING", None, -signal.SIGTERM),
        ("999", None, -signal.SIGTERM),
        ("SIGTERM", "SIGQUIT", 0),
        ("SIGQUIT", "SIGTERM", -signal.SIGTERM),
    ],
)
def test_a_container_is_told_by_the_signal_of_its_image_unless_one_is_declared(
    run: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    declared_signal: str | None,
    code: int,
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(said=said))
    docker.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    one = run(declared("like_nginx", "{port}", image="nginx:1", stop_signal=declared_signal))
    one.start()
    assert terminated(one) == code


def test_a_service_that_is_given_no_grace_is_killed_at_once(run: Running, token: str) -> None:
    one = run(declared("stubborn", "{port}", budget=graceful(PATIENT)))
    one.start()
    began = time.monotonic()
    one.stop(grace=ms(0))
    assert time.monotonic() - began < PATIENT.total_seconds()
    assert marked(token) == []


def test_a_service_that_ends_at_once_is_not_waited_for(run: Running) -> None:
    one = run(declared("serve", "{port}", budget=graceful(seconds(60))))
    one.start()
    began = time.monotonic()
    one.stop()
    assert time.monotonic() - began < PATIENT.total_seconds()


def test_stopping_twice_or_what_never_ran_is_nothing(run: Running) -> None:
    one = run(declared("serve", "{port}"))
    one.stop()
    one.start()
    one.stop()
    one.stop()
    assert not one.running


def test_the_pid_of_a_service_that_does_not_run_is_refused(run: Running) -> None:
    one = run(declared("serve", "{port}"))
    with pytest.raises(ServiceNotReady, match="not running"):
        _ = one.pid
    one.start()
    os.kill(one.pid, 9)
    deadline = time.monotonic() + PATIENT.total_seconds()
    while one.running and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(ServiceNotReady, match="Exit code -9") as refusal:
        _ = one.pid
    assert "| up " in refusal.value.cause


def test_a_restart_is_on_the_same_port_without_preparation_and_keeps_the_log(
    run: Running, token: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    one = run(
        declared(
            "stubborn", "{port}",
            prepare=[tiny("note", str(notes), "once")],
            budget=graceful(ms(50)),
        )
    )  # fmt: skip
    one.start()
    url, pid = one.url, one.pid
    for _ in range(3):
        one.restart()
    assert (one.url, one.running) == (url, True)
    assert one.pid != pid
    assert one.log().count("up ") == 4
    assert notes.read_text() == "once\n"
    assert len(marked(token)) == 2


# -- its log -------------------------------------------------------------------------------------


def test_a_log_that_cannot_be_read_is_told(run: Running, tmp_path: Path) -> None:
    one = run(declared("serve", "{port}", log=unreadable(tmp_path)))
    one.start()
    with pytest.raises(ServiceNotReady, match="log cannot be read: Not a directory") as refusal:
        one.log()
    assert refusal.value.tried == (str(tmp_path / "file" / "service.log"),)
    assert "Declare as `log`" in refusal.value.remedy


def test_a_log_that_cannot_be_read_hides_no_other_failure(
    run: Running, tmp_path: Path, token: str
) -> None:
    log = unreadable(tmp_path)
    why = refused(run(declared("end", "1", "ImportError: shop", log=log)), token)
    assert "The service ended before it was ready. Exit code 1." in why.cause
    assert "ImportError: shop" in why.cause
    assert "The service's log cannot be read" in why.cause


def unreadable(folder: Path) -> Path:
    """A place where no file can be: below a file. (No right that root lacks would do.)"""
    (folder / "file").touch()
    return folder / "file" / "service.log"


@pytest.mark.parametrize(
    ("last", "text"),
    [
        (None, "one\ntwo: ********\nthree\n"),
        (1000, "one\ntwo: ********\nthree\n"),
        (8, "three\n"),
        (6, "three\n"),
        (5, ""),
        (0, ""),
    ],
)
def test_of_a_long_log_the_last_whole_lines_are_read(
    run: Running, tmp_path: Path, last: int | None, text: str
) -> None:
    log = tmp_path / "shop.log"
    log.write_text(f"one\ntwo: {PASSWORD}\nthree\n")
    assert run(declared("sleep", log=log)).log(last=last) == text


def test_a_log_in_a_file_is_read_from_there_and_is_empty_before_it_is_written(
    run: Running, tmp_path: Path
) -> None:
    log = tmp_path / "shop.log"
    one = run(declared("serve", "{port}", log=log))
    one.start()
    assert one.log() == ""
    log.write_bytes(f"entered as {PASSWORD} \xff\n".encode("latin-1"))
    assert one.log() == "entered as ******** \N{REPLACEMENT CHARACTER}\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "shop.log"


def test_what_is_logged_after_a_mark_is_read_from_its_line_on(run: Running, log: Path) -> None:
    one = run(declared("sleep", log=log))
    log.write_text("before\nfailed wi")
    mark = one.log_mark()
    with log.open("a") as file:
        file.write(f"th {PASSWORD}\nagain\n")
    assert one.log_since(mark) == "failed with ********\nagain\n"
    assert one.log_since(one.log_mark()) == ""


def test_of_an_empty_log_file_all_that_follows_is_known(run: Running, log: Path) -> None:
    one = run(declared("sleep", log=log))
    log.touch()
    mark = one.log_mark()
    assert one.log_since(mark) == ""
    log.write_text("failed\n")
    assert one.log_since(mark) == "failed\n"


def rotated(log: Path) -> None:
    log.rename(log.with_suffix(".log.1"))
    log.write_text("after\n" * 2000)


def cut(log: Path) -> None:
    log.write_text("after\n")


def written_anew(log: Path) -> None:
    log.write_text("after\n" * 2000)


@pytest.mark.parametrize("change", [rotated, cut, written_anew, Path.unlink])
def test_what_was_logged_is_not_known_where_the_file_is_another_one(
    run: Running, log: Path, change: Callable[[Path], None]
) -> None:
    one = run(declared("sleep", log=log))
    log.write_text("before\n" * 1000)
    mark = one.log_mark()
    change(log)
    assert one.log_since(mark) is None


def test_of_a_log_file_that_did_not_exist_nothing_is_known(run: Running, log: Path) -> None:
    one = run(declared("sleep", log=log))
    mark = one.log_mark()
    log.write_text("after\n")
    assert one.log_since(mark) is None


def test_the_password_is_blotted_out_however_it_is_written(run: Running) -> None:
    one = run(declared("show", "{port}", "URL", "PW", env={"URL": "{dsn}", "PW": PASSWORD}))
    one.start()
    assert "pass" not in one.log().replace("********", "")
    assert one.log().count("********") == 2

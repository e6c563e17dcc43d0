"""A declaration in TOML is the one in Python, and its mistakes are told with place and value."""

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from brownout import (
    Authentication,
    Budget,
    Degraded,
    Errors,
    Feed,
    Health,
    Operation,
    Service,
    SettingsError,
    Streaming,
    ms,
    seconds,
)
from brownout.declaration.schema import schema
from brownout.declaration.tables import parameters, service_from
from tests.core.made import answer

WHOLE = """
command = ["serve", "--port", "{port}"]
prepare = [["migrate", "up"]]
reset = [["migrate", "clean"]]
workers = 2
log = "logs/service.log"
pace = 2
tls_ca = "certificates/ca.pem"
stop_signal = "SIGQUIT"

secrets = ["SHOP_PASSWORD"]

[login]
path = "/login"
form = { user = "me", password = "{SHOP_PASSWORD}" }
token = "Set-Cookie"
expires = "10 min"

[env]
DATABASE_URL = "{dsn}"

[health]
live = "/live"
ready = false
period = "500 ms"
threshold = 2
timeout = "800 ms"

[budget]
request = "1.5 s"
recovery = 5
pool = 10
grace = "2 min"

[errors]
media_type = "application/json"
trace = false
schema = { type = "object", required = ["error"] }

[feed]
change = "select pg_notify('notes', $1)"
path = "/notes"
within = "200 ms"

[streaming]
path = "/events"
headers = { Accept = "text/event-stream" }

[[operations]]
kind = "read"
name = "list"
method = "get"
path = "/things"
headers = { Accept = "application/json" }
degraded = { marker = "Warning", max_age = "1 min" }

[[operations]]
kind = "write"
name = "place"
method = "POST"
path = "/things"
json = { id = "{token}", tags = ["a"], amount = 1.5 }
success = [201]
refused = [507, "/problems/full"]
captures = { thing_id = "$.id" }
applied = "select count(*) from things where id = $1"

[[operations]]
kind = "read"
name = "find"
method = "GET"
path = "/things/{thing_id}"
reads_back = "place"

[[operations]]
kind = "compute"
name = "price"
method = "GET"
path = "/price"
"""

MINIMAL = """
command = ["serve"]
[health]
live = "/l"
ready = "/r"
[budget]
request = 1
recovery = 3
pool = 1
"""

READ = "\n[[operations]]\nkind = 'read'\nname = 'x'\nmethod = 'GET'\npath = '/x'\n"
OF_THE_SERVICE = [
    "is a field of the service. If that is meant, write it above the first table, such as "
    "[[operations]] or [env]"
]


def written(folder: Path, text: str, name: str = "brownout.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("brownout.toml", MINIMAL),
        ("pyproject.toml", "[tool.brownout]" + MINIMAL.replace("\n[", "\n[tool.brownout.")),
    ],
)
def test_a_byte_order_mark_before_a_declaration_is_not_of_it(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text.lstrip(), encoding="utf-8-sig")
    assert service_from(tmp_path / name).command == ["serve"]


def test_a_seed_is_beside_the_declaration_wherever_the_commands_run(tmp_path: Path) -> None:
    text = 'cwd = "shop"\nseed = ["seed.sql", "select 1"]\n' + WHOLE
    declared = service_from(written(tmp_path, text))
    assert declared.cwd == tmp_path / "shop"
    assert declared.seed == [str(tmp_path / "seed.sql"), "select 1"]


def test_every_field_is_as_in_python(tmp_path: Path) -> None:
    assert service_from(written(tmp_path, WHOLE)) == Service(
        command=["serve", "--port", "{port}"],
        prepare=[["migrate", "up"]],
        reset=[["migrate", "clean"]],
        workers=2,
        log=tmp_path / "logs" / "service.log",
        pace=2,
        tls_ca=tmp_path / "certificates" / "ca.pem",
        stop_signal="SIGQUIT",
        cwd=tmp_path,
        secrets=["SHOP_PASSWORD"],
        login=Authentication(
            path="/login",
            form={"user": "me", "password": "{SHOP_PASSWORD}"},
            token="Set-Cookie",  # noqa: S106 - a header
            expires=seconds(600),
        ),
        env={"DATABASE_URL": "{dsn}"},
        health=Health(live="/live", ready=None, period=ms(500), threshold=2, timeout=ms(800)),
        budget=Budget(request=ms(1500), recovery=seconds(5), pool=10, grace=seconds(120)),
        errors=Errors(
            media_type="application/json",
            trace=None,
            schema={"type": "object", "required": ["error"]},
        ),
        feed=Feed(change="select pg_notify('notes', $1)", path="/notes", within=ms(200)),
        streaming=Streaming(path="/events", headers={"Accept": "text/event-stream"}),
        operations=[
            Operation.read(
                "list",
                "get",
                "/things",
                headers={"Accept": "application/json"},
                degraded=Degraded(marker="Warning", max_age=seconds(60)),
            ),
            Operation.write(
                "place",
                "POST",
                "/things",
                json={"id": "{token}", "tags": ["a"], "amount": 1.5},
                success=[201],
                refused=[507, "/problems/full"],
                captures={"thing_id": "$.id"},
                applied="select count(*) from things where id = $1",
            ),
            Operation.read("find", "GET", "/things/{thing_id}", reads_back="place"),
            Operation.compute("price", "GET", "/price"),
        ],
    )


@pytest.mark.parametrize("pace", ["1.67", "100.0", "100"])
def test_a_pace_is_a_whole_or_a_fractional_number(tmp_path: Path, pace: str) -> None:
    text = f"pace = {pace}\n{MINIMAL}"
    assert service_from(written(tmp_path, text)).pace == float(pace)
    assert not errors_of(text)


def test_a_check_is_imported_from_the_file_s_folder(tmp_path: Path) -> None:
    (tmp_path / "checks_of_a_shop.py").write_text("def coded(answer): return b'ERR' in answer.body")
    text = f"{MINIMAL}\n[errors]\nmedia_type = 'text/plain'\ncheck = 'checks_of_a_shop:coded'\n"
    check = service_from(written(tmp_path, text)).errors.check
    assert check is not None
    assert [check(answer(500, body=body)) for body in (b"ERR", b"")] == [True, False]
    jsonschema.validate(tomllib.loads(text), schema())


def test_table_in_pyproject_is_the_same(tmp_path: Path) -> None:
    table = MINIMAL.replace("[", "[tool.brownout.").replace("= [tool.brownout.", "= [")
    path = written(tmp_path, f"[tool.brownout]{table}\n[tool.other]\nx = 1\n", "pyproject.toml")
    assert service_from(path) == service_from(written(tmp_path, MINIMAL))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("live =", "liveness =", ["[health] has no field 'liveness'.", "Did you mean 'live'?"]),
        ("[budget]", "[bugdet]", ["brownout.toml has no field 'bugdet'.", "mean 'budget'?"]),
        ("pool = 1", "", ["[budget] lacks pool."]),
        ("pool = 1", "pool = '1'", ["budget.pool is '1', but a whole number is needed."]),
        ("pool = 1", "pool = true", ["budget.pool is True, but a whole number is needed."]),
        ("pool = 1", "pool = 0", ["Budget: pool is 0", "reading", "brownout.toml: [budget]"]),
        (
            "request = 1", "request = '1 h'",
            ["request is '1 h', but a duration such as \"300 ms\", \"5 s\" or \"2 min\" is needed"],
        ),
        ("request = 1", "request = -1", ["request is", "a duration above zero"]),
        ("request = 1", "request = inf", ["budget.request is inf, but a duration such as"]),
        ("request = 1", "request = nan", ["budget.request is nan, but a duration such as"]),
        ("request = 1", "request = 1e20", ["budget.request is 1e+20, but a duration such as"]),
        ("request = 1", "request = '99999999999 min'", ["but a duration such as"]),
        ('["serve"]', '"serve"', ["command is 'serve', but a list of texts is needed."]),
        ('["serve"]', '["serve", 1]', ["command[1] is 1, but a text is needed."]),
        ('["serve"]', '["serve"', ["is not TOML: ", "line 3"]),
        ("[health]", "env = { A = 1 }\n[health]", ["env.A is 1, but a text is needed."]),
        ("[health]", "prepare = ['make db']\n[health]", ["prepare[0] is 'make db', but a list"]),
        ("[health]", "prepare = 1\n[health]", ["prepare is 1, but a list of lists of texts is n"]),
        ("[health]", "headers = {}\n[health]", ["no field 'headers'.", "Did you mean 'login'?"]),
        ("[health]", "cmd = ['x']\n[health]", ["no field 'cmd'.", "Did you mean 'command'?"]),
        ("pool = 1", "pool = 1\nauth = 1", ["[budget] has no field 'auth'.", "Known: request, "]),
        ("[health]", "pace = '100/60'\n[health]", ["pace is '100/60', but a number or false is n"]),
        ("[health]", "pace = true\n[health]", ["pace is True, but a number or false is needed."]),
        ("[health]", "pace = nan\n[health]", ["Service: pace is nan"]),
        ("[health]", "[errors]\ncheck = 'x'\n[health]", ["errors.check = 'x', but module:name is"]),
        (
            "[health]",
            "[errors]\ncheck = 'no_such_module_:x'\n[health]",
            ["brownout.toml: errors.check = 'no_such_module_:x': there is no module"],
        ),
        (
            "[health]",
            "[errors]\ncheck = 'json:dmps'\n[health]",
            ["has no 'dmps'.", "Did you mean 'json:dumps'?"],
        ),
        ("[health]", "[errors]\ncheck = 'json:__name__'\n[health]", ["check is 'json', but a fun"]),
        ("[health]", "[errors]\ncheck = 1\n[health]", ["check is 1, but a function as module:nam"]),
        ("[health]", "[login]\npth = '/l'\n[health]", ["[login] has no field 'pth'.", "'path'?"]),
        ("[health]", "[login]\nuser = 'me'\n[health]", ["one of a path, user and password"]),
        (
            "[health]",
            "[login]\npath = '/l'\njson = { password = '{SHOP}' }\n[health]",
            ["Authentication: {SHOP} is not the name of a declared secret."],
        ),
        ("[health]", "[[operations]]\nkind = 'reed'\n[health]", ["is 'reed', but one of read, "]),
        ("[health]", "[[operations]]\nkind = ['read']\n[health]", ["is ['read'], but one of r"]),
        ("[health]", "[[operations]]\nname = 'x'\n[health]", ["of operations[0], 'x' is None"]),
        (
            "[health]",
            "[[operations]]\nkind = 'write'\nname = 'x'\nmethod = 'POST'\npath = '/x'\n"
            "aplied = '$1'\n[health]",
            ["[operations[0], 'x'] has no field 'aplied'.", "Did you mean 'applied'?"],
        ),
        ("pool = 1", "pool = 1\nlog = 'x'", ["[budget] has no field 'log'.", *OF_THE_SERVICE]),
        ("pool = 1", f"pool = 1\n{READ}seed = ['x']", ["no field 'seed'.", *OF_THE_SERVICE]),
        ("pool = 1", "pool = 1\n[env]\nwaivers = { H3 = 'x' }", ["a text is n", *OF_THE_SERVICE]),
        (
            "pool = 1", f"pool = 1\n{READ}login = {{ user = 'x' }}",
            ["'x'.login is {'user': 'x'}, but true or false is needed.", *OF_THE_SERVICE],
        ),
        ("pool = 1", f"pool = 1\n{READ}sed = 'x'", ["no field 'sed'.", "Known: name, "]),
        ("pool = 1", f"pool = 1\n{READ}applied = '$1'", ['Only kind = "write" has it.']),
        (
            "pool = 1", "pool = 1" + READ.replace("read", "write") + "needs_database = false",
            ['Only kind = "read" or kind = "compute" has it.'],
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: list[str]
) -> None:
    assert old in MINIMAL
    with pytest.raises(SettingsError) as caught:
        service_from(written(tmp_path, MINIMAL.replace(old, new, 1)))
    for words in told:
        assert words in str(caught.value)
    assert str(tmp_path / "brownout.toml") in str(caught.value)


def test_in_pyproject_the_tables_are_called_as_they_are_there(tmp_path: Path) -> None:
    table = f"{MINIMAL}log = 'x'\n".replace("[", "[tool.brownout.").replace(
        "= [tool.brownout.", "= ["
    )
    with pytest.raises(SettingsError) as caught:
        service_from(written(tmp_path, f"[tool.brownout]{table}", "pyproject.toml"))
    assert "such as [[tool.brownout.operations]] or [tool.brownout.env]" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("brownout.toml", None, "There is no "),
        ("pyproject.toml", "[tool.other]\n", "has no table [tool.brownout]."),
        ("pyproject.toml", "tool = 1\n", "has no table [tool.brownout]."),
        ("pyproject.toml", "tool = { brownout = 3 }\n", "has no table [tool.brownout]."),
    ],
)
def test_a_file_without_a_declaration(
    tmp_path: Path, name: str, text: str | None, told: str
) -> None:
    if text is not None:
        written(tmp_path, text, name)
    with pytest.raises(SettingsError, match=told.replace("[", r"\[")):
        service_from(tmp_path / name)


def errors_of(text: str) -> list[Any]:
    validator = jsonschema.Draft202012Validator(schema())
    return list(validator.iter_errors(tomllib.loads(text)))


def test_the_schema_accepts_what_is_read() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert errors_of(WHOLE) == []
    assert errors_of(MINIMAL) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("live =", "liveness ="),
        ("pool = 1", ""),
        ("pool = 1", "pool = '1'"),
        ("request = 1", "request = '1 h'"),
        ('["serve"]', '["serve", 1]'),
        ("[health]", "[[operations]]\nkind = 'reed'\n[health]"),
    ],
)
def test_the_schema_refuses_what_is_not_read(old: str, new: str) -> None:
    assert errors_of(MINIMAL.replace(old, new, 1))


@pytest.mark.parametrize("declared", [Service, Health, Budget, Errors, Degraded, Feed, Streaming])
def test_every_field_of_a_class_is_one_of_its_table(declared: Any) -> None:
    assert set(parameters(declared)) == set(declared.__dataclass_fields__)

"""`brownout init` writes a declaration that loads, from what a service says of itself."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

from brownout import Kind, Service
from brownout.cli import main
from brownout.cli.asked import READY, first_of
from brownout.cli.draft import Draft, text_of
from brownout.cli.openapi import Document
from brownout.declaration.tables import service_from
from tests.cli.documents import BREAKS_OUT, FASTAPI, HOSTILE, NEST, SPRING

JDBC = (
    "jdbc:postgresql://{database_host}:{database_port}/{database_name}"
    "?user={database_user}&password={database_password}"
)
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(folder: Path, document: dict[str, Any], *words: str) -> Service:
    """What is declared by the file that is made of a document."""
    (folder / "openapi.json").write_text(json.dumps(document))
    assert main(["init", "--openapi", "openapi.json", *words]) == 0
    return service_from(folder / "brownout.toml")


def test_fastapi(folder: Path) -> None:
    service = made(folder, FASTAPI, "--command", "uvicorn shop:app --port 8000")

    read, write = service.operations
    assert service.command == ["uvicorn", "shop:app", "--port", "{port}"]
    assert (service.health.live, service.health.ready) == ("/health/live", "/health/ready")
    assert (read.kind, read.method, read.path) == (Kind.READ, "GET", "/items")
    assert (write.kind, write.method, write.path) == (Kind.WRITE, "POST", "/items")
    assert write.success == {201}
    assert write.json == {"kind": "book", "name": "{token}", "price": 1, "tags": ["tea"]}
    assert service.errors.media_type == "application/json"
    assert service.errors.trace is None
    assert '# applied = "select count(*) from items where name = $1"' in text(folder)


def test_spring(folder: Path) -> None:
    service = made(folder, SPRING)

    read, write = service.operations
    assert (read.name, read.path) == ("list-orders", "/api/v1/orders?state=OPEN")
    assert read.headers == {"X-Tenant": "acme"}
    assert (write.name, write.path) == ("place-order", "/api/v1/orders")
    assert write.idempotency_header == "Idempotency-Key"
    assert write.json == {
        "customerName": "{token}", "productId": 1, "due": "2030-01-15", "lines": [{"quantity": 2}],
    }  # fmt: skip
    assert service.errors.media_type == "application/problem+json"
    assert (service.health.live, service.health.ready) == (None, None)
    page = text(folder)
    assert page.count("# Callers have to authenticate") == 2
    assert "# Not known: correct it." in page
    assert "where customer_name = $1" in page


def test_nest(folder: Path) -> None:
    service = made(folder, NEST)

    read, write = service.operations
    assert read.path == "/cats/c%201"
    assert write.json == {"name": "{token}", "age": 3}
    assert (service.health.live, service.health.ready) == (None, "/health")
    assert "# No liveness route was found" in text(folder)


def test_a_hostile_document_is_quoted(folder: Path, capsys: Said) -> None:
    service = made(folder, HOSTILE)

    assert [one.path for one in service.operations] == ["/c%1B[2J", "/c%1B[2J"]
    body = service.operations[1].json
    assert isinstance(body, dict)
    assert body[BREAKS_OUT] == "{token}"
    assert body["say"] == 'a"b\\c\x7f\n'
    assert service.command == ["uvicorn", "app:app", "--port", "{port}"]
    assert text(folder).count("\n[[operations]]\n") == 2
    assert "# Guessed, and to be corrected: name\\ncommand" in text(folder)
    assert "\x1b" not in text(folder) + capsys.readouterr().out


JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1e300, "", "{token}", "{port}", 'a"b\\\n\x7f', [], {}, [None], {"type": []},
    {"$ref": "#/components"}, {"enum": []}, {"minimum": "a"}, {"minItems": -3}, {"minLength": 1e9},
)  # fmt: skip


def mutated(value: Any, random: Random) -> Any:
    """The value with some parts left out, and others replaced by junk."""
    if random.random() < 0.05:
        return random.choice(JUNK)
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if random.random() > 0.03}
        return {name: mutated(one, random) for name, one in kept.items()}
    return [mutated(one, random) for one in value] if isinstance(value, list) else value


def test_whatever_is_malformed_in_a_document_is_left_out(folder: Path) -> None:
    path = folder / "brownout.toml"
    for seed in range(400):
        random = Random(seed)  # noqa: S311 - the same documents each time
        parts = mutated(random.choice([FASTAPI, SPRING, NEST, HOSTILE]), random)
        document = Document(parts if isinstance(parts, dict) else {})
        read = document.read()
        draft = Draft(
            source="a document", command=None, prepare=[], live=None,
            ready=first_of(READY, document.paths), read=read, write=document.write(read),
            errors=document.error_type,
        )  # fmt: skip
        path.write_text(text_of(draft))
        service_from(path)


def text(folder: Path) -> str:
    return (folder / "brownout.toml").read_text()


@pytest.mark.parametrize("document", [FASTAPI, SPRING, NEST, HOSTILE])
def test_the_lines_are_short_enough_to_read(folder: Path, document: dict[str, Any]) -> None:
    made(folder, document)

    comments = [line for line in text(folder).splitlines() if line.startswith("#")]
    assert max(map(len, comments)) <= 100


def test_a_command_alone_makes_a_file_to_be_filled_in(folder: Path, capsys: Said) -> None:
    assert main(["init", "--command", "node server.js"]) == 0

    service = service_from(folder / "brownout.toml")
    assert service.command == ["node", "server.js"]
    assert service.env == {"DATABASE_URL": "{dsn}", "PORT": "{port}"}
    assert service.operations == ()
    assert "# [[operations]]" in text(folder)
    assert "write  not found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("app --port=8000", ["app", "--port={port}"]),
        ("app -p 80", ["app", "-p", "{port}"]),
        ("java -jar app.jar --server.port=80", ["java", "-jar", "app.jar", "--server.port={port}"]),
        (
            "gunicorn -b 127.0.0.1:KNOWN shop:app",
            ["gunicorn", "-b", "127.0.0.1:{port}", "shop:app"],
        ),
        ("app --port {port}", ["app", "--port", "{port}"]),
        ("app --workers 4", ["app", "--workers", "4"]),
        ("app --timeout 5000", ["app", "--timeout", "5000"]),
        ("python board.py 8080", ["python", "board.py", "{port}"]),
        ("app -b 0.0.0.0:8080", ["app", "-b", "0.0.0.0:8080"]),
    ],
)
def test_the_port_of_the_command_becomes_a_free_one(
    folder: Path, command: str, words: list[str]
) -> None:
    with answering({"/openapi.json": FASTAPI}) as url:
        known = url.rpartition(":")[2]
        assert main(["init", "--url", url, "--command", command.replace("KNOWN", known)]) == 0
    assert service_from(folder / "brownout.toml").command == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("gunicorn shop.wsgi -b 0.0.0.0:8000", ["gunicorn", "shop.wsgi", "-b", "0.0.0.0:{port}"]),
        ("gunicorn --bind=localhost:8000 shop", ["gunicorn", "--bind=localhost:{port}", "shop"]),
        ("./shop -addr :8080", ["./shop", "-addr", ":{port}"]),
        ("./shop --listen=:8080", ["./shop", "--listen=:{port}"]),
        ("./shop --cache redis:6379", ["./shop", "--cache", "redis:6379"]),
        ("./shop --cache 127.0.0.1:6379", ["./shop", "--cache", "127.0.0.1:6379"]),
        ("./shop --listen metrics:9090", ["./shop", "--listen", "metrics:9090"]),
        ("./shop -b 0.0.0.0:80", ["./shop", "-b", "0.0.0.0:80"]),
    ],
)
def test_the_port_of_an_address_to_listen_at_becomes_a_free_one(
    folder: Path, command: str, words: list[str]
) -> None:
    assert main(["init", "--command", command]) == 0
    assert service_from(folder / "brownout.toml").command == words


@pytest.mark.parametrize(
    ("assigned", "env"),
    [
        ("PORT=8000 NODE_ENV=production", {"PORT": "{port}", "NODE_ENV": "production"}),
        ("DB=postgresql://me:hidden@db/shop HTTP_PORT=80", {"DB": "{dsn}", "HTTP_PORT": "{port}"}),
        ("DB=jdbc:postgresql://db/shop PORT=80", {"DB": JDBC, "PORT": "{port}"}),
        ("DB=postgres://db/shop", {"DB": "postgres:{dsn_rest}", "PORT": "{port}"}),
        (
            "PGHOST=db PGDATABASE=shop POSTGRES_USER=me DATABASE_PASSWORD=hidden METRICS_PORT=9000",
            {
                "PGHOST": "{database_host}",
                "PGDATABASE": "{database_name}",
                "POSTGRES_USER": "{database_user}",
                "DATABASE_PASSWORD": "{database_password}",
                "METRICS_PORT": "9000",
                "PORT": "{port}",
            },
        ),
        ("API_KEY=hidden X=http://me:hidden@host/ WORKERS=4", {"WORKERS": "4", "PORT": "{port}"}),
    ],
)
def test_variables_before_the_command_are_declared_without_secrets(
    folder: Path, assigned: str, env: dict[str, str]
) -> None:
    assert main(["init", "--command", f"{assigned} node server.js"]) == 0

    service = service_from(folder / "brownout.toml")
    assert service.command == ["node", "server.js"]
    assert service.env in (env, {"DATABASE_URL": "{dsn}", **env})
    assert "hidden" not in text(folder)
    assert ("# API_KEY may be a secret" in text(folder)) == ("API_KEY" in assigned)


@pytest.mark.parametrize("running", [False, True], ids=["alone", "url"])
def test_only_the_service_s_own_port_becomes_a_free_one(folder: Path, running: bool) -> None:
    with answering({"/openapi.json": FASTAPI}) as url:
        port = url.rpartition(":")[2] if running else "3000"
        command = (
            "DB_HOST=localhost DB_PORT=5432 DB_NAME=shop REDIS_PORT=6379 "
            f"PORT={port} node server.js"
        )
        assert main(["init", "--command", command, *(["--url", url] if running else [])]) == 0
    assert service_from(folder / "brownout.toml").env == {
        "DB_HOST": "{database_host}",
        "DB_PORT": "{database_port}",
        "DB_NAME": "{database_name}",
        "REDIS_PORT": "6379",
        "PORT": "{port}",
    }


@pytest.mark.parametrize("command", ["cd app && npm start", "make; serve", "serve | tee a.log"])
def test_what_is_for_a_shell_is_refused(capsys: Said, command: str) -> None:
    assert main(["init", "--command", command]) == 2
    assert "which is for a shell, but none is used" in capsys.readouterr().err


def test_a_shell_s_own_command_is_taken_as_it_is(folder: Path) -> None:
    assert main(["init", "--command", "sh -c 'cd app && exec npm start'"]) == 0
    assert service_from(folder / "brownout.toml").command[2] == "cd app && exec npm start"


def test_a_container_s_command_has_a_comment(folder: Path) -> None:
    assert main(["init", "--command", "docker run -p 8000:8000 shop"]) == 0
    assert "# A container is started by `image`" in text(folder)


def test_the_variables_of_a_container_are_declared_without_secrets(folder: Path) -> None:
    command = (
        "docker run -e DATABASE_URL=postgres://u:hidden@db/x --env=MODE=fast --env API_KEY=hidden "
        "-e TZ -p 8000:8000 shop:1"
    )
    assert main(["init", "--command", command]) == 0
    service = service_from(folder / "brownout.toml")
    assert service.command == ["docker", "run", "-e", "TZ", "-p", "8000:8000", "shop:1"]
    assert service.env["DATABASE_URL"] == "postgres:{dsn_rest}"
    assert service.env["MODE"] == "fast"
    assert "# API_KEY may be a secret" in text(folder)
    assert "hidden" not in text(folder)


def test_an_option_of_another_program_sets_no_variable(folder: Path) -> None:
    assert main(["init", "--command", "serve -e MODE=fast"]) == 0
    assert service_from(folder / "brownout.toml").command == ["serve", "-e", "MODE=fast"]


@pytest.mark.parametrize(
    "command", ["docker compose up", "A=1 docker-compose up", "podman compose"]
)
def test_a_compose_file_is_refused(capsys: Said, command: str) -> None:
    assert main(["init", "--command", command]) == 2
    assert "declare the service's image" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("npm start", True),
        ("./mvnw spring-boot:run", True),
        ("sh start.sh", True),
        ("sh -c 'cd app && exec node server.js'", False),
        ("node server.js", False),
    ],
)
def test_what_starts_the_service_as_another_process_has_a_comment(
    folder: Path, command: str, told: bool
) -> None:
    assert main(["init", "--command", command]) == 0
    assert ("# A stop signals this process alone" in text(folder)) == told


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("alembic.ini", [["alembic", "upgrade", "head"]]),
        ("manage.py", [["python", "manage.py", "migrate", "--noinput"]]),
    ],
)
def test_the_folder_suggests_how_the_database_is_prepared(
    folder: Path, file: str, words: list[list[str]]
) -> None:
    (folder / file).touch()

    assert made(folder, FASTAPI).prepare == words


def test_the_token_is_in_the_body_itself_if_it_can_be(folder: Path) -> None:
    address = {"type": "object", "required": ["street"],
               "properties": {"street": {"type": "string"}}}  # fmt: skip
    parts = {"address": address, "mail": {"type": "string", "format": "email"}}

    assert body_of(folder, parts) == {
        "address": {"street": "tea"}, "mail": "{token}@example.com"
    }  # fmt: skip
    del parts["mail"]
    assert body_of(folder, parts) == {"address": {"street": "{token}"}}


def body_of(folder: Path, properties: dict[str, Any]) -> object:
    """The body that is made for a schema that requires these members."""
    schema = {"type": "object", "required": list(properties), "properties": properties}
    content = {"application/json": {"schema": schema}}
    document = {"openapi": "3.1.0", "paths": {"/people": {
        "post": {"requestBody": {"content": content}, "responses": {}},
    }}}  # fmt: skip
    (operation,) = made(folder, document, "--force").operations
    return operation.json


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        ({}, 1),
        ({"minimum": 5}, 5),
        ({"exclusiveMinimum": 5}, 6),
        ({"minimum": 5, "exclusiveMinimum": True}, 6),
        ({"minimum": 0, "maximum": 0}, 0),
        ({"multipleOf": 10}, 10),
    ],
)
def test_a_number_keeps_to_its_limits(folder: Path, limits: dict[str, object], value: int) -> None:
    assert body_of(folder, {"count": {"type": "integer", **limits}}) == {"count": value}


# -- a running service ---------------------------------------------------------------------------


@contextmanager
def answering(
    replies: dict[str, Any],
    *,
    missing: int = 404,
    problem: object = None,
    errors: str = "application/problem+json; x=1",
) -> Iterator[str]:
    """A service that has these paths, and answers others with `missing`, as a problem."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in replies
            body = json.dumps(replies.get(self.path, problem or {})).encode()
            self.send_response(200 if known else missing)
            self.send_header("Content-Type", "application/json" if known else errors)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_running_service_is_asked_for_all_of_it(folder: Path) -> None:
    with answering({"/v3/api-docs": SPRING, "/livez": {}, "/readyz": {}}) as url:
        assert main(["init", "--url", url]) == 0

    service = service_from(folder / "brownout.toml")
    assert (service.health.live, service.health.ready) == ("/livez", "/readyz")
    assert [one.name for one in service.operations] == ["list-orders", "place-order"]
    assert service.errors.media_type == "application/problem+json"


@pytest.mark.parametrize(
    ("problem", "trace"),
    [
        ({"title": "Not Found", "trace_id": "4f5d8e06"}, "trace_id"),
        ({"requestId": "4f5d8e06"}, "requestId"),
        ({"title": "Not Found", "trace_id": 7}, None),
        (["trace_id"], None),
    ],
)
def test_an_unknown_path_shows_which_member_leads_to_the_log(
    folder: Path, problem: object, trace: str | None
) -> None:
    with answering({}, problem=problem) as url:
        assert main(["init", "--url", url]) == 0
    assert service_from(folder / "brownout.toml").errors.trace == trace


def test_health_routes_below_a_prefix_have_it_as_the_operations_do(folder: Path) -> None:
    document = {**SPRING, "servers": [{"url": "/shop"}]}
    replies = {"/shop/v3/api-docs": document, "/shop/livez": {}, "/shop/readyz": {}}
    with answering(replies) as url:
        assert main(["init", "--url", f"{url}/shop/"]) == 0

    service = service_from(folder / "brownout.toml")
    assert (service.health.live, service.health.ready) == ("/shop/livez", "/shop/readyz")
    assert all(one.path.startswith("/shop/") for one in service.operations)


@pytest.mark.parametrize(
    ("replies", "media_type", "comment"),
    [
        ({"/v3/api-docs": SPRING}, "application/problem+json", "# An unknown path is answered as"),
        ({}, "text/html", "# Seen at an unknown path only"),
    ],
)
def test_an_unknown_path_in_html_says_little_of_other_errors(
    folder: Path, replies: dict[str, Any], media_type: str, comment: str
) -> None:
    with answering(replies, errors="text/html") as url:
        assert main(["init", "--url", url]) == 0
    assert service_from(folder / "brownout.toml").errors.media_type == media_type
    assert comment in text(folder)


def test_a_service_that_answers_everything_shows_no_health_route(folder: Path) -> None:
    with answering({}, missing=200) as url:
        assert main(["init", "--url", url]) == 0

    service = service_from(folder / "brownout.toml")
    assert (service.health.live, service.health.ready) == (None, None)
    assert service.operations == ()


def test_a_document_at_a_url(folder: Path) -> None:
    with answering({"/spec": FASTAPI}) as url:
        assert main(["init", "--openapi", f"{url}/spec"]) == 0
    assert len(service_from(folder / "brownout.toml").operations) == 2


# -- what is refused -----------------------------------------------------------------------------


def test_a_file_that_is_there_is_kept_without_force(folder: Path, capsys: Said) -> None:
    (folder / "brownout.toml").write_text("mine")

    assert main(["init", "--command", "app"]) == 2
    assert text(folder) == "mine"
    assert "replace it with --force" in capsys.readouterr().err

    assert main(["init", "--command", "app", "--force"]) == 0
    assert text(folder) != "mine"


@pytest.mark.parametrize("command", ["", "PORT=80"])
def test_a_command_without_a_command_is_told(capsys: Said, command: str) -> None:
    assert main(["init", "--command", command]) == 2
    assert "--command has no command" in capsys.readouterr().err


def test_nothing_to_make_it_from_is_told(folder: Path, capsys: Said) -> None:
    assert main(["init"]) == 2
    assert "--url http://127.0.0.1:8000" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ('{"swagger": "2.0"}', "is a Swagger 2.0 document"),
        ('{"openapi": "2.9"}', "is no OpenAPI 3 document"),
        ("[]", "is no OpenAPI 3 document"),
        ("<html>", "is no"),
        ("[" * 100_000, "is no"),
    ],
)
def test_what_is_no_document_is_told(folder: Path, capsys: Said, content: str, cause: str) -> None:
    (folder / "openapi.json").write_text(content)

    assert main(["init", "--openapi", "openapi.json"]) == 2
    assert cause in capsys.readouterr().err
    assert not (folder / "brownout.toml").exists()


def test_yaml_needs_a_library_that_may_be_missing(
    folder: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    (folder / "openapi.yaml").write_text("openapi: 3.1.0\npaths: {}\n")

    assert main(["init", "--openapi", "openapi.yaml"]) == 2
    assert "pip install pyyaml" in capsys.readouterr().err


def test_yaml_is_read_where_the_library_is(folder: Path) -> None:
    (folder / "openapi.yaml").write_text(
        "openapi: 3.1.0\npaths:\n  /things:\n    get: {responses: {'200': {}}}\n"
    )

    assert main(["init", "--openapi", "openapi.yaml"]) == 0
    assert [one.path for one in service_from(folder / "brownout.toml").operations] == ["/things"]


@pytest.mark.parametrize("day", ["2024-01-15", "2024-13-45", "2024-01-15T12:00:00Z"])
def test_a_date_in_yaml_is_the_text_that_it_is_in_json(folder: Path, day: str) -> None:
    body = f"{{content: {{application/json: {{example: {{name: tea, born: {day}}}}}}}}}"
    (folder / "openapi.yaml").write_text(
        f"openapi: 3.1.0\npaths: {{/people: {{post: {{requestBody: {body}, responses: {{}}}}}}}}\n"
    )

    assert main(["init", "--openapi", "openapi.yaml"]) == 0
    (operation,) = service_from(folder / "brownout.toml").operations
    assert isinstance(operation.json, dict)
    assert operation.json["born"] == day


def test_half_a_surrogate_in_a_document_is_replaced(folder: Path, capsys: Said) -> None:
    properties = {"name": {"type": "string"}, "say": {"type": "string", "example": "a\ud83d"}}
    assert body_of(folder, properties) == {"name": "{token}", "say": "a?"}

    made(folder, {"openapi": "3.1.0", "info": {"title": "a\ud83d"}, "paths": {}}, "--force")
    assert "(a?)" in capsys.readouterr().out


def test_a_byte_order_mark_before_a_document_is_not_of_it(folder: Path) -> None:
    (folder / "openapi.json").write_text(json.dumps(FASTAPI), encoding="utf-8-sig")

    assert main(["init", "--openapi", "openapi.json"]) == 0


def test_what_no_declaration_can_hold_is_told_by_its_place(folder: Path, capsys: Said) -> None:
    command = "sh -c 'exec app --port ${port}'"
    assert main(["init", "--command", command]) == 2

    said = capsys.readouterr().err
    assert "What was made is no declaration: Service.command" in said
    assert "brownout-new" not in said
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/openapi.json", "nowhere.json"])
def test_a_document_that_cannot_be_had_is_told(capsys: Said, place: str) -> None:
    assert main(["init", "--openapi", place]) == 2
    assert f"{place} cannot be" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host/", "http://", "http://[::1"])
def test_what_is_no_url_is_told(capsys: Said, url: str) -> None:
    assert main(["init", "--url", url]) == 2
    assert "the URL of a running service is needed" in capsys.readouterr().err


def test_a_password_in_the_url_is_not_written(folder: Path, capsys: Said) -> None:
    with answering({"/openapi.json": FASTAPI}) as url:
        assert main(["init", "--url", url.replace("//", "//me:hidden@")]) == 0
    assert "hidden" not in text(folder) + capsys.readouterr().out

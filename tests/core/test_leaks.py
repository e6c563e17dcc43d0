"""What gives the insides away is found; what only sounds like it is let through."""

import base64
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import Answer, BrownoutError, ContractViolation
from brownout.expectations import expect_no_leak
from brownout.mask import Mask
from tests.core.made import READ, WRITE, answer, problem

KNOWN = {
    "dsn.password": "hunter2hunter2",
    "dsn.user": "brownout_1f2e_service",
    "dsn.address": "127.0.0.1:54321",
}
MASK = Mask(KNOWN)

LEAKS = {
    "a traceback": {
        "python": 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in place\n'
        "    raise RuntimeError\nRuntimeError",
        "java": "java.lang.IllegalStateException: x\n\tat shop.Orders.place(Orders.java:41)",
        "java without its sources": "\tat shop.Orders.place(Unknown Source)",
        "kotlin": "at shop.Orders$place$1.invokeSuspend(Orders.kt:17)",
        "spring": "Caused by: org.hibernate.exception.JDBCConnectionException: Unable",
        "node": "    at Pool.connect (/srv/shop/node_modules/pg-pool/index.js:45:11)",
        "node's own": "    at process.processTicksAndRejections (node:internal/process/tasks:95:5)",
        "node's modules": "    at async place (file:///srv/shop/orders.mjs:10:9)",
        "go": "goroutine 17 [running]:\nmain.place(0xc000102000)",
        "go's panic": "panic: runtime error: invalid memory address or nil pointer dereference",
        "dotnet": "   at Shop.Orders.Place(Int32 id) in /src/Shop/Orders.cs:line 42",
        "php": "Stack trace:\n#0 /var/www/html/index.php(12): connect()\n#1 {main}",
        "rust": "thread 'main' panicked at src/main.rs:4:5",
    },
    "a source line": {
        "python": 'File "main.py", line 3',
        "python's function": "line 41, in place_order",
        "go": "main.go:120 +0x1b",
        "ruby": "app/models/order.rb:12:in `place'",
        "javascript": "orders.js:10",
        "rust": "src/orders/place.rs:41",
        "php": "in index.php:12",
    },
    "a file's path": {
        "container": "cannot import /app/shop/orders.py",
        "home": "/home/deploy/shop/orders.rb",
        "library": "loaded from /usr/lib/python3/dist-packages",
        "environment": "see .venv/lib/site-packages/shop",
        "local": "/usr/local/bin/shop",
        "web root": "/var/www/html/index.php",
        "log": "(/var/log/shop/error.log)",
        "optional": "'/opt/shop/snapshots/catalogue.db'",
        "socket": "/run/postgresql/.s.PGSQL.5432",
        "configuration": "could not read /etc/shop/settings.toml",
        "temporary": "/tmp/snapshot/x",  # noqa: S108 - it is only a text
        "windows": r"C:\inetpub\shop\orders.dll",
    },
    "SQL": {
        "select": "SELECT id, sku FROM orders WHERE customer = $1",
        "select on lines": "[SQL: SELECT orders.id\nFROM orders]",
        "select in small letters": "select count(*) from orders",
        "select all in small letters": "select * from orders",
        "select with names": 'select "orders"."id" from "orders"',
        "select with a condition": "select name from products where sku = $1",
        "select with an order": "x-sql: select id, sku from orders order by id desc limit 10",
        "select with a limit": "select id, sku from orders o limit $1",
        "select with a join": "select sku, name from stock join products p on p.id = stock.id",
        "select with a lock": "select left from stock for update",
        "insert": 'INSERT INTO "orders" ("sku") VALUES ($1)',
        "insert in small letters": "insert into orders (sku, quantity) values ($1, $2)",
        "update": "UPDATE stock SET left = left - 1",
        "update in small letters": "update public.stock set quantity = quantity - $1",
        "delete": "DELETE FROM orders",
        "delete in small letters": "delete from orders where id = $1",
        "table": "CREATE TABLE orders (id int)",
    },
    "the driver's class": {
        "asyncpg": "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed",
        "psycopg": "psycopg.OperationalError",
        "postgrex": "** (Postgrex.Error) the statement was refused",
        "psycopg2": "(psycopg2.errors.UndefinedTable)",
        "sqlalchemy": "sqlalchemy.exc.TimeoutError: QueuePool limit",
        "a class": "shop.storage.PoolExhaustedError",
        "a repr": "ConnectionRefusedError(111, 'x')",
        "java": "java.sql.SQLTransientConnectionException",
        "hikari": "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
        "go": "pq: sorry",
        "asyncpg's name alone": "ConnectionDoesNotExistError",
        "the DB-API's": "OperationalError",
        "spring": "CannotGetJdbcConnectionException",
        "a driver of the JVM": "PSQLException",
        "sequelize": "SequelizeConnectionRefusedError",
        "dotnet": "Npgsql.NpgsqlException (0x80004005)",
        "ruby": "PG::ConnectionBad",
        "rails": "ActiveRecord::ConnectionNotEstablished",
        "node": "SequelizeConnectionRefusedError",
        "prisma": "PrismaClientInitializationError",
        "elixir": "** (DBConnection.ConnectionError) tcp connect",
    },
    "a DSN": {
        "url": "postgresql://shop:pw@db/shop",
        "driver's url": "postgresql+asyncpg://shop:pw@db/shop",
        "short url": "postgres://db",
        "jdbc": "jdbc:postgresql://db/shop",
        "libpq": "host=db dbname=shop user=shop",
        "password": "user=shop password=x",
    },
    "an address or a low-level network error": {
        "the port of PostgreSQL": "db.internal:5432",
        "python": "[Errno 111] Connect call failed ('127.0.0.1', 5432)",
        "port": "127.0.0.1:5432",
        "tuple": "('127.0.0.1', 5432)",
        "libpq": 'connection to server at "127.0.0.1", port 5432 failed',
        "private": "could not reach 10.3.4.5:5432",
        "name": "postgres:5432",
        "localhost": "localhost:5432",
        "node": "connect ECONNREFUSED",
        "go": "dial tcp 10.0.0.3: connect: connection refused",
        "reset": "read: connection reset by peer",
        "pipe": "write: broken pipe",
    },
    "a database error text": {
        "an SQLSTATE": "57p01",
        "slots": "sorry, too many clients already",
        "role's slots": 'too many connections for role "shop"',
        "severity": "FATAL:  terminating",
        "code": "SQLSTATE 57P01",
        "terminated": "terminating connection due to administrator command",
        "time-out": "canceling statement due to statement timeout",
        "starting": "the database system is starting up",
        "missing": 'relation "orders" does not exist',
        "column": 'null value in column "sku" of relation "orders"',
        "unique": 'duplicate key value violates unique constraint "orders_pkey"',
        "denied": "permission denied for table orders",
        "login": 'password authentication failed for user "shop"',
        "syntax": 'syntax error at or near ")"',
        "aborted": "current transaction is aborted, commands ignored",
        "serialize": "could not serialize access due to concurrent update",
        "hba": "no pg_hba.conf entry for host",
        "rust's state": "code: SqlState(E55P03)",
        "input": 'invalid input syntax for type bigint: "no-such-number"',
        "length": "value too long for type character varying(40)",
        "detail": "Key (token)=(abc) already exists.",
        "row": "Failing row contains (1, null, 3).",
        "read only": "cannot execute INSERT in a read-only transaction",
        "disk": 'could not extend file "base/16384/16397": No space left on device',
        "oid": "could not open relation with OID 16384",
        "prepared": 'prepared statement "s_1" does not exist',
        "crash": "terminating connection because of crash of another server process",
    },
    "a driver's error text": {
        "asyncpg": "connection was closed in the middle of operation",
        "psycopg": "couldn't get a connection after 1.00 sec",
        "sqlalchemy": "QueuePool limit of size 5 overflow 0 reached, connection timed out",
        "node-postgres": "Error: timeout exceeded when trying to connect",
        "node-postgres gone": "Connection terminated unexpectedly",
        "node": "getaddrinfo ENOTFOUND db",
        "prisma": "Can't reach database server at `localhost`:`5432`",
        "database/sql": "driver: bad connection",
        "no rows": "sql: no rows in result set",
        "pgx": "failed to connect to `user=app database=shop`: hostname resolving error",
        "sqlx": "pool timed out while waiting for an open connection",
        "tokio": "db error: ERROR: out of memory",
        "hikari": "Connection is not available, request timed out after 1000ms",
        "spring": "Could not open JPA EntityManager for transaction",
        "jdbc": "An I/O error occurred while sending to the backend.",
        "rails": "could not obtain a connection from the pool within 5.000 seconds",
        "npgsql": "The connection pool has been exhausted, either raise 'Max Pool Size'",
        "knex": "Knex: Timeout acquiring a connection. The pool is probably full. Are you missing"
        " a .transacting(trx) call?",
        "pg-pool": "Cannot use a pool after calling end on the pool",
        "dbconnection": "connection not available and request was dropped from queue after 1000ms.",
        "postgrex": "tcp recv (idle): closed",
        "postgrex, in use": "tcp send: closed (the connection was closed by the pool)",
        "tomcat": "[exec-1] Timeout: Pool empty. Unable to fetch a connection in 1 seconds, none"
        " available[size:5; busy:5; idle:0; lastwait:1000].",
        "agroal": "Sorry, acquisition timeout!",
        "r2dbc": "Pool#acquire(Duration) has been pending for more than the configured timeout of"
        " 1000ms",
        "deadpool": "Timeout occurred while waiting for a slot to become available",
    },
}

HARMLESS = [
    "Please update your order",
    "Please update the set of addresses",
    "Select a product from the list",
    "select one of red, green or blue from the list where available",
    "Select a size and a colour from the list, and order by phone",
    "select up to three from the menu for your group by 10 May",
    "You cannot delete from this list",
    "Insert into the slot the card",
    "The relation between price and weight is wrong",
    'The column "Price" is required',
    'The role "admin" is required',
    "Permission denied for this action",
    "The connection to the warehouse was refused",
    "The database is unavailable, try again in 5 seconds",
    "Too many connections, try again later",
    "Too many requests",
    "The value is too long: at most 40 characters",
    "invalid input: quantity is not a number",
    "The connection is closed, try again",
    "The operation has timed out",
    "the connection timed out",
    "no slot is available",
    "A connection is not available, and the request was dropped",
    "Timeout: the swimming pool is empty",
    "Sorry, the acquisition of the picture timed out",
    "The key (front door) already exists",
    "No connection to the warehouse could be obtained in time",
    "Service unavailable (the request's deadline was exceeded)",
    "2 ValidationError(s) were found",
    "Errors:\n - quantity is negative\nJSON:\nA:\n\tx",
    "Error at line 3: quantity is negative",
    "Order 17 was placed at 10:30:15 by (us)",
    "2024-05-01T10:00:00Z",
    "2024-05-01T10:00:00.123456+02:00",
    "https://shop.example/problems/database-unavailable",
    "https://shop.example/problems/connection-refused",
    "https://shop.example/docs/errors.php?code=17#select-from",
    "http://127.0.0.1:40123/orders/17",
    "http://localhost:8000/problems/out-of-stock",
    "/problems/out-of-stock",
    "/orders/0b5fa17c",
    "/home/orders/17",
    "/app/orders/17",
    "/api/opt/in/now",
    "/users/root/orders",
    "/static/app.js",
    "/openapi.json",
    "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "about:blank",
    "Field required",
    "value is not a valid integer",
    "ValidationError",
    "DatabaseError",
    "shop.example:8443",
    "PT57P",
    "orders.NotFoundError",
    "OUT_OF_STOCK",
    "127.0.0.1",
    "1.2.3.4",
    "See shop.example:443 or node.js for help",
    "sku tea-10.5, 25 left",
    "9.99 €",
]

HARMLESS_HEADERS = {
    "Content-Type": "application/problem+json; charset=utf-8",
    "Server": "uvicorn",
    "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
    "Location": "http://127.0.0.1:40123/orders/",
    "Link": '</openapi.json>; rel="service-desc"',
    "Retry-After": "1",
    "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "ETag": 'W/"0815"',
    "Set-Cookie": "session=abc; Path=/; HttpOnly; SameSite=Lax",
    "Content-Security-Policy": "default-src 'self'; script-src https://cdn.example/x.js",
    "Server-Timing": "total;dur=12.5",
    "Allow": "GET, HEAD, POST, DELETE, UPDATE",
}


def each_leak() -> Iterator[object]:
    for kind, texts in LEAKS.items():
        for name, text in texts.items():
            yield pytest.param(kind, text, id=f"{kind}: {name}")


def bodies(text: str) -> list[Answer]:
    """The same text in every place where an answer may hold it."""
    page = f"<html><title>Error</title><pre>{text}</pre></html>"
    return [
        problem(500, detail=text),
        problem(500, errors=[{"loc": ["body"], "msg": text}]),
        answer(500, json={text: 1}),
        answer(500, body=text.encode()),
        answer(500, body=page.encode(), headers={"Content-Type": "text/html"}),
    ]


@pytest.mark.parametrize(("kind", "text"), list(each_leak()))
def test_a_leak_is_found_wherever_it_stands_and_named_but_not_quoted(kind: str, text: str) -> None:
    for leaking in bodies(text):
        with pytest.raises(ContractViolation) as violation:
            expect_no_leak([problem(503), leaking])
        assert kind in violation.value.violation.observed
        assert text not in str(violation.value)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_like_a_leak_is_let_through(text: str) -> None:
    for innocent in [*bodies(text), answer(404, headers={"X-Note": text.replace("\n", " ")})]:
        expect_no_leak([innocent])


def test_headers_that_every_service_sends_are_let_through() -> None:
    expect_no_leak([problem(503, headers=HARMLESS_HEADERS)])


@pytest.mark.parametrize("text", ["postgresql://a@b/c", "SELECT 1 FROM a", "asyncpg.Pool"])
def test_a_leak_in_a_header_is_found(text: str) -> None:
    with pytest.raises(ContractViolation):
        expect_no_leak([problem(503, headers={"X-Error": text})])


@pytest.mark.parametrize(
    "escaped",
    [
        r'{"detail": "\/var\/www\/html\/index.php"}',
        r'{"detail": "postgresql:\/\/shop@db\/shop"}',
        r'{"detail": "File \"main.py\", line 3"}',
        r'{"detail": "\u0053ELECT id FROM orders"}',
        "<pre>File &quot;main.py&quot;, line 3</pre>",
    ],
)
def test_escapes_hide_nothing(escaped: str) -> None:
    with pytest.raises(ContractViolation):
        expect_no_leak([answer(500, body=escaped.encode())])


@pytest.mark.parametrize("member", ["42501", "state 42501", "x-42501"])
def test_the_sqlstate_that_was_injected_is_found_in_text_but_not_in_a_number(member: str) -> None:
    for told in (problem(503, code=member), problem(503, headers={"X-Code": member})):
        with pytest.raises(ContractViolation, match="nothing of the internals") as violation:
            expect_no_leak([told], sqlstates=["42501"])
        assert "an SQLSTATE" in violation.value.violation.observed
        expect_no_leak([told], sqlstates=["53300"])
    innocent = answer(200, json={"cents": 42501}, headers={"Content-Length": "42501"})
    expect_no_leak([innocent], sqlstates=["42501"])


@pytest.mark.parametrize("secret", KNOWN.values())
def test_a_masked_secret_is_found_in_every_answer_even_in_an_address(secret: str) -> None:
    innocent = problem(503)
    for leaking in (
        problem(503, detail=f"as {secret}."),
        problem(503, headers={"X-Peer": secret}),
        problem(503, instance=f"http://{secret}/x"),
        answer(200, json=[{"note": secret}]),
        answer(500, body=base64.b64encode(secret.encode())),
    ):
        recorded = [MASK.answer(one) for one in (innocent, innocent, leaking)]
        with pytest.raises(ContractViolation, match="nothing of the internals") as violation:
            expect_no_leak(recorded)
        assert "a name, password or address" in violation.value.violation.observed
        assert secret not in str(violation.value)


@pytest.mark.parametrize("secret", KNOWN.values())
def test_a_secret_is_found_in_any_case(secret: str) -> None:
    with pytest.raises(ContractViolation, match="nothing of the internals"):
        expect_no_leak([MASK.answer(problem(503, detail=f"as {secret.upper()}."))])


def test_a_mask_alone_makes_no_leak() -> None:
    expect_no_leak([MASK.answer(problem(503, detail="⟨⟩, ⟨3⟩ and ⟨Dsn⟩ are no markers"))])


def test_nothing_to_judge_is_no_pass() -> None:
    with pytest.raises(BrownoutError, match="no answer to judge"):
        expect_no_leak([])


@given(
    st.recursive(
        st.text(alphabet="abcdefgh ijklmnop.,-!?äß€0123456789", max_size=80)
        | st.integers()
        | st.booleans()
        | st.none(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(alphabet="abcdef_", max_size=8), inner, max_size=4)
        ),
        max_leaves=10,
    )
)
def test_a_body_of_plain_words_and_numbers_is_let_through(body: object) -> None:
    expect_no_leak([answer(400, body=json.dumps(body).encode())])


@pytest.mark.parametrize(
    "part", ["a.", "/a", "select * ", "SELECT a ", "at (/", "update a set ", "a"]
)
def test_a_long_body_is_judged_in_no_time(part: str) -> None:
    long = answer(500, body=(part * 10_000).encode())
    began = time.process_time()
    with contextlib.suppress(ContractViolation):
        expect_no_leak([long])
    assert time.process_time() - began < 2


@given(st.binary(max_size=300))
def test_no_body_whatever_breaks_the_judgement(body: bytes) -> None:
    with contextlib.suppress(ContractViolation):
        expect_no_leak([answer(500, body=body)])


OWN = "127.0.0.1:26046"


@pytest.mark.parametrize("text", [OWN, "localhost:26046/abc", '{"homepage": "[::1]:26046"}'])
def test_the_address_at_which_the_service_was_asked_is_no_secret(text: str) -> None:
    expect_no_leak([answer(500, body=text.encode())], own=OWN)


@pytest.mark.parametrize("text", ["127.0.0.1:5432", "127.0.0.1:260461", "10.0.0.1:26046"])
def test_any_other_address_is(text: str) -> None:
    with pytest.raises(ContractViolation, match="an address"):
        expect_no_leak([answer(500, body=f"connect {text}".encode())], own=OWN)


def test_an_address_without_a_port_is_no_secret_either() -> None:
    expect_no_leak([answer(500, body=b"ask db.internal.example")], own="db.internal.example")


def test_what_a_success_always_holds_is_its_content() -> None:
    usual = {READ.name: [answer(json={}), answer(json={"servers": ["10.0.0.7:5432"]})]}
    expect_no_leak([answer(json={"servers": ["10.0.0.8:5432"]})], usual=usual)
    with pytest.raises(ContractViolation, match="a traceback"):
        expect_no_leak([answer(body=b"Traceback (most recent call last)")], usual=usual)
    with pytest.raises(ContractViolation, match="an address"):
        expect_no_leak([answer(500, json={"server": "10.0.0.8:5432"})], usual=usual)
    with pytest.raises(ContractViolation, match="an address"):
        expect_no_leak([answer(json={"server": "10.0.0.8:5432"}, operation=WRITE)], usual=usual)


def at(path: str, text: str) -> Answer:
    """A 404 for a request of `path` that says so."""
    return replace(problem(404, detail="Nothing is there.", instance=text), path=path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/run/42/logs", "/run/42/logs"),
        ("/run/42/logs", "GET /run/42/logs?page=2"),
        ("/run/42/logs", "No resource at /run/42/logs."),
        ("/run/42/logs", f"{OWN}/run/42/logs"),
        ("/run/42/logs", "/run/42/logs/"),
        ("/root/menu", "Cannot GET /root/menu"),
        ("/tmp/uploads", "(/tmp/uploads)"),  # noqa: S108 - a URL
        ("/domains/example.rs", "/domains/example.rs"),
        ("/shop/etc/x", "/etc/x"),
        ("/etc/caf%C3%A9", "/etc/caf%C3%A9"),
        ("/etc/caf%C3%A9", "/etc/café"),
    ],
)
def test_the_path_that_a_caller_asked_for_is_no_secret(path: str, text: str) -> None:
    expect_no_leak([at(path, text)], own=OWN)
    with pytest.raises(ContractViolation, match="a file's path"):
        expect_no_leak([at("/orders", text)], own=OWN)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/42", "/etc/passwd"),
        ("/etc", "/etc/passwd"),
        ("/root", "/root/.ssh/id"),
        ("/etc/x", "/etc/x.conf"),
        ("/etc/x", "/etc/x-y"),
        ("/42", "/run/42/logs"),
        ("/log/", "/var/log/x"),
        ("/lib", "/var/lib/postgresql"),
        ("/domains/example.rs", "/domains/example.rs:17"),
        ("/", "/etc/passwd"),
        ("", "/etc/passwd"),
    ],
)
def test_any_other_path_is_even_one_that_contains_it(path: str, text: str) -> None:
    with pytest.raises(ContractViolation, match=r"file's path|source line"):
        expect_no_leak([at(path, text)], own=OWN)

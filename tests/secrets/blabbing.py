"""A service that says every secret it has wherever a service can say something, in every form."""

import itertools
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from brownout import Authentication, Budget, Health, Operation, Service, ms, seconds
from tests.secrets.forms import forms_of

__all__ = ["by_basic", "by_cookie", "by_token"]

LITERAL: Final = "lit/eral+key of a header"
ARGUMENT: Final = "an-argument-of-its-own"
_AT_ONCE: Final = 24  # pieces in one line, answer or statement
_ENDING: Final = "42501"  # the SQLSTATE that ends the process

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Piece:
    """One secret in one form: whose it is, how it is written, and the text."""

    what: str
    form: str
    text: str
    secret: str


class Blabber:
    """Says its secrets in turn, at each place for itself, and notes what it has said where."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._pieces: list[Piece] = []
        self._at: dict[str, int] = {}
        self._noted: set[tuple[str, str, str]] = set()

    def learn(self, what: str, secret: str) -> None:
        """Have one more secret."""
        if all(piece.what != what for piece in self._pieces):
            self._pieces += [Piece(what, form, text, secret) for form, text in forms_of(secret)]

    def say(self, place: str, number: int = _AT_ONCE) -> Iterator[str]:
        """The next pieces for a place, each with what it is."""
        at = self._at.get(place, 0)
        self._at[place] = at + number
        count = min(number, len(self._pieces))
        for piece in itertools.islice(itertools.cycle(self._pieces), at, at + count):
            key = (place, piece.what, piece.form)
            if key not in self._noted:
                self._noted.add(key)
                with self._notes.open("a", encoding="utf-8") as file:
                    note = {"place": place, **vars(piece)}
                    file.write(json.dumps(note) + "\n")
            yield f"@{place}: {piece.what}, {piece.form}@ {piece.text} @"

    def log(self, place: str) -> None:
        """Say some in the log."""
        print(*self.say(place), sep="\n", file=sys.stderr, flush=True)


class Shop:
    """Orders, behind a login."""

    def __init__(self, blabber: Blabber) -> None:
        self._blabber = blabber
        self._pool: asyncpg.Pool | None = None
        self._token = secrets.token_urlsafe(24) + "/+="

    async def login(self, request: Request) -> Response:
        """Give a token and a cookie."""
        self._blabber.learn("the login's token", self._token)
        self._blabber.log("log at login")
        assert (await request.json())["password"]
        answer = JSONResponse({"access_token": self._token})
        answer.set_cookie("session", self._token)
        return answer

    async def orders(self, request: Request) -> Response:
        """List orders, or fail, and say it all."""
        self._received(request)
        return await self._saying(request, "select id, customer from orders order by id limit 10")

    async def place(self, request: Request) -> Response:
        """Place an order."""
        self._received(request)
        customer = str((await request.json())["customer"]).replace("'", "")
        return await self._saying(
            request,
            f"insert into orders (customer) values ('{customer}') returning id, customer",  # noqa: S608
        )

    async def health(self, _: Request) -> Response:
        """Be ready, and talkative."""
        body = "\n".join(self._blabber.say("a health route's body"))
        return PlainTextResponse(body, headers=self._headers("a health route's header"))

    def _received(self, request: Request) -> None:
        carried = request.headers.get("Authorization", "").partition(" ")[2]
        if carried:
            self._blabber.learn("what Authorization carried", carried)
        for name, value in request.cookies.items():
            self._blabber.learn(f"the cookie {name}", value)
        self._blabber.learn("a declared header", request.headers["X-Api-Key"])

    async def _saying(self, request: Request, statement: str) -> Response:
        self._blabber.log("log")
        said = " ".join(self._blabber.say("SQL", 8)).replace("*/", "* /").replace("/*", "/ *")
        try:
            rows = await self._query(f"{statement} /* {said} */")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            self._blabber.log("log of an error")
            print("error:", error, file=sys.stderr, flush=True)
            if getattr(error, "sqlstate", "") == _ENDING:
                self._blabber.log("log at the process's end")
                os._exit(3)
            body = "\n".join(self._blabber.say("an error's body"))
            return PlainTextResponse(body, 500, self._headers("an error's header"))
        made = 201 if request.method == "POST" else 200
        said_here = [*self._blabber.say("a 2xx's body")]
        answer = {"rows": [dict(row) for row in rows], "said": said_here}
        return JSONResponse(answer, made, self._headers("a 2xx's header"))

    def _headers(self, place: str) -> dict[str, str]:
        said = {f"X-Said-{n}": text for n, text in enumerate(self._blabber.say(place, 8))}
        # Headers are Latin-1; what is beyond it comes as the bytes of its UTF-8.
        latin = {name: text.encode().decode("latin-1") for name, text in said.items()}
        unseen = secrets.token_urlsafe(18)
        return {**latin, "Set-Cookie": f"visit={unseen}; Path=/"}

    async def _query(self, statement: str) -> list[asyncpg.Record]:
        if self._pool is None:
            name = " ".join(self._blabber.say("application_name", 1))
            self._pool = await asyncpg.create_pool(
                os.environ["DATABASE_URL"], min_size=1, max_size=2, timeout=0.4,
                command_timeout=0.4, statement_cache_size=0,
                server_settings={"application_name": name.encode("ascii", "replace").decode()},
            )  # fmt: skip
        rows: list[asyncpg.Record] = await self._pool.fetch(statement)
        raising = "$$ begin raise exception '%', $s${}$s$; end $$".format(
            " ".join(self._blabber.say("an error of the server", 8)).replace("$", "_")
        )
        try:
            await self._pool.execute(f"do {raising}")
        except asyncpg.RaiseError as error:
            print("error:", error, file=sys.stderr, flush=True)
        return rows


_DIALECTS: Final = {
    "JDBC": "jdbc:postgresql://{host}:{port}/{name}?user={user}&password={password}",
    "libpq": "host={host} port={port} dbname={name} user={user} password='{password}'",
    "Npgsql": "Host={host};Port={port};Database={name};Username={user};Password={password}",
    "Go": "{user}:{password}@tcp({host}:{port})/{name}",
}


def _dialects(url: str) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    at = {"host": parts.hostname, "port": parts.port, "name": parts.path[1:]}
    user, password = str(parts.username), str(parts.password)
    yield "the DSN", url
    yield "the DSN of SQLAlchemy", url.replace("postgresql:", "postgresql+asyncpg:")
    for dialect, text in _DIALECTS.items():
        yield f"the DSN of {dialect}", text.format(**at, user=user, password=password)
    yield "the database's password", password
    yield "the database's role", user
    yield "the database's name", str(at["name"])
    yield "the database's address", f"{at['host']}:{at['port']}"


def main() -> None:
    """Serve at the port that is the first argument."""
    notes = Path(os.environ["BLABBING_NOTES"])
    blabber = Blabber(notes)
    for what, secret in _dialects(os.environ["DATABASE_URL"]):
        blabber.learn(what, secret)
    for name in ("BLABBING_PASSWORD", "BLABBING_API_KEY"):
        blabber.learn(f"the declared secret {name}", os.environ[name])
    unseen = secrets.token_urlsafe(18)
    for line in (
        f"Authorization: Bearer {unseen}", f"password={unseen}", f'{{"access_token": "{unseen}"}}',
        f"Set-Cookie: visit={unseen}; Path=/", f"amqp://guest:{unseen}@queue/", f"?token={unseen}",
    ):  # fmt: skip
        print("@log: an unknown secret,", "plain@", line, "@", file=sys.stderr, flush=True)
    with notes.open("a", encoding="utf-8") as file:
        note = {"place": "log", "what": "an unknown secret", "form": "plain", "text": unseen}
        file.write(json.dumps({**note, "secret": unseen}) + "\n")
    shop = Shop(blabber)
    app = Starlette(
        routes=[
            Route("/login", shop.login, methods=["POST"]),
            Route("/orders", shop.orders),
            Route("/orders", shop.place, methods=["POST"]),
            Route("/health", shop.health),
        ]
    )
    uvicorn.run(app, port=int(sys.argv[1]), log_level="info", h11_max_incomplete_event_size=2**20)


_JSON = {"user": "ada", "password": "{BLABBING_PASSWORD}"}
_HEADERS = {"X-Api-Key": LITERAL}

by_token = Service(
    command=[sys.executable, "-m", "tests.secrets.blabbing", "{port}", f"--token={ARGUMENT}"],
    cwd=Path(__file__).parents[2],
    env={"DATABASE_URL": "{dsn}"},
    seed=["create table orders (id bigint generated always as identity, customer text)"],
    secrets=["BLABBING_PASSWORD", "BLABBING_API_KEY"],
    login=Authentication(path="/login", json=_JSON),
    health=Health(live="/health", ready="/health"),
    operations=[
        Operation.read("list-orders", "GET", "/orders", headers=_HEADERS),
        Operation.write(
            "place-order", "POST", "/orders", json={"customer": "{token}"}, success=[201],
            headers=_HEADERS, applied="select count(*) from orders where customer = $1",
        ),
    ],
    budget=Budget(request=ms(1000), recovery=seconds(3), pool=2),
)  # fmt: skip
by_cookie = replace(by_token, login=Authentication(path="/login", json=_JSON, token="Set-Cookie"))  # noqa: S106 - a place
by_basic = replace(by_token, login=Authentication(user="ada", password="{BLABBING_PASSWORD}"))  # noqa: S106

if __name__ == "__main__":
    main()

"""Before anything is broken, the service is logged in to and values are captured."""

import base64
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from brownout import (
    Authentication,
    Budget,
    Operation,
    Service,
    ServiceNotReady,
    seconds,
)
from brownout.service.requests import request_of
from brownout.service.supplying import Supplier
from tests.core.made import READ, service

PASSWORD = "open-sesame-7"  # noqa: S105 - it opens nothing
LOGIN = Authentication(path="/login", json={"user": "me", "password": "{SHOP_PASSWORD}"})
PLACE = Operation.write("place", "POST", "/orders", captures={"order_id": "$.id"})
BY_ID = Operation.read("by-id", "GET", "/orders/{order_id}", headers={"X-Order": "{order_id}"})

Reply = tuple[int, object] | tuple[int, object, dict[str, str]]


class Shop(ThreadingHTTPServer):
    """Answers each path with its replies, one after the other, the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    def bodies(self, path: str) -> list[bytes]:
        """What came for a path."""
        return [body for asked, _, body in self.asked if asked == path]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer as the shop says."""
        assert isinstance(self.server, Shop)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path, dict(self.headers), body))
        replies = self.server.replies[self.path]
        status, value, *more = replies.pop(0) if len(replies) > 1 else replies[0]
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, header in more[0].items() if more else ():
            self.send_header(name, header)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST  # noqa: N815 - as http.server wants it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def supplier(
    shop: Shop,
    declared: Service,
    *,
    ended: bool = False,
    logins: int | None = None,
    **variables: str,
) -> Supplier:
    return Supplier(
        declared,
        url=lambda: shop.url,
        variables=lambda: {"SHOP_PASSWORD": PASSWORD, **variables},
        ended=lambda: ended,
        logins=logins,
    )


def behind(login: Authentication = LOGIN, **fields: Any) -> Service:
    return service(login=login, secrets=["SHOP_PASSWORD"], **fields)


def test_a_token_is_asked_for_and_carried(shop: Shop) -> None:
    shop.replies["/login"] = [(200, {"access_token": "opaque-1"})]
    made = supplier(shop, behind())
    made.supply()
    assert json.loads(shop.bodies("/login")[0]) == {"user": "me", "password": PASSWORD}
    assert made.supplies.headers == {"Authorization": "Bearer opaque-1"}
    request = request_of(READ, shop.url, "t", supplies=made.supplies)
    assert request.headers["authorization"] == "Bearer opaque-1"
    assert "opaque-1" in made.secrets


@pytest.mark.parametrize(("logins", "known"), [(None, {"0", "1", "2", "3"}), (2, {"2", "3"})])
def test_tokens_stay_secret_all_of_them_or_the_last_ones(
    shop: Shop, logins: int | None, known: set[str]
) -> None:
    shop.replies["/login"] = [(200, {"access_token": f"opaque-{n}"}) for n in range(4)]
    made = supplier(shop, behind(), logins=logins)
    for _ in range(4):
        made.outdate()
        made.supply()
    assert {f"opaque-{n}" for n in known} == {one for one in made.secrets if "opaque" in one}


def test_an_operation_may_go_without_the_login_or_with_its_own(shop: Shop) -> None:
    shop.replies["/login"] = [(200, {"access_token": "opaque-1"})]
    made = supplier(shop, behind())
    made.supply()
    public = Operation.read("public", "GET", "/", login=False)
    own = Operation.read("own", "GET", "/", headers={"Authorization": "mine"})
    sent = [request_of(one, shop.url, "t", supplies=made.supplies).headers for one in (public, own)]
    assert [one.get("authorization") for one in sent] == [None, "mine"]
    assert (
        "authorization"
        not in request_of(Operation.route("/ready"), shop.url, "t", supplies=made.supplies).headers
    )


def test_a_form_gives_a_cookie(shop: Shop) -> None:
    shop.replies["/login"] = [(303, b"", {"Set-Cookie": "sid=abc; HttpOnly", "Location": "/"})]
    login = Authentication(
        path="/login",
        form={"user": "a&b", "password": "{SHOP_PASSWORD}"},
        token="Set-Cookie",  # noqa: S106 - a header
    )
    made = supplier(shop, behind(login))
    made.supply()
    assert shop.bodies("/login") == [f"user=a%26b&password={PASSWORD}".encode()]
    assert made.supplies.headers == {"Cookie": "sid=abc"}


def test_basic_authentication_asks_for_nothing(shop: Shop) -> None:
    login = Authentication(user="me", password="{SHOP_PASSWORD}")  # noqa: S106 - a placeholder
    made = supplier(shop, behind(login))
    made.supply()
    pair = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert made.supplies.headers == {"Authorization": f"Basic {pair}"}
    assert pair in made.secrets
    assert shop.asked == []


def test_a_key_asks_for_nothing(shop: Shop) -> None:
    login = Authentication(key="{SHOP_PASSWORD}", header="X-Api-Key: {token}")
    made = supplier(shop, behind(login))
    made.supply(seconds(3600))
    assert made.supplies.headers == {"X-Api-Key": PASSWORD}
    assert PASSWORD in made.secrets
    assert shop.asked == []


def claims(**members: object) -> str:
    """A JSON Web Token with these claims, which nothing verifies here."""
    middle = base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{middle}.c2ln"


@pytest.mark.parametrize(
    ("login", "answer", "lifetime"),
    [
        pytest.param(LOGIN, {"access_token": "a", "expires_in": 90}, 90, id="the-answer-says"),
        pytest.param(LOGIN, None, 90, id="the-token-says"),
        pytest.param(
            Authentication(path="/login", expires=seconds(90)),
            {"access_token": "a", "expires_in": 5},
            90,
            id="declared",
        ),
        pytest.param(LOGIN, {"access_token": "a"}, None, id="not-known"),
        pytest.param(LOGIN, {"access_token": "a", "expires_in": 0}, None, id="no-time"),
        pytest.param(LOGIN, {"access_token": "a.b.c"}, None, id="no-web-token"),
    ],
)
def test_a_login_is_renewed_before_it_expires(
    shop: Shop, login: Authentication, answer: object, lifetime: float | None
) -> None:
    web_token = {"access_token": claims(exp=int(time.time()) + 90)}
    shop.replies["/login"] = [(200, answer or web_token)]
    made = supplier(shop, behind(login))
    made.supply()
    expires = made.supplies.expires
    assert (expires is None) == (lifetime is None)
    if lifetime is not None and expires is not None:
        assert expires - time.monotonic() == pytest.approx(lifetime, abs=5)
    made.supply(seconds(20))
    assert len(shop.asked) == 1
    made.supply(seconds(100))
    assert len(shop.asked) == 2


def test_a_process_that_was_started_anew_is_logged_in_to_anew(shop: Shop) -> None:
    shop.replies["/login"] = [(200, {"access_token": "one"}), (200, {"access_token": "two"})]
    made = supplier(shop, behind())
    made.supply()
    made.outdate()
    assert made.supplies.headers == {"Authorization": "Bearer one"}
    made.supply()
    assert made.supplies.headers == {"Authorization": "Bearer two"}
    assert {"one", "two"} <= set(made.secrets)


@pytest.mark.parametrize(
    ("reply", "cause", "remedy"),
    [
        pytest.param(
            (401, {"detail": f"wrong password {PASSWORD}"}),
            'The login failed, with status 401: {"detail": "wrong password ********"}',
            "Correct `login` in the declaration",
            id="refused",
        ),
        pytest.param(
            (200, {"token": "secret-token", "kind": "bearer"}),
            "The answer to the login has no token at $.access_token; it has the members token, "
            "kind.",
            "Correct `token` in the declared login",
            id="elsewhere",
        ),
        pytest.param(
            (200, b"<html>"),
            "it has the headers server, date, content-length.",
            "Correct `token` in the declared login",
            id="no-json",
        ),
    ],
)
def test_a_login_that_fails_is_told_once_and_shows_no_secret(
    shop: Shop, reply: Reply, cause: str, remedy: str
) -> None:
    shop.replies["/login"] = [reply]
    with pytest.raises(ServiceNotReady) as caught:
        supplier(shop, behind()).supply()
    assert cause in caught.value.cause
    assert caught.value.tried == ("POST /login",)
    assert remedy in caught.value.remedy
    assert len(shop.asked) == 1
    for secret in (PASSWORD, "secret-token"):
        assert secret not in str(caught.value)


def test_a_service_that_needs_a_moment_is_asked_again(shop: Shop) -> None:
    shop.replies["/login"] = [(503, {}), (429, {}), (200, {"access_token": "late"})]
    made = supplier(shop, behind())
    made.supply()
    assert made.supplies.headers == {"Authorization": "Bearer late"}


@pytest.mark.parametrize("ended", [False, True])
def test_it_is_not_asked_for_ever(shop: Shop, ended: bool) -> None:
    shop.replies["/login"] = [(503, {})]
    budget = Budget(request=seconds(1), recovery=seconds(0.3), pool=3)
    with pytest.raises(ServiceNotReady, match="The login failed, with status 503"):
        supplier(shop, behind(budget=budget), ended=ended).supply()
    assert (len(shop.asked) == 1) == ended


def test_a_key_from_a_file_is_sent_without_the_line_break_at_its_end(shop: Shop) -> None:
    login = Authentication(key="{SHOP_PASSWORD}")
    made = supplier(shop, behind(login), SHOP_PASSWORD=f"{PASSWORD}\n")
    made.supply()
    assert made.supplies.headers == {"Authorization": f"Bearer {PASSWORD}"}
    assert PASSWORD in made.secrets


@pytest.mark.parametrize("between", ["\n", "\0", "\u00fc"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    shop: Shop, between: str
) -> None:
    made = supplier(
        shop,
        behind(Authentication(key="{SHOP_PASSWORD}")),
        SHOP_PASSWORD=f"{PASSWORD}{between}{PASSWORD}",
    )
    with pytest.raises(ServiceNotReady, match="cannot be sent in a header") as refusal:
        made.supply()
    assert refusal.value.tried == ("the value of SHOP_PASSWORD",)
    assert PASSWORD not in str(refusal.value)


def test_values_are_captured_and_used(shop: Shop) -> None:
    shop.replies["/orders"] = [(201, {"id": 17}), (201, {"id": "a/b"})]
    made = supplier(shop, service([BY_ID, PLACE]))
    made.supply()
    request = request_of(BY_ID, shop.url, "t", supplies=made.supplies)
    assert (request.url.path, request.headers["x-order"]) == ("/orders/17", "17")
    body = Operation.write("pay", "POST", "/pay", json={"order": "{order_id}", "at": "#{order_id}"})
    paid = request_of(body, shop.url, "t", supplies=made.supplies)
    assert json.loads(paid.content) == {"order": 17, "at": "#17"}
    made.supply()
    request = request_of(BY_ID, shop.url, "t", supplies=made.supplies)
    assert (request.url.raw_path, request.headers["x-order"]) == (b"/orders/a%2Fb", "a/b")


def test_a_value_is_captured_with_the_login_and_with_earlier_values(shop: Shop) -> None:
    shop.replies["/login"] = [(200, {"access_token": "opaque-1"})]
    shop.replies["/orders"] = [(201, {"id": 17})]
    shop.replies["/orders/17"] = [(200, {"line": "x"})]
    first_line = Operation.read("first", "GET", "/orders/{order_id}", captures={"line": "$.line"})
    made = supplier(shop, behind(operations=[first_line, PLACE]))
    made.supply()
    assert made.supplies.values == {"order_id": 17, "line": "x"}
    assert [path for path, _, _ in shop.asked] == ["/login", "/orders", "/orders/17"]
    assert all(sent["Authorization"] == "Bearer opaque-1" for _, sent, _ in shop.asked[1:])


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            (400, {"e": 1}),
            "place failed, whose answer has to give {order_id}, with status 400: ",
        ),
        (
            (201, {"key": 1}),
            "The answer of place has no {order_id} at $.id; it has the members key",
        ),
    ],
)
def test_a_value_that_cannot_be_captured_is_told(shop: Shop, reply: Reply, cause: str) -> None:
    shop.replies["/orders"] = [reply]
    with pytest.raises(ServiceNotReady) as caught:
        supplier(shop, service([BY_ID, PLACE])).supply()
    assert cause in caught.value.cause
    assert caught.value.tried == ("POST /orders",)


def test_it_keeps_to_the_declared_pace(shop: Shop) -> None:
    shop.replies["/orders"] = [(201, {"id": 17})]
    began = time.monotonic()
    supplier(shop, service([PLACE], pace=10)).supply()
    assert time.monotonic() - began >= 0.1


def test_without_a_login_and_values_nothing_is_asked(shop: Shop) -> None:
    supplier(shop, service()).supply()
    assert shop.asked == []

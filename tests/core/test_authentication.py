"""How callers log in is declared, and where values stand in answers."""

import json
from typing import Any

import pytest

from brownout import Authentication, Operation, SettingsError, seconds
from brownout.declaration.captures import capturing_in_order
from brownout.declaration.credentials import credentials_in
from brownout.declaration.places import Place
from tests.core.made import service

LOGIN = Authentication(path="/login", json={"user": "me", "password": "{SHOP_PASSWORD}"})


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, "one of a path, user and password, and key is needed."),
        ({"user": "me"}, "one of a path, user and password, and key is needed."),
        ({"path": "/l", "user": "me", "password": "x"}, "one of a path"),
        ({"path": "/l", "key": "x"}, "one of a path"),
        ({"user": "me", "password": "x", "key": "x"}, "one of a path"),
        ({"key": "x", "header": "X-Api-Key"}, "but a header with {token} in its text"),
        ({"path": "login"}, "path is 'login', but a path begins with '/'."),
        ({"path": "/l", "json": {}, "form": {"a": "b"}}, "both json and form are given"),
        ({"path": "/l", "json": {"a": object()}}, "json contains what JSON cannot express"),
        ({"path": "/l", "success": [20]}, "success contains 20, but an HTTP status is from 100"),
        ({"path": "/l", "token": "$"}, "token is '$', but the place of token in an answer"),
        ({"path": "/l", "token": "$.a..b"}, "token is '$.a..b', but the place of token"),
        ({"path": "/l", "token": "X Token"}, "token is 'X Token', but the place of token"),
        ({"path": "/l", "token": "X-A: b"}, "token is 'X-A: b', but the place of token"),
        ({"path": "/l", "header": "Authorization"}, "but a header with {token} in its text"),
        ({"path": "/l", "header": "X-Token: x"}, "but a header with {token} in its text"),
        ({"path": "/l", "expires": seconds(0)}, "expires is datetime.timedelta(0), but"),
        ({"user": "a:b", "password": "x"}, "basic authentication allows no colon in it."),
    ],
)
def test_a_login_that_cannot_be_sent_is_refused(fields: dict[str, Any], cause: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Authentication(**fields)
    assert cause in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize("secrets", [(), ("SHOP_PASWORD",)])
def test_a_name_in_braces_has_to_be_a_declared_secret_s(secrets: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r"\{SHOP_PASSWORD\} is not the name of a declared"):
        service(login=LOGIN, secrets=secrets)
    service(login=LOGIN, secrets=["SHOP_PASSWORD"])


def test_a_secret_without_a_value_is_told() -> None:
    declared = service(login=LOGIN, secrets=["SHOP_PASSWORD"])
    declared.require_secrets({"SHOP_PASSWORD": "x"})
    given = service(login=LOGIN, secrets=["SHOP_PASSWORD"], env={"SHOP_PASSWORD": "x"})
    given.require_secrets({})
    service().require_secrets({})
    for environment in ({}, {"SHOP_PASSWORD": ""}):
        with pytest.raises(SettingsError, match="variable SHOP_PASSWORD, which is not set"):
            declared.require_secrets(environment)


@pytest.mark.parametrize(
    ("fields", "carried"),
    [
        ({"path": "/l"}, "Authorization: Bearer {token}"),
        ({"path": "/l", "token": "set-cookie"}, "Cookie: {token}"),
        ({"path": "/l", "header": "X-Token: {token}"}, "X-Token: {token}"),
        ({"user": "me", "password": "x"}, "Authorization: Basic {token}"),
        ({"key": "x"}, "Authorization: Bearer {token}"),
        ({"key": "x", "header": "X-Api-Key: {token}"}, "X-Api-Key: {token}"),
    ],
)
def test_operations_carry_what_is_usual_for_the_token(fields: dict[str, str], carried: str) -> None:
    assert Authentication(**fields).carried == carried  # type: ignore[arg-type]


def test_secrets_in_the_declaration_are_known_and_not_shown() -> None:
    login = Authentication(
        path="/login",
        json={"user": "me", "inner": [{"password": "hunter2-json"}], "api_key": "{SHOP_KEY}"},
        headers={"X-Client-Secret": "hunter2-header"},
    )
    assert list(login.literal_secrets()) == ["hunter2-json", "hunter2-header"]
    assert "hunter2" not in repr(login)
    assert list(login.used_secrets()) == ["SHOP_KEY"]


def test_a_key_is_known_and_not_shown() -> None:
    literal = Authentication(key="hunter2-key")
    assert list(literal.literal_secrets()) == ["hunter2-key"]
    assert "hunter2" not in repr(literal)
    named = Authentication(key="{SHOP_KEY}")
    assert list(named.used_secrets()) == ["SHOP_KEY"]
    assert list(named.literal_secrets()) == []


HEADERS = (
    ("Location", "http://shop.test/orders/17?new=1"),
    ("Set-Cookie", "sid=abc=; Path=/; HttpOnly"),
    ("Set-Cookie", "lang=en"),
    ("X-Id", "a b"),
)
BODY = json.dumps(
    {"id": 17, "order": {"ids": ["x", {"key-1": "y"}]}, "none": None, "yes": True, "price": 1.5}
).encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$.id", 17),
        ("$.price", 1.5),
        ("$.order.ids[0]", "x"),
        ("$.order.ids[1].key-1", "y"),
        ("$.order.ids[2]", None),
        ("$.order.ids.id", None),
        ("$[0]", None),
        ("$.order", None),
        ("$.none", None),
        ("$.yes", None),
        ("x-id", "a b"),
        ("X-Other", None),
        ("Location: /orders/{it}", "17"),
        ("location:/orders/{it}?new", "17"),
        ("Location: /customers/{it}", None),
        ("Set-Cookie", "sid=abc=; lang=en"),
        ("Set-Cookie: sid={it}", "abc="),
    ],
)
def test_a_value_is_found_where_it_stands(text: str, value: object) -> None:
    place = Place("it", text)
    place.require_valid("x")
    assert place.value(HEADERS, BODY) == value


def test_no_value_is_found_in_what_is_not_json() -> None:
    assert Place("it", "$.id").value((), b"<html>") is None


PLACE = Operation.write("place", "POST", "/orders", captures={"order_id": "$.id"})
READ = Operation.read("read", "GET", "/orders/{order_id}", captures={"line": "$.line"})
LINE = Operation.read("line", "GET", "/orders/{order_id}/{line}")


def test_each_value_is_captured_before_it_is_used() -> None:
    declared = service([LINE, READ, PLACE])
    assert capturing_in_order(declared.operations) == [PLACE, READ]


@pytest.mark.parametrize(
    ("operations", "cause"),
    [
        (
            [PLACE, Operation.read("x", "GET", "/x", captures={"order_id": "$.id"})],
            "order_id is captured by place and by x.",
        ),
        (
            [PLACE, Operation.read("x", "GET", "/orders/{order_di}")],
            "{order_di} in '/orders/{order_di}' is not a known name",
        ),
        (
            [
                Operation.read("a", "GET", "/{two}", captures={"one": "$.id"}),
                Operation.read("b", "GET", "/{one}", captures={"two": "$.id"}),
            ],
            "it uses {two}, which b captures only with a value of this operation.",
        ),
    ],
)
def test_captures_that_cannot_be_are_refused(operations: list[Operation], cause: str) -> None:
    with pytest.raises(SettingsError) as caught:
        service(operations)
    assert cause in caught.value.cause


@pytest.mark.parametrize(
    ("captures", "cause"),
    [
        ({"order id": "$.id"}, "captures has the name 'order id', which cannot stand in braces."),
        ({"token": "$.id"}, "captures has the name 'token', which cannot stand in braces."),
        ({"it": "id it"}, "captures.it is 'id it', but the place of it in an answer is needed."),
        ({"it": 1}, "captures: 'it' is 1, but text is needed."),
    ],
)
def test_a_capture_without_a_place_is_refused(captures: dict[str, Any], cause: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Operation.read("x", "GET", "/x", captures=captures)
    assert cause in caught.value.cause


def test_the_secrets_in_the_headers_of_an_operation_are_known() -> None:
    headers = {
        "Authorization": "Basic YWRhOmh1bnRlcjI=",
        "X-Api-Key": "a-key-of-mine",
        "Cookie": 'theme=dark; session="hunter2-cookie"',
        "X-Auth-Token": "{token}",
        "Accept": "text/plain",
    }
    assert list(credentials_in(headers)) == [
        "YWRhOmh1bnRlcjI=", "hunter2", "a-key-of-mine", "dark", "hunter2-cookie",
    ]  # fmt: skip

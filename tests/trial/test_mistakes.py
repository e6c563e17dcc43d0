"""What callers do wrong: beside a declared path, with its headers, one mistake each."""

import pytest

from brownout import NotAssessable, Operation
from brownout.trial.mistakes import Mistake, callers_mistakes, unstorable_values
from brownout.trial.scripts import Mistakes
from tests.core.made import READ, WRITE, service
from tests.core.peer import serving, whole
from tests.trial.staged import staged

BODY = Operation.write("fill", "PUT", "/things/{token}", json={"a": 1}, headers={"X-Key": "k"})
FREE = Operation.read("free", "GET", "/free", needs_database=False)
LOGGED_IN = Operation.read("mine", "GET", "/shop/v1/orders?all=1", headers={"Authorization": "me"})


def by_name(*operations: Operation) -> dict[str, Mistake]:
    """The mistakes; each has a name of its own."""
    made = list(callers_mistakes(service(operations)))
    named = {one.operation.name: one for one in made}
    assert len(named) == len(made)
    return named


def test_they_are_an_unknown_path_an_undeclared_method_and_broken_bodies() -> None:
    assert list(by_name(FREE, READ, WRITE, BODY)) == [
        "unknown path",
        "wrong method PUT",
        "fill: not JSON",
        "fill: another shape",
        "fill: empty",
        "fill: plain text",
    ]


def test_a_query_parameter_that_is_a_number_is_sent_as_a_word_each_in_turn() -> None:
    page = Operation.read("page", "GET", "/things?limit=10&sort=age&after=7")
    made = by_name(page)
    assert [one.operation.path for name, one in made.items() if name.startswith("page: ")] == [
        "/things?limit=no-such-number&sort=age&after=7",
        "/things?limit=10&sort=age&after=no-such-number",
    ]
    assert made["page: limit"].content is None


def test_values_that_no_database_holds_are_a_number_out_of_range_and_a_nul_in_each_text() -> None:
    page = Operation.read("page", "GET", "/things?limit=10&sort=age")
    deep = {"customer": "{token}", "lines": [{"sku": "tea", "count": 2}, "x"], "gift": None}
    place = Operation.write("place", "POST", "/orders", json=deep)
    made = list(unstorable_values(service([page, place])))
    assert [(one.operation.name, one.operation.path) for one in made] == [
        ("page: limit out of range", "/things?limit=99999999999999999999&sort=age"),
        ("place: $.customer with a NUL", "/orders"),
        ("place: $.lines[0].sku with a NUL", "/orders"),
        ("place: $.lines[1] with a NUL", "/orders"),
    ]
    assert all(one.content is None for one in made)
    assert made[1].operation.json == {**deep, "customer": "{token}\0"}
    lines = [{"sku": "tea\0", "count": 2}, "x"]
    assert made[2].operation.json == {**deep, "lines": lines}


def test_they_are_ten_texts_of_a_body_at_most() -> None:
    place = Operation.write("place", "POST", "/orders", json={"skus": ["tea"] * 50})
    assert len(list(unstorable_values(service([place])))) == 10


def test_without_a_declared_body_none_can_be_broken() -> None:
    assert list(by_name(READ, WRITE)) == ["unknown path", "wrong method PUT"]


def test_the_unknown_path_is_a_sibling_of_a_declared_one_and_carries_its_headers() -> None:
    unknown = by_name(LOGGED_IN)["unknown path"].operation
    assert (unknown.method, unknown.path) == ("GET", "/shop/v1/no-such-path-of-this-service")
    assert unknown.headers == {"Authorization": "me"}


def test_the_method_is_one_that_is_not_declared_on_the_same_path_with_its_headers() -> None:
    wrong = by_name(LOGGED_IN)["wrong method PUT"].operation
    assert (wrong.method, wrong.path) == ("PUT", "/shop/v1/orders")
    assert wrong.headers == {"Authorization": "me"}
    change = Operation.write("change", "PUT", "/things?now=1")
    assert "wrong method PATCH" in by_name(READ, WRITE, change)
    writes = [Operation.write(method, method, "/things") for method in ("PUT", "PATCH", "POST")]
    assert not [name for name in by_name(READ, *writes) if "method" in name], "never a DELETE"


@pytest.mark.parametrize("path", ["/", "/?page=1"])
def test_at_the_root_there_are_siblings_too(path: str) -> None:
    made = by_name(Operation.read("home", "GET", path))
    assert made["unknown path"].operation.path == "/no-such-path-of-this-service"
    assert made["wrong method PUT"].operation.path == "/"


def test_a_broken_body_is_sent_as_json_to_its_operation() -> None:
    made = by_name(READ, BODY)
    text = made["fill: plain text"]
    assert (text.content, text.headers) == (b"hello", {"Content-Type": "text/plain"})
    broken = [made[f"fill: {mistake}"] for mistake in ("not JSON", "another shape", "empty")]
    assert [one.content for one in broken] == [b"{", b"[]", b"{}"]
    assert all(one.headers == {"Content-Type": "application/json"} for one in broken)
    assert all(one.operation.path == "/things/{token}" for one in broken)
    assert all(one.operation.method == "PUT" for one in broken)


def test_a_method_that_the_service_may_have_meets_no_captured_value() -> None:
    placed = Operation.write("place", "POST", "/orders", captures={"order_id": "$.id"})
    by_id = Operation.read("by-id", "GET", "/orders/{order_id}/lines?all=1")
    made = by_name(by_id, placed)
    assert made["wrong method PUT"].operation.path == "/orders/0/lines"
    assert made["unknown path"].operation.path == "/orders/{order_id}/no-such-path-of-this-service"


def test_a_get_by_a_captured_value_or_a_number_is_sent_for_what_is_not_there() -> None:
    placed = Operation.write("place", "POST", "/orders", captures={"order_id": "$.id"})
    paid = Operation.write("pay", "POST", "/orders/{order_id}/pay")
    by_id = Operation.read("by-id", "GET", "/orders/{order_id}/lines?all=1")
    seventh = Operation.read("seventh", "GET", "/v1/orders/7")
    found = Operation.read("found", "GET", "/orders/by/{token}", reads_back="place")
    made = by_name(by_id, seventh, found, placed, paid)
    nil, large = "00000000-0000-0000-0000-000000000000", "9" * 20
    nowhere = ("no such number", "no such UUID", "number out of range")
    wrong = {name: one for name, one in made.items() if name.endswith(nowhere)}
    assert {name: one.operation.path for name, one in wrong.items()} == {
        "by-id: no such number": "/orders/0/lines?all=1",
        "by-id: no such UUID": f"/orders/{nil}/lines?all=1",
        "by-id: number out of range": f"/orders/{large}/lines?all=1",
        "seventh: no such number": "/v1/orders/0",
        "seventh: no such UUID": f"/v1/orders/{nil}",
        "seventh: number out of range": f"/v1/orders/{large}",
    }
    assert [one.right for one in wrong.values()] == [by_id] * 3 + [seventh] * 3


def test_mistakes_carry_the_login_where_the_operation_does() -> None:
    public = Operation.read("public", "GET", "/things", login=False)
    assert not any(one.operation.login for one in by_name(public).values())
    assert all(one.operation.login for one in by_name(READ).values())


def test_without_an_operation_that_needs_the_database_nothing_is_assessed() -> None:
    with pytest.raises(NotAssessable):
        by_name(FREE)


@pytest.mark.asyncio
async def test_they_are_sent_as_they_are_and_each_answer_is_named_for_its_mistake() -> None:
    declared = service([READ, BODY])
    async with serving(whole(404)) as peer, staged(peer, declared) as stage:
        await Mistakes().run(stage)
    assert [one.operation for one in stage.notes["mistakes"]] == list(by_name(READ, BODY))
    sent = {(request.method, request.path.partition("/things/")[0]) for request in peer.requests}
    assert sent == {("GET", "/no-such-path-of-this-service"), ("PUT", "/things"), ("PUT", "")}
    filled = [request for request in peer.requests if request.path.startswith("/things/")]
    assert {request.body for request in filled} == {b"{", b"[]", b"{}", b"hello"}
    assert {request.headers["content-type"] for request in filled} == {
        "application/json",
        "text/plain",
    }
    assert {request.headers["x-key"] for request in filled} == {"k"}

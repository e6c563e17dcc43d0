"""The table of calls: what each server answers, in the order in which one session makes them.

A row is a call and the answer that Toxiproxy's contract gives. Where the engine is better on
purpose, `ours` holds its answer and `why` begins the row of docs/reference/proxy.md that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ADDRESS", "ANY", "CALLS", "Answer", "Call"]

ANY = "<anything>"
ADDRESS = "<127.0.0.1 and a port>"


@dataclass(frozen=True)
class Answer:
    """A status and a body: JSON to compare exactly (but for ANY and ADDRESS), or text."""

    status: int
    json: Any = None
    text: str | None = None
    error: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request of a session."""

    name: str
    method: str
    path: str
    answer: Answer
    body: Any = None
    raw: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ours: Answer | None = None
    why: str = ""


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"error": message, "status": status})


def _bad(prefix: str = "bad request body: ") -> Answer:
    return Answer(400, error=prefix)


def _proxy(name: str, *, enabled: bool = True, toxics: Sequence[Any] = (), **more: str) -> Any:
    return {
        "name": name,
        "listen": more.get("listen", ADDRESS),
        "upstream": more.get("upstream", "127.0.0.1:1"),
        "enabled": enabled,
        "toxics": list(toxics),
    }


def _toxic(
    kind: str,
    *,
    stream: str = "downstream",
    toxicity: float = 1,
    name: str | None = None,
    **attributes: int,
) -> Any:
    return {
        "attributes": attributes,
        "name": name or f"{kind}_{stream}",
        "type": kind,
        "stream": stream,
        "toxicity": toxicity,
    }


_LOCAL = "127.0.0.1:0"
_NEW = {"name": "one", "listen": _LOCAL, "upstream": "127.0.0.1:1"}
_MISSING_NAME = _error(400, "missing required field: name")
_NO_PROXY = _error(404, "proxy not found")
_NO_TOXIC = _error(404, "toxic not found")
_TOXICS = "/proxies/one/toxics"
_EACH: Mapping[str, Mapping[str, Any]] = {
    "slow_close": {"delay": 5},
    "timeout": {"timeout": 100},
    "reset_peer": {"timeout": 100},
    "slicer": {"average_size": 64, "size_variation": 32, "delay": 10},
    "limit_data": {"bytes": 1000},
    "noop": {},
}
_NAMES = ("one", "off", "case", "local")
_NUMBERS = "numbers out of range"

_SERVER = [
    Call(
        "version",
        "GET",
        "/version",
        Answer(200, {"version": ANY}, headers={"content-type": "application/json;charset=utf-8"}),
    ),
    Call("no proxies", "GET", "/proxies", Answer(200, {})),
    Call("unknown path", "GET", "/nowhere", Answer(404, text="404 page not found\n")),
    Call("unknown path below a proxy", "GET", "/proxies/a/b/c/d", Answer(404, text=ANY)),
    Call("trailing slash", "GET", "/proxies/", Answer(404, text=ANY)),
    Call("wrong method", "PUT", "/proxies", Answer(405, text="")),
    Call("wrong method on version", "POST", "/version", Answer(405, text="")),
    Call("wrong method on reset", "GET", "/reset", Answer(405, text="")),
    Call("wrong method on populate", "GET", "/populate", Answer(405, text="")),
    Call("no metrics unless asked for", "GET", "/metrics", Answer(404, text=ANY)),
    Call(
        "a browser",
        "GET",
        "/proxies",
        Answer(403, text="User agent not allowed\n"),
        headers={"User-Agent": "Mozilla/5.0 (X11)"},
    ),
    Call(
        "request id",
        "GET",
        "/proxies",
        Answer(
            200, {}, headers={"x-toxiproxy-request-id": ANY, "content-type": "application/json"}
        ),
    ),
]

_PROXIES = [
    Call("create", "POST", "/proxies", Answer(201, _proxy("one")), _NEW),
    Call("create again", "POST", "/proxies", _error(409, "proxy already exists"), _NEW),
    Call("create without a name", "POST", "/proxies", _MISSING_NAME, {"upstream": "a:1"}),
    Call("create with an empty name", "POST", "/proxies", _MISSING_NAME, {**_NEW, "name": ""}),
    Call(
        "create without upstream",
        "POST",
        "/proxies",
        _error(400, "missing required field: upstream"),
        {"name": "x"},
    ),
    Call("create from nothing", "POST", "/proxies", _error(400, "bad request body: EOF"), raw=""),
    Call("create from no JSON", "POST", "/proxies", _bad(), raw="{nope"),
    Call("create from an array", "POST", "/proxies", _bad(), raw="[]"),
    Call("create from a number", "POST", "/proxies", _bad(), raw="7"),
    Call("create with a number as name", "POST", "/proxies", _bad(), {**_NEW, "name": 7}),
    Call("create with a text as enabled", "POST", "/proxies", _bad(), {**_NEW, "enabled": "no"}),
    Call(
        "create where somebody listens",
        "POST",
        "/proxies",
        Answer(500, error="listen tcp "),
        {"name": "taken", "listen": "{api}", "upstream": "a:1"},
    ),
    Call(
        "create at no address",
        "POST",
        "/proxies",
        _error(500, "listen tcp: address nonsense: missing port in address"),
        {"name": "bad", "listen": "nonsense", "upstream": "a:1"},
    ),
    *(
        Call(
            f"create at a host that cannot be ({why})",
            "POST",
            "/proxies",
            _error(500, f"listen tcp: lookup {host}: no such host"),
            {"name": "bad", "listen": f"{host}:0", "upstream": "a:1"},
        )
        for why, host in (("an empty label", "a..b"), ("a long label", "x" * 64))
    ),
    Call(
        "create at an impossible port",
        "POST",
        "/proxies",
        _error(500, "listen tcp: address 99999: invalid port"),
        {"name": "bad", "listen": "127.0.0.1:99999", "upstream": "a:1"},
    ),
    Call("what failed is not there", "GET", "/proxies/bad", _NO_PROXY),
    Call(
        "create disabled",
        "POST",
        "/proxies",
        Answer(201, _proxy("off", enabled=False, listen=_LOCAL)),
        {**_NEW, "name": "off", "enabled": False},
    ),
    Call(
        "create with names in any case, nulls and unknown fields",
        "POST",
        "/proxies",
        Answer(201, _proxy("case")),
        {"NAME": "case", "Listen": _LOCAL, "uPstream": "127.0.0.1:1", "enabled": None, "x": [1]},
    ),
    Call(
        "create by name",
        "POST",
        "/proxies",
        Answer(201, _proxy("local")),
        {**_NEW, "name": "local", "listen": "localhost:0"},
    ),
    Call(
        "create ignores toxics",
        "POST",
        "/proxies",
        Answer(201, _proxy("bare")),
        {**_NEW, "name": "bare", "toxics": [{"type": "noop"}]},
    ),
    Call("delete", "DELETE", "/proxies/bare", Answer(204, text="")),
    Call("delete again", "DELETE", "/proxies/bare", _NO_PROXY),
    Call("show", "GET", "/proxies/one", Answer(200, _proxy("one"))),
    Call("show nobody", "GET", "/proxies/nobody", _NO_PROXY),
    Call("update nobody", "PATCH", "/proxies/nobody", _NO_PROXY, {}),
    Call("update from no JSON", "PATCH", "/proxies/one", _bad(), raw="{"),
    Call(
        "update from nothing", "POST", "/proxies/one", _error(400, "bad request body: EOF"), raw=""
    ),
    Call(
        "update upstream",
        "PATCH",
        "/proxies/one",
        Answer(200, _proxy("one", upstream="127.0.0.1:2")),
        {"upstream": "127.0.0.1:2"},
    ),
    Call(
        "disable by POST",
        "POST",
        "/proxies/one",
        Answer(200, _proxy("one", upstream="127.0.0.1:2", enabled=False)),
        {"enabled": False},
    ),
    Call(
        "a rename is ignored",
        "PATCH",
        "/proxies/one",
        Answer(200, _proxy("one", upstream="127.0.0.1:2")),
        {"enabled": True, "name": "two"},
    ),
    Call("update nothing", "PATCH", "/proxies/one", Answer(200, ANY), {}),
    Call("update with a text as enabled", "PATCH", "/proxies/one", _bad(), {"enabled": "yes"}),
    Call("list", "GET", "/proxies", Answer(200, dict.fromkeys(_NAMES, ANY))),
]

_TOXIC_CALLS = [
    Call("no toxics", "GET", _TOXICS, Answer(200, [])),
    Call("toxics of nobody", "GET", "/proxies/nobody/toxics", _NO_PROXY),
    Call("add to nobody", "POST", "/proxies/nobody/toxics", _NO_PROXY, {"type": "noop"}),
    Call(
        "add with defaults",
        "POST",
        _TOXICS,
        Answer(200, _toxic("latency", latency=0, jitter=0)),
        {"type": "latency"},
    ),
    Call(
        "add again",
        "POST",
        _TOXICS,
        _error(409, "toxic already exists"),
        {"type": "latency"},
    ),
    Call(
        "a name is unique over both streams",
        "POST",
        _TOXICS,
        _error(409, "toxic already exists"),
        {"type": "noop", "stream": "upstream", "name": "latency_downstream"},
    ),
    Call(
        "add upstream, in any case",
        "POST",
        _TOXICS,
        Answer(200, _toxic("bandwidth", stream="UpStream", rate=7)),
        {"type": "bandwidth", "stream": "UpStream", "attributes": {"rate": 7}},
    ),
    *(
        Call(
            f"add {kind}",
            "POST",
            _TOXICS,
            Answer(200, _toxic(kind, name=f"my {kind}", toxicity=0.25, **attributes)),
            {
                "type": kind,
                "name": f"my {kind}",
                "toxicity": 0.25,
                "attributes": {**attributes, "unknown": "x"},
            },
        )
        for kind, attributes in _EACH.items()
    ),
    Call("add no type", "POST", _TOXICS, _error(400, "invalid toxic type"), {}),
    Call("add an unknown type", "POST", _TOXICS, _error(400, "invalid toxic type"), {"type": "x"}),
    Call(
        "add to no stream",
        "POST",
        _TOXICS,
        _error(400, "stream was invalid, can be either upstream or downstream"),
        {"type": "noop", "name": "s", "stream": "sideways"},
    ),
    Call("add from nothing", "POST", _TOXICS, _error(400, "bad request body: EOF"), raw=""),
    Call("add from no JSON", "POST", _TOXICS, _bad(), raw="nope"),
    Call("add with a text as rate", "POST", _TOXICS, _bad(),
         {"type": "bandwidth", "name": "t", "attributes": {"rate": "7"}}),
    Call("add with a fraction", "POST", _TOXICS, _bad(),
         {"type": "bandwidth", "name": "t", "attributes": {"rate": 0.5}}),
    Call("add with a number over 64 bits", "POST", _TOXICS, _bad(),
         {"type": "bandwidth", "name": "t", "attributes": {"rate": 2**63}}),
    Call("add with NaN", "POST", _TOXICS, _bad(),
         raw='{"type": "latency", "name": "t", "attributes": {"latency": NaN}}'),
    Call("add with attributes that are none", "POST", _TOXICS, _bad(),
         {"type": "latency", "name": "t", "attributes": [1]}),
    Call("add with a text as toxicity", "POST", _TOXICS, _bad(),
         {"type": "latency", "name": "t", "toxicity": "all"}),
    Call(
        "list, upstream first",
        "GET",
        _TOXICS,
        Answer(200, [_toxic("bandwidth", stream="UpStream", rate=7), *[ANY] * 7]),
    ),
    Call("show", "GET", f"{_TOXICS}/latency_downstream",
         Answer(200, _toxic("latency", latency=0, jitter=0))),
    Call("show a name with a space", "GET", f"{_TOXICS}/my%20noop", Answer(200, ANY)),
    Call("show nobody", "GET", f"{_TOXICS}/nobody", _NO_TOXIC),
    Call("update attributes", "PATCH", f"{_TOXICS}/latency_downstream",
         Answer(200, _toxic("latency", latency=3, jitter=0)), {"attributes": {"latency": 3}}),
    Call("update merges", "POST", f"{_TOXICS}/latency_downstream",
         Answer(200, _toxic("latency", latency=3, jitter=2)), {"attributes": {"jitter": 2}}),
    Call("update toxicity alone", "PATCH", f"{_TOXICS}/latency_downstream",
         Answer(200, _toxic("latency", latency=3, jitter=2, toxicity=0.5)), {"toxicity": 0.5}),
    Call("update changes no name, type or stream", "PATCH", f"{_TOXICS}/latency_downstream",
         Answer(200, _toxic("latency", latency=3, jitter=2, toxicity=0.5)),
         {"name": "x", "type": "noop", "stream": "upstream"}),
    Call("update nobody", "PATCH", f"{_TOXICS}/nobody", _NO_TOXIC, {}),
    Call("update from no JSON", "PATCH", f"{_TOXICS}/latency_downstream", _bad(), raw="{"),
    Call("update with a text", "PATCH", f"{_TOXICS}/latency_downstream", _bad(),
         {"attributes": {"latency": "3"}}),
    Call("wrong method", "PUT", f"{_TOXICS}/latency_downstream", Answer(405, text="")),
    Call("remove", "DELETE", f"{_TOXICS}/latency_downstream", Answer(204, text="")),
    Call("remove again", "DELETE", f"{_TOXICS}/latency_downstream", _NO_TOXIC),
    Call("remove from nobody", "DELETE", "/proxies/nobody/toxics/x", _NO_PROXY),
    Call("a proxy shows its toxics", "GET", "/proxies/one",
         Answer(200, _proxy("one", upstream="127.0.0.1:2", toxics=[ANY] * 7))),
]  # fmt: skip

_RANGES = [
    Call("a negative latency", "POST", _TOXICS, Answer(200, ANY),
         {"type": "latency", "name": "n1", "attributes": {"latency": -1}},
         ours=_bad(), why=_NUMBERS),
    Call("a negative rate", "POST", _TOXICS, Answer(200, ANY),
         {"type": "bandwidth", "name": "n2", "attributes": {"rate": -1}},
         ours=_bad(), why=_NUMBERS),
    Call("a slicer of size 0", "POST", _TOXICS, Answer(200, ANY),
         {"type": "slicer", "name": "n3"}, ours=_bad(), why=_NUMBERS),
    Call("a slicer that varies above its average", "POST", _TOXICS, Answer(200, ANY),
         {"type": "slicer", "name": "n4", "attributes": {"average_size": 5, "size_variation": 6}},
         ours=_bad(), why=_NUMBERS),
    Call("a negative limit", "POST", _TOXICS, Answer(200, ANY),
         {"type": "limit_data", "name": "n5", "attributes": {"bytes": -1}},
         ours=_bad(), why=_NUMBERS),
    Call("a delay of ages", "POST", _TOXICS, Answer(200, ANY),
         {"type": "slow_close", "name": "n6", "attributes": {"delay": 2**62}},
         ours=_bad(), why=_NUMBERS),
    Call("a toxicity above 1", "POST", _TOXICS, Answer(200, ANY),
         {"type": "noop", "name": "n7", "toxicity": 1.5}, ours=_bad(), why=_NUMBERS),
    Call("a negative toxicity", "POST", _TOXICS, Answer(200, ANY),
         {"type": "noop", "name": "n8", "toxicity": -0.5}, ours=_bad(), why=_NUMBERS),
    Call("an update to a negative timeout", "PATCH", f"{_TOXICS}/my%20timeout", Answer(200, ANY),
         {"attributes": {"timeout": -1}}, ours=_bad(), why=_NUMBERS),
]  # fmt: skip

_MANY = [
    Call("reset", "POST", "/reset", Answer(204, text="")),
    Call("reset removes toxics", "GET", _TOXICS, Answer(200, [])),
    Call("reset enables", "GET", "/proxies/off", Answer(200, _proxy("off"))),
    Call("reset twice, with a body", "POST", "/reset", Answer(204, text=""), {"any": "thing"}),
    Call(
        "populate",
        "POST",
        "/populate",
        Answer(201, {"proxies": [_proxy("p1"), _proxy("p2", enabled=False, listen=_LOCAL)]}),
        [{**_NEW, "name": "p1", "toxics": [1]}, {**_NEW, "name": "p2", "enabled": False}],
    ),
    Call("populate nothing", "POST", "/populate", Answer(201, {"proxies": None}), []),
    Call(
        "populate without a name",
        "POST",
        "/populate",
        Answer(400, {"error": "missing required field: name at proxy 2", "status": 400,
                     "proxies": None}),
        [{**_NEW, "name": "p3"}, {"upstream": "a:1"}],
    ),
    Call("it made none", "GET", "/proxies/p3", _NO_PROXY),
    Call(
        "populate without an upstream",
        "POST",
        "/populate",
        Answer(400, {"error": "missing required field: upstream at proxy 1", "status": 400,
                     "proxies": None}),
        [{"name": "p3"}],
    ),
    Call(
        "populate stops where it fails",
        "POST",
        "/populate",
        Answer(500, {"error": ANY, "status": 500, "proxies": [_proxy("p4")]}),
        [{**_NEW, "name": "p4"}, {**_NEW, "name": "p5", "listen": "{api}"}],
    ),
    Call("what came before it stays", "GET", "/proxies/p4", Answer(200, _proxy("p4"))),
    Call("populate from an object", "POST", "/populate", _bad(), {"name": "x"}),
    Call("populate from no JSON", "POST", "/populate", _bad(), raw="["),
    Call("populate from nothing", "POST", "/populate",
         Answer(400, {"error": "bad request body: EOF", "status": 400, "proxies": None}), raw=""),
]  # fmt: skip

_NO_SERVER_ENDS = [
    Call("deep nesting", "POST", "/proxies", _bad(), raw="[" * 20_000),
    Call("half a surrogate pair", "POST", "/proxies", Answer(201, ANY),
         raw='{"name": "\\ud800", "upstream": "a:1", "listen": "127.0.0.1:0"}'),
    Call("bytes that are no text", "POST", "/proxies", _bad(), raw="\udcff\udcfe"),
    Call("whatever follows the first value is ignored", "POST", "/proxies", Answer(201, ANY),
         raw='{"name": "tail", "upstream": "a:1", "listen": "127.0.0.1:0"} garbage'),
    Call("and it still answers", "GET", "/version", Answer(200, ANY)),
]  # fmt: skip

CALLS: Sequence[Call] = [
    *_SERVER,
    *_PROXIES,
    *_TOXIC_CALLS,
    *_RANGES,
    *_MANY,
    *_NO_SERVER_ENDS,
]
"""One session: later calls see what earlier ones made."""

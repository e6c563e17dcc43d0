"""What the fuzzers send: nearly right calls, rules and messages, and what is nothing at all."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from brownout.engine.wire.messages import BACKEND, FRONTEND, TLS_HANDSHAKE
from brownout.engine.wire.refusal import COPY_REFUSED, REFUSED
from tests.engine.fuzz.effort import VARIANTS
from tests.engine.wire.messages import (
    CANCEL,
    EXECUTE,
    FLUSH,
    SYNC,
    bind,
    close,
    complete,
    describe,
    error,
    execute,
    message,
    parse,
    query,
    ready,
    startup,
)

__all__ = ["CALLS", "CONVERSATIONS", "LINES", "RECORDS", "RULES", "Call", "Chunk"]

Call = tuple[str, str, bytes]
"""Method, path and body."""
Chunk = tuple[bool, bytes]
"""Whether the client sends it, and the bytes."""

_NAMES = st.sampled_from(["a", "b", "c", "", "A", "x" * 1025, "\x1b[2J\n", "\ud800", "é"])
_SMALL = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 5),
    st.sampled_from([2**31, 2**63, -(2**63), 10**400]),
    st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4), _NAMES,
)  # fmt: skip
_ANYTHING = st.recursive(
    _SMALL,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


def _object(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields, each usually of the right type."""
    likely = {name: st.one_of(values, values, values, _ANYTHING) for name, values in fields.items()}
    return st.fixed_dictionaries({}, optional=likely)


_SCOPES = st.sampled_from(["all", "new", "established"]) | _object(
    nth=st.integers(0, 3), first=st.integers(0, 3)
)
_ADDRESSES = st.sampled_from(
    ["127.0.0.1:0", "127.0.0.1:1", "localhost:0", "[::1]:1", ":0", "", "a..b:80", "127.0.0.1",
     "127.0.0.1:99999", "[::1%9]:1", "127.0.0.1:0\0", "\ud800:1", "x" * 64 + ":1"]
)  # fmt: skip
_LEASES = st.sampled_from(["", "", "lease"])
_PROXY = _object(
    name=_NAMES, listen=_ADDRESSES, upstream=_ADDRESSES, enabled=st.booleans(),
    protocol=st.sampled_from(["plain", "postgresql"]),
    when_upstream_down=st.sampled_from(["accept", "refuse"]), lease=_LEASES,
    tls=_object(
        certificate=st.sampled_from(["", "/dev/zero", "/proc/kmsg", "/etc/passwd", "\0"]),
        key=st.sampled_from(["", "/dev/null"]), upstream=st.sampled_from(["disable", "require"]),
        ca=st.just(""),
    ),
)  # fmt: skip
_TOXIC = _object(
    name=_NAMES, stream=st.sampled_from(["upstream", "downstream"]), scope=_SCOPES, lease=_LEASES,
    type=st.sampled_from(
        ["latency", "bandwidth", "slow_close", "timeout", "slicer", "limit_data", "reset_peer",
         "noop", "none"]
    ),
    toxicity=st.floats(-0.5, 1.5),
    attributes=st.dictionaries(
        st.sampled_from(["latency", "jitter", "rate", "delay", "timeout", "bytes", "average_size"]),
        st.integers(-1, 50) | _SMALL,
    ),
)  # fmt: skip
_PATTERNS = st.one_of(
    st.sampled_from(["insert", "(a+)+$", "select *1", "(?=a)", "a{2}{3}", "[", "\\", "b*c{90}"]),
    st.text("ab()[]{}|*+?.\\^$1, ", max_size=12),
)
_MESSAGES = st.sampled_from([*FRONTEND.values(), *BACKEND.values(), "Quary"])
_WHEN = _object(
    message=_MESSAGES | st.lists(_MESSAGES, max_size=3), sql=_PATTERNS,
    commits=st.booleans(), committed=st.booleans(),
    direction=st.sampled_from(["upstream", "downstream"]),
    tag=st.sampled_from(["COMMIT", "INSERT"]),
    status=st.sampled_from(["idle", "transaction", "failed"]),
    scope=_SCOPES,
    application_name=st.just("shop"), pid=st.integers(-1, 9), nth=st.integers(0, 3),
    times=st.integers(0, 3),
)  # fmt: skip
_DO = _object(
    action=st.sampled_from(
        ["error", "cut", "reset", "delay", "stall", "swallow", "truncate", "nothing"]
    ),
    sqlstate=st.sampled_from(["40001", "57P01", "x"]), severity=st.sampled_from(["ERROR", "FATAL"]),
    message=st.text(max_size=5), side=st.sampled_from(["before", "after"]),
    milliseconds=st.integers(-1, 3), bytes=st.integers(-1, 40),
)  # fmt: skip
_USUAL_DO = st.sampled_from(
    [
        {"action": "cut"}, {"action": "cut", "side": "after"}, {"action": "reset"},
        {"action": "delay", "milliseconds": 1}, {"action": "stall"}, {"action": "swallow"},
        {"action": "truncate", "bytes": 3}, {"action": "error", "sqlstate": "40001"},
        {"action": "error", "sqlstate": "57P01", "severity": "FATAL"},
    ]
)  # fmt: skip
_REFUSED = st.sampled_from(
    [
        {"commits": True}, {"sql": "insert"}, {"message": "Execute", "nth": 2},
        {"message": ["Query", "Bind"]}, {"message": "Sync"},
        {"message": "CopyData", "direction": "upstream"},
    ]
)  # fmt: skip
_MET = st.sampled_from(
    [
        {"committed": True}, {"tag": "INSERT"}, {"message": "DataRow"},
        {"message": "ReadyForQuery", "status": "failed"},
    ]
)  # fmt: skip
RULES = st.one_of(
    _object(name=_NAMES, when=_WHEN, do=_DO, lease=_LEASES),
    st.fixed_dictionaries({"when": _WHEN, "do": _USUAL_DO}),
    st.fixed_dictionaries({"when": st.fixed_dictionaries({"message": _MESSAGES}), "do": _USUAL_DO}),
    st.fixed_dictionaries(
        {"when": _REFUSED, "do": st.just({"action": "error", "sqlstate": "40001"})}
    ),
    st.fixed_dictionaries({"when": _REFUSED | _MET, "do": _USUAL_DO}),
)
"""Rules as JSON values; most can be used, and the usual ones act on the usual messages."""

_LEASE = _object(name=st.sampled_from(["lease", ""]), duration=st.integers(0, 40))
_RECORD = _object(sql=st.sampled_from(["text", "hashed"]), keep=st.integers(0, 100_001))
_BODIES = st.one_of(
    st.one_of(_PROXY, st.lists(_PROXY, max_size=3), _TOXIC, RULES, _LEASE, _RECORD, _ANYTHING).map(
        lambda value: json.dumps(value).encode()
    ),
    st.binary(max_size=40),
    st.sampled_from(
        [b"", b"[" * 5000, b"{}{}", b"\xff", b'{"name": 1e999}', b"NaN", b"\xef\xbb\xbf{}"]
    ),
)

_METHODS = st.sampled_from(["GET", "POST", "POST", "POST", "PATCH", "DELETE", "PUT", "HEAD"])
_PLACE = st.sampled_from(["a", "b", "c", "%1b", "..", "%2f", "", "%ff", "a%00"])
_PATHS = st.one_of(
    st.sampled_from(["/version", "/proxies", "/populate", "/reset", "/leases", "/metrics", "*"]),
    _PLACE.map("/proxies/{}".format),
    st.builds(
        "/proxies/{}/{}".format, _PLACE,
        st.sampled_from(["toxics", "counts", "connections", "rules", "record", "events", "events"
                         "?after=-1", "events?limit=9999999", "events?after=x"]),
    ),
    st.builds("/proxies/{}/{}/{}".format, _PLACE, st.sampled_from(["toxics", "rules"]), _PLACE),
    st.just("/leases/lease"),
)  # fmt: skip
"""Those of streams, which have no end, are not among them."""

_LINE = st.one_of(
    st.sampled_from(
        [b"GET /version HTTP/1.1", b"POST /reset HTTP/1.0", b"Host: a", b"Host:", b"Host: [",
         b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 9999999999999999999",
         b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Upgrade: websocket",
         b"Connection: upgrade", b"", b"", b"5", b"hello", b"0", b"Origin: x", b"\0"]
    ),
    st.binary(max_size=30),
)  # fmt: skip

_SQL = st.sampled_from(
    [
        "",
        "select 1",
        "insert into t values (1)",
        "commit",
        "begin; commit",
        "$a$",
        "/*",
        "'",
        "x" * 9000,
    ]
)
_SHORT = st.sampled_from(["", "s", "p"])
_REQUESTS = st.one_of(
    st.sampled_from([SYNC, FLUSH, EXECUTE, CANCEL, startup(user="u"), startup(user="u", a="b")]),
    _SQL.map(query), st.builds(parse, _SQL, _SHORT), st.builds(bind, _SHORT, _SHORT),
    st.builds(execute, _SHORT), st.builds(describe, st.sampled_from(["S", "P", "?"]), _SHORT),
    st.builds(close, st.sampled_from(["S", "P", "?"]), _SHORT),
    st.builds(message, st.sampled_from([*"dcfpFX"]), st.binary(max_size=20)),
    st.just((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")),
)  # fmt: skip

_REPLIES = st.one_of(
    st.builds(ready, st.sampled_from(["I", "T", "E", "?", ""])),
    st.builds(complete, st.sampled_from(["COMMIT", "INSERT 0 1", "DISCARD ALL", "DEALLOCATE", ""])),
    st.builds(error, st.sampled_from(["40001", "57P01", "", "x" * 600])),
    st.builds(message, st.sampled_from([*"123nstDTGHWANRKSIcd"]), st.binary(max_size=20)),
    st.sampled_from([message("R", b"\0\0\0\0"), message("R", b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0\0")]),
)


def _damaged(whole: bytes, place: int, other: bytes) -> bytes:
    place %= len(whole) + 1
    return whole[:place] + other + whole[place + len(other) :]


def _prepared(sql: str, tag: str, name: str = "") -> list[Chunk]:
    """The extended protocol: the statement, and its reply."""
    asked = [parse(sql, name), describe("S", name), bind(name), EXECUTE, SYNC]
    answered = b"".join(message(kind, b"\0\0") for kind in "1tT2D")
    return [(True, b"".join(asked)), (False, answered + complete(tag) + ready())]


def _simple(sql: str, tag: str, status: str = "I") -> list[Chunk]:
    return [(True, query(sql)), (False, complete(tag) + ready(status))]


_INSERT = "insert into t values (1)"
_EXCHANGES: list[list[Chunk]] = [
    _simple("begin", "BEGIN", "T"), _simple(_INSERT, "INSERT 0 1", "T"),
    _simple("commit", "COMMIT"), _simple("rollback", "ROLLBACK"),
    _simple("begin; commit", "COMMIT"),
    _prepared("begin", "BEGIN"), _prepared(_INSERT, "INSERT 0 1"), _prepared("commit", "COMMIT"),
    _prepared("select 1", "SELECT 1", "s"),
    [(True, query(_INSERT)), (False, error("23505") + ready("E"))],
    [(False, error(REFUSED) + ready("E"))], [(False, error(COPY_REFUSED) + ready())],
    [(True, query("copy t from stdin")), (False, message("G", bytes(3))),
     (True, message("d", b"1\n") + message("d", b"2\n")), (True, message("c")),
     (False, complete("COPY 2") + ready())],
    [(True, query("copy t to stdout")),
     (False, message("H", bytes(3)) + message("d", b"1\n") + message("c") + complete("COPY 1"))],
    [(False, message("A", b"\0\0\0\1a\0\0"))], [(True, message("X"))],
]  # fmt: skip
"""What clients and servers say to each other, in its order."""

_CHUNK = st.tuples(
    st.booleans(),
    st.one_of(
        st.lists(_REQUESTS, min_size=1, max_size=4).map(b"".join),
        st.lists(_REPLIES, min_size=1, max_size=4).map(b"".join),
        st.builds(_damaged, _REQUESTS | _REPLIES, st.integers(0, 40), st.binary(max_size=5)),
        st.binary(max_size=60),
    ),
)
_CHUNKS = st.lists(
    st.sampled_from(_EXCHANGES) | _CHUNK.map(lambda chunk: [chunk]), min_size=2, max_size=12
).map(lambda exchanges: [chunk for exchange in exchanges for chunk in exchange])

_SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_TLS_RECORD = st.one_of(
    st.just(_SSL_REQUEST),
    st.builds(
        lambda kind, version, size, body: bytes([kind, 3, version, *divmod(size, 256)]) + body,
        st.sampled_from([20, 21, 22, 23, 24, 128]), st.integers(0, 4),
        st.sampled_from([0, 1, 5, 512, 16384, 65535]), st.binary(max_size=80),
    ),
    st.binary(max_size=40).map(lambda tail: TLS_HANDSHAKE + tail),
    st.binary(max_size=60),
)  # fmt: skip

# -- variants ----------------------------------------------------------------------------------

_Part = TypeVar("_Part")
_NUMBERS = [bytes(4), b"\0\0\0\4", b"\0\0\0\5", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff" * 4]


def _mutant(data: bytes, chance: Random) -> bytes:
    """The bytes with one to three places cut out, repeated, filled, or made a strange number."""
    for _ in range(chance.randint(1, 3)):
        place, size = chance.randrange(len(data) + 1), chance.randint(1, 8)
        there = data[place : place + size]
        new = chance.choice((b"", 2 * there, chance.randbytes(size), chance.choice(_NUMBERS)))
        data = data[:place] + new + data[place + size :]
    return data


def _damage(parts: list[Any], chance: Random) -> list[Any]:
    """Other bytes at the end of about half of the parts, and sometimes another order."""
    changed = [
        (*rest, _mutant(data, chance) if chance.random() < 0.5 else data) for *rest, data in parts
    ]
    return chance.sample(changed, len(changed)) if chance.random() < 0.3 else changed


def _mix(calls: list[Call], chance: Random) -> list[Call]:
    """Each method with any of the paths and of the bodies, which may be cut short.

    A changed byte of a body could be that of an address, which the engine would look up.
    """
    methods, paths, bodies = zip(*calls, strict=True)
    some = [chance.choice(bodies) for _ in calls]
    return [
        (method, path, body[: chance.randrange(len(body) + 1)] if chance.random() < 0.2 else body)
        for method, path, body in zip(methods, chance.sample(paths, len(paths)), some, strict=True)
    ]


def _varied(
    drawn: st.SearchStrategy[list[_Part]], change: Callable[[list[_Part], Random], list[_Part]]
) -> st.SearchStrategy[list[list[_Part]]]:
    """What is drawn, and variants of it."""

    def vary(first: list[_Part], seed: int) -> list[list[_Part]]:
        chance = Random(seed)  # noqa: S311 (no secret)
        return [first, *(change(first, chance) for _ in range(VARIANTS - 1))]

    return st.builds(vary, drawn, st.integers(0, 2**32 - 1))


CONVERSATIONS: st.SearchStrategy[list[list[Chunk]]] = _varied(_CHUNKS, _damage)
"""What goes by on connections."""

CALLS: st.SearchStrategy[list[list[Call]]] = _varied(
    st.lists(st.tuples(_METHODS, _PATHS, _BODIES), min_size=1, max_size=20), _mix
)
"""Calls of the API, one after the other."""

LINES: st.SearchStrategy[list[list[tuple[bytes]]]] = _varied(
    st.lists(st.tuples(_LINE), max_size=12), _damage
)
"""The lines of HTTP requests."""

RECORDS: st.SearchStrategy[list[list[tuple[bytes]]]] = _varied(
    st.lists(st.tuples(_TLS_RECORD), max_size=5), _damage
)
"""What clients send where TLS begins."""

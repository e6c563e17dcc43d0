"""Only the browser that was given the address may call, and no other page in it."""

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from brownout.console.guard import Guard

pytestmark = pytest.mark.asyncio

TOKEN = "s3cret-of-this-run"  # noqa: S105 - of this test
HOST = "127.0.0.1:4711"
PAGE = f"http://{HOST}/{TOKEN}/"


async def called(
    url: str = PAGE, method: str = "GET", **headers: str
) -> tuple[int, str, httpx.Headers]:
    """What the guard lets through, or says."""

    async def app(scope: object, receive: object, send: object) -> None:
        request = Request(scope)  # type: ignore[arg-type]
        await PlainTextResponse(f"passed {request.url.path}")(scope, receive, send)  # type: ignore[arg-type]

    guard = Guard(app, token=TOKEN, port=4711)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(guard)) as client:
        answer = await client.request(method, url, headers=headers)
    return answer.status_code, answer.text, answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:4711", "localhost:4711"])
async def test_the_address_that_was_printed_is_answered(host: str) -> None:
    status, text, headers = await called(f"http://{host}/{TOKEN}/state?seen=1")
    assert (status, text) == (200, "passed /state")
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_its_own_page_may_call(method: str) -> None:
    status, _, _ = await called(method=method, origin=f"http://{HOST}")
    assert status == 200


async def test_without_its_last_slash_the_address_leads_to_the_page() -> None:
    status, _, headers = await called(PAGE.removesuffix("/"))
    assert (status, headers["location"]) == (307, f"/{TOKEN}/")


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/state", "/wrong/state", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", f"/x/{TOKEN}/",
     f"//{TOKEN}/", "/%ff/", f"/?token={TOKEN}"],
)  # fmt: skip
async def test_without_the_token_nothing_is_answered(path: str) -> None:
    status, text, headers = await called(f"http://{HOST}{path}")
    assert status == 403
    assert "No token" in text
    assert TOKEN not in text + str(headers)


@pytest.mark.parametrize(
    "host", ["shop.example.com:4711", "127.0.0.1:4712", "127.0.0.1", "rebound.test:4711", ""]
)
async def test_another_host_is_refused_even_with_the_token(host: str) -> None:
    status, text, _ = await called(host=host)
    assert status == 403
    assert "Host not allowed" in text


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:4711", "http://127.0.0.1:80", ""],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_origin_is_refused_even_with_the_token(origin: str, method: str) -> None:
    status, text, _ = await called(method=method, origin=origin)
    assert status == 403
    assert "Origin not allowed" in text

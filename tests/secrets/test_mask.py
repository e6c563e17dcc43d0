"""A recording holds no secret and no name of the run, in any usual encoding."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import Completion
from brownout.mask import MARKER, Mask, _forms
from tests.core.made import answer, no_answer, problem

PASSWORD = 'pä?s/w+>rd"\\1'  # noqa: S105 - it opens nothing
ENCODINGS = {
    "as it is": PASSWORD,
    "percent": quote(PASSWORD, safe=""),
    "base64": base64.b64encode(PASSWORD.encode()).decode(),
    "base64 without its end": base64.b64encode(PASSWORD.encode()).decode().rstrip("="),
    "base64 for URLs": base64.urlsafe_b64encode(PASSWORD.encode()).decode(),
    "base64 for URLs without its end": base64.urlsafe_b64encode(PASSWORD.encode())
    .decode()
    .rstrip("="),
    "JSON": json.dumps(PASSWORD)[1:-1],
    "JSON in UTF-8": json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
    "JSON in JSON": json.dumps(json.dumps(PASSWORD)[1:-1])[1:-1],
    "JSON by PHP": json.dumps(PASSWORD)[1:-1].replace("/", "\\/"),
    "JSON by Go": json.dumps(PASSWORD, ensure_ascii=False)[1:-1].replace(">", "\\u003e"),
    "JSON by .NET": json.dumps(PASSWORD)[1:-1]
    .replace(">", "\\u003E")
    .replace("+", "\\u002B")
    .replace('\\"', "\\u0022"),
    "hexadecimal": PASSWORD.encode().hex(),
    "HTML": html.escape(PASSWORD),
    "percent in percent": quote(quote(PASSWORD, safe="")),
    "JavaScript": "".join(f"\\x{ord(one):02x}" if one in "ä<>" else one for one in PASSWORD),
    "C": 'p\\303\\244?s/w+>rd\\"\\\\1',
    "Python": repr(PASSWORD)[1:-1],
    "Python in ASCII": ascii(PASSWORD)[1:-1],
}


@pytest.mark.parametrize("encoded", ENCODINGS.values(), ids=ENCODINGS)
def test_a_secret_is_masked_in_each_encoding(encoded: str) -> None:
    mask = Mask({"dsn.password": PASSWORD})
    assert mask.text(f"as {encoded}, and {encoded}") == "as ⟨dsn.password⟩, and ⟨dsn.password⟩"


def test_the_encodings_are_different_ones() -> None:
    assert len(set(ENCODINGS.values())) == len(ENCODINGS)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_secret_inside_of_something_encoded_is_masked(
    encode: Callable[[bytes], bytes], before: int, after: int
) -> None:
    text = encode(b"x" * before + PASSWORD.encode() + b"yz"[:after]).decode()
    masked = Mask({"dsn.password": PASSWORD}).text(f"as {text}")
    assert "⟨dsn.password⟩" in masked
    # Of its first and its last byte less than a character is left.
    assert len(masked.replace("as ", "").replace("⟨dsn.password⟩", "").rstrip("=")) <= 6


def test_of_values_that_overlap_nothing_is_left() -> None:
    mask = Mask({"dsn.user": "abcdef", "dsn.database": "efghij"})
    assert mask.text("x abcdefghij y") == "x ⟨dsn.user⟩ y"


def test_the_case_of_other_characters_moves_nothing() -> None:
    assert Mask({"dsn.user": "shop_role"}).text("İİ SHOP_ROLE İ") == "İİ ⟨dsn.user⟩ İ"


def test_the_longest_comes_first() -> None:
    known = {"dsn.user": "shop", "dsn.database": "shop_db", "dsn": "postgresql://shop@h/shop_db"}
    for mask in (Mask(known), Mask(dict(reversed(known.items())))):
        assert mask.text("postgresql://shop@h/shop_db") == "⟨dsn⟩"
        assert mask.text("shop_db of shop") == "⟨dsn.database⟩ of ⟨dsn.user⟩"


def test_of_two_names_for_one_value_the_first_counts() -> None:
    assert Mask({"dsn.user": "shop", "dsn.database": "shop"}).text("shop") == "⟨dsn.user⟩"


def test_what_is_empty_or_unknown_masks_nothing() -> None:
    for mask in (Mask({}), Mask({"dsn.password": ""})):
        assert mask.text("as it is") == "as it is"
        assert mask.answer(problem(503)) == problem(503)


def test_an_answer_is_masked_in_its_headers_and_its_body_and_nothing_else() -> None:
    mask = Mask({"dsn.user": "shop_role"})
    seen = problem(503, headers={"X-Peer": "shop_role@h"}, detail="no shop_role here")
    masked = mask.answer(seen)
    assert masked.header("x-peer") == "⟨dsn.user⟩@h"
    assert json.loads(masked.body)["detail"] == "no ⟨dsn.user⟩ here"
    assert (masked.status, masked.token, masked.elapsed, masked.started) == (
        seen.status, seen.token, seen.elapsed, seen.started,
    )  # fmt: skip


def test_a_request_without_an_answer_stays_as_it_is() -> None:
    silent = no_answer(Completion.NO_ANSWER)
    assert Mask({"dsn.user": "shop_role"}).answer(silent) == silent


def test_bytes_that_are_not_utf_8_come_back_as_they_were() -> None:
    mask = Mask({"dsn.user": "shop_role"})
    masked = mask.answer(answer(500, body=b"\xff\x00\xfe shop_role \x80\xed\xa0\x80"))
    assert masked.body == "\xff\x00\xfe".encode("latin-1") + " ⟨dsn.user⟩ ".encode() + (
        b"\x80\xed\xa0\x80"
    )


@given(st.binary(max_size=300))
def test_a_body_without_a_secret_is_left_alone(body: bytes) -> None:
    masked = Mask({"dsn.password": "a secret of eighteen"}).answer(answer(500, body=body))
    assert masked.body == body


# No letter of a marker's name, so that no marker can look like a secret.
SECRETS = st.text('ABC012+/=%"\\ äß€𝄞', min_size=3, max_size=12)
PIECES = st.text('ABC012+/=%"\\ äß€u', max_size=6)


def forms(secret: str) -> list[str]:
    """Each encoding, made here once more."""
    plain = secret.encode()
    return [
        secret,
        quote(secret, safe=""),
        base64.b64encode(plain).decode().rstrip("="),
        base64.urlsafe_b64encode(plain).decode().rstrip("="),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
    ]


@given(st.data(), SECRETS, SECRETS)
def test_after_masking_no_form_of_a_secret_is_left(
    data: st.DataObject, one: str, another: str
) -> None:
    all_forms = forms(one) + forms(another)
    text = "".join(data.draw(st.lists(st.sampled_from(all_forms) | PIECES, max_size=12)))
    masked = Mask({"x.y": one, "x.z": another}).text(text)
    assert not [form for form in all_forms if form in masked]
    assert MARKER.sub("", masked) == masked.replace("⟨x.y⟩", "").replace("⟨x.z⟩", "")
    lower = text.lower()
    escapes = any(each in text for each in "%\\&")
    wanted = {form.lower() for form in (*_forms(one), *_forms(another))}
    assert masked == text or escapes or any(form in lower for form in wanted)


@given(st.data(), SECRETS)
def test_what_stands_around_a_secret_stays(data: st.DataObject, secret: str) -> None:
    before, after = data.draw(st.text("xyz", max_size=9)), data.draw(st.text("xyz", max_size=9))
    form = data.draw(st.sampled_from([secret, quote(secret, safe="")]))
    assert Mask({"dsn": secret}).text(before + form + after) == f"{before}⟨dsn⟩{after}"


def test_declared_secrets_are_masked_in_any_encoding_unless_they_are_short() -> None:
    mask = Mask({"dsn.user": "shop"}, ["s3cret/key", "on"])
    assert mask.text("on s3cret/key s3cret%2Fkey S3CRET/KEY") == "on ******** ******** ********"

"""Known names in braces are replaced; every other brace stays."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import SettingsError
from brownout.templates import (
    LAUNCH_NAMES,
    OPERATION_NAMES,
    fill,
    fill_json,
    refuse_behind_dollar,
    refuse_misspelt,
)

VALUES = {"token": "17", "port": "8000"}
BRACED = st.text(alphabet='{}":, abtokenpr\\\n', max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | BRACED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(BRACED, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("/things/{token}", "/things/17"),
        ("{token}{token}", "1717"),
        ("{{token}}", "{17}"),
        ("{tenant}/{token}", "{tenant}/17"),
        ("{}", "{}"),
        ("{token", "{token"),
        ("{ token }", "{ token }"),
        ('{"id": "{token}"}', '{"id": "17"}'),
        ("{TOKEN}", "{TOKEN}"),
        ("%s {0} $token", "%s {0} $token"),
    ],
)
def test_only_known_names_in_braces_are_replaced(template: str, filled: str) -> None:
    assert fill(template, VALUES) == filled


@given(BRACED)
def test_a_text_without_a_known_name_stays_as_it_is(text: str) -> None:
    without = re.sub(r"\{(token|port)\}", "", text)
    while re.search(r"\{(token|port)\}", without):
        without = re.sub(r"\{(token|port)\}", "", without)
    assert fill(without, VALUES) == without


@given(st.lists(BRACED, min_size=1, max_size=4))
def test_what_is_put_in_is_not_read_again(parts: list[str]) -> None:
    inner = "{port}"
    assert fill("{token}", {"token": inner, "port": "8000"}) == inner
    clean = [part.replace("{", "(").replace("}", ")") for part in parts]
    assert fill("{token}".join(clean), {"token": inner}) == inner.join(clean)


@given(JSON)
def test_json_keeps_its_shape_and_everything_that_is_no_text(value: object) -> None:
    assert fill_json(value, {}) == value


@given(JSON)
def test_filling_json_is_filling_each_text_in_it(value: object) -> None:
    def texts(part: object) -> list[str]:
        if isinstance(part, str):
            return [part]
        if isinstance(part, dict):
            return [text for item in part.items() for half in item for text in texts(half)]
        return [text for item in part for text in texts(item)] if isinstance(part, list) else []

    filled = fill_json({"all": texts(value)}, VALUES)
    assert filled == {"all": [fill(text, VALUES) for text in texts(value)]}


def test_names_and_values_of_json_are_filled_at_every_depth() -> None:
    body = {"{token}": [{"id": "{token}", "n": 1, "ok": True, "x": None}, ("a", "{token}")]}
    filled = fill_json(body, VALUES)
    assert json.dumps(filled) == json.dumps(
        {"17": [{"id": "17", "n": 1, "ok": True, "x": None}, ["a", "17"]]}
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("prot", "port"),
        ("Port", "port"),
        ("DSN", "dsn"),
        ("dns", "dsn"),
        ("database_pasword", "database_password"),
        ("database_hots", "database_host"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        refuse_misspelt("Service.env", {"A": ["x", f"--p={{{name}}}"]}, LAUNCH_NAMES)
    assert "Service.env" in refusal.value.cause
    assert f"{{{name}}}" in refusal.value.cause
    assert f"Did you mean '{{{meant}}}'?" in refusal.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "${PORT}",
        "--port ${DATABASE_PORT:-1}",
        "${prot}",
        "{tokenId}",
        "Dear {tokenName}",
        "{id}",
        "{message}",
        "{tenant}",
        "{user}",
        "{host}",
        "{name}",
        "{",
        "{}",
        "{1}",
    ],
)
def test_braces_of_the_service_s_own_are_nobody_s_misspelling(text: str) -> None:
    refuse_misspelt("Service.env", [text], LAUNCH_NAMES)
    refuse_misspelt("Operation", [text], OPERATION_NAMES)
    refuse_behind_dollar("Service.env", [text])


def test_a_placeholder_that_is_written_as_a_shell_s_variable_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"the '\$' would stay") as refusal:
        refuse_behind_dollar("Service.command", ["sh", "-c", "exec serve --port ${port}"])
    assert refusal.value.remedy.startswith("Write {port} without it")

"""Advice by framework: for promises that exist, and by the command that starts a service."""

import re

import pytest

from brownout.behaviours import CATALOGUE
from brownout.behaviours.frameworks import FRAMEWORKS, by_framework, framework_of


@pytest.mark.parametrize(
    ("command", "framework"),
    [
        (["uvicorn", "shop.app:app", "--port", "{port}"], "FastAPI"),
        (["python", "-m", "uvicorn", "shop.asgi:application"], "Django"),
        (["python", "manage.py", "runserver"], "Django"),
        (["gunicorn", "shop.wsgi:application"], "Django"),
        (["flask", "--app", "shop", "run"], "Flask"),
        (["npm", "start"], "Express"),
        (["node", "server.js"], "Express"),
        (["java", "-jar", "shop.jar"], "Spring"),
        (["./mvnw", "spring-boot:run"], "Spring"),
        (["go", "run", "."], "Go"),
        (["cargo", "run", "--release"], "Rust"),
        (["./target/release/shop", "--port", "{port}"], "Rust"),
        (["gunicorn", "shop:app"], ""),
        (["./shop"], ""),
    ],
)
def test_a_command_tells_the_framework_or_nothing(command: list[str], framework: str) -> None:
    assert framework_of(command) == framework


def test_advice_is_for_promises_and_frameworks_that_there_are() -> None:
    advised = {one for one in CATALOGUE if by_framework(one)}
    assert {"E1", "E5", "H1", "T1", "V1", "S6"} <= advised
    for one in advised:
        advice = by_framework(one)
        assert [name for name in FRAMEWORKS if name in advice] == list(advice)
        assert all(re.search(r"[.]$", text) for text in advice.values())
    assert by_framework("C1") == {}

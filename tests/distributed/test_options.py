"""Where the load comes from: what is said in an option, and what is refused."""

import importlib.util
import sys
from pathlib import Path

import pytest

import brownout.trial.spread
from brownout.errors import SettingsError
from brownout.settings.loading import LocustPlace, host_and_port
from brownout.settings.resolution import Layers, Settings, resolve

KEY = "0123456789abcdef"


def layered(load: str, key: str = KEY, **more: str) -> Settings:
    """The settings of a run with this load, and this key in its environment."""
    return resolve(
        Layers(
            command_line={"load": load, **more},
            environment={"BROWNOUT_LOAD_KEY": key},
            ini={},
            ini_file=Path("/project/pytest.ini"),
            invoked_in=Path("/run"),
        )
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("builtin", None),
        ("", None),
        ("locust", LocustPlace("127.0.0.1", 0, 2, elsewhere=False)),
        ("locust://10.0.0.5", LocustPlace("10.0.0.5", 5557, 1, elsewhere=True)),
        ("locust://10.0.0.5:6000/", LocustPlace("10.0.0.5", 6000, 1, elsewhere=True)),
        ("locust://10.0.0.5?workers=100", LocustPlace("10.0.0.5", 5557, 100, elsewhere=True)),
    ],
)
def test_a_load_has_a_place(text: str, place: LocustPlace | None) -> None:
    assert layered(text).load == place


@pytest.mark.parametrize(
    "text",
    [
        "Locust",
        "k6",
        "locust:3",
        "locust://",
        "locust://gate.internal:5557",
        "locust://0.0.0.0:5557",
        "locust://10.0.0.5:0",
        "locust://10.0.0.5:65536",
        "locust://10.0.0.5:5557?workers=0",
        "locust://10.0.0.5:5557?workers=101",
        "locust://10.0.0.5:5557?worker=3",
        "locust://10.0.0.5:5557/path",
        "http://10.0.0.5:5557",
    ],
)
def test_what_is_no_load_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="with 1 to 100 workers") as caught:
        layered(text)
    assert caught.value.cause.startswith(f"--brownout-load is {text!r}, but builtin, locust or ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("gate.internal:6000", ("gate.internal", 6000)),
        ("10.0.0.5", ("10.0.0.5", 5557)),
        ("10.0.0.5:0", None),
        ("10.0.0.5:99999", None),
        ("http://10.0.0.5:5557", None),
        (":5557", None),
    ],
)
def test_a_master_is_a_host_with_a_port(text: str, place: tuple[str, int] | None) -> None:
    assert host_and_port(text) == place


def test_what_is_shown_of_a_load_can_be_given_again() -> None:
    for text in ("builtin", "locust", "locust://10.0.0.5:6000?workers=3"):
        settings = layered(text)
        assert settings.shown()["load"] == text
        assert settings.arguments() == [f"--brownout-load={text}"]


def test_load_workers_elsewhere_need_a_key() -> None:
    with pytest.raises(SettingsError, match="there is no key for them") as caught:
        layered("locust://10.0.0.5", key="")
    assert "BROWNOUT_LOAD_KEY" in caught.value.remedy
    assert layered("locust", key="").load_key is None


@pytest.mark.parametrize("key", ["short", "with a space in it all", "with\nanother\nline"])
def test_a_weak_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(SettingsError, match="a key of at least 16 letters") as caught:
        layered("builtin", key=key)
    assert key not in str(caught.value)


def test_the_key_is_not_shown() -> None:
    settings = layered("locust://10.0.0.5")
    assert settings.load_key == KEY
    assert KEY not in f"{settings!r} {settings.shown()} {settings.arguments()}"


def test_without_locust_its_load_is_refused_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("brownout.settings.loading.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="--brownout-load needs Locust") as caught:
        layered("locust")
    assert "pip install 'pytest-brownout[locust]'" in caught.value.remedy
    assert layered("builtin").load is None


def test_the_remote_backend_has_no_use_for_it() -> None:
    places = {
        "remote_service": "http://127.0.0.1:1",
        "remote_proxy": "http://127.0.0.1:2/orders",
    }
    with pytest.raises(SettingsError, match="does not assess L1 to L5"):
        layered("locust", backend="remote", **places)
    assert layered("builtin", backend="remote", **places).backend == "remote"


def test_this_process_has_not_imported_locust() -> None:
    """Its import replaces the blocking calls of the whole process."""
    assert brownout.trial.spread.__all__
    assert importlib.util.find_spec("locust") is not None
    assert not {"locust", "gevent"} & sys.modules.keys()

"""Where a setting's value comes from, and what is said of a wrong one."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from brownout.errors import SettingsError
from brownout.settings.options import OPTIONS
from brownout.settings.resolution import Layer, Layers, Settings, resolve

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"BROWNOUT_[A-Z][A-Z_]*[A-Z]")
READING = ("fixtures", "benchmarks", "sample_service", "tests/engine", "tests/wire")


def layered(
    *,
    command_line: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
    ini: dict[str, str] | None = None,
) -> Settings:
    """Settings of a run in /run whose ini file is /project/pytest.ini."""
    return resolve(
        Layers(
            command_line=command_line or {},
            environment=environment or {},
            ini=ini or {},
            ini_file=Path("/project/pytest.ini"),
            invoked_in=Path("/run"),
        )
    )


def test_defaults() -> None:
    settings = layered()
    assert settings.shown() == {
        "backend": "embedded",
        "postgres": None,
        "pg_bin": None,
        "cache": None,
        "postgres_image": "postgres:17-alpine",
        "toxiproxy_image": "ghcr.io/shopify/toxiproxy:2.12.0",
        "remote_service": None,
        "remote_proxy": None,
        "remote_ca": None,
        "remote_allow": None,
        "allow_writes": "no",
        "allow_unleased": "no",
        "service": None,
        "start_timeout": "30",
        "strict": "no",
        "only": None,
        "sweep": None,
        "sweep_cases": None,
        "sweep_seed": "1",
        "chaos": None,
        "chaos_seed": "1",
        "load": "builtin",
        "load_key": None,
        "shard": None,
        "shard_durations": None,
        "baseline": None,
        "report": None,
    }
    assert {origin.layer for origin in settings.origins.values()} == {Layer.DEFAULT}
    assert settings.arguments() == []


def test_first_layer_with_a_value_wins() -> None:
    layers = {
        "command_line": {"postgres_image": "from:line"},
        "environment": {"BROWNOUT_POSTGRES_IMAGE": "from:environment"},
        "ini": {"postgres_image": "from:ini"},
    }
    for expected in ("from:line", "from:environment", "from:ini"):
        assert layered(**layers).postgres_image == expected
        layers.pop(next(iter(layers)))


@pytest.mark.parametrize(
    ("layers", "place"),
    [
        ({"command_line": {"strict": "yes"}}, "--brownout-strict"),
        (
            {"environment": {"BROWNOUT_STRICT": "on"}},
            "the environment variable BROWNOUT_STRICT",
        ),
        ({"ini": {"strict": "True"}}, "brownout_strict in /project/pytest.ini"),
    ],
)
def test_each_value_knows_its_origin(layers: dict[str, dict[str, str]], place: str) -> None:
    settings = layered(**layers)
    assert settings.strict
    assert str(settings.origins["strict"]) == place


@pytest.mark.parametrize("no", ["0", "no", "FALSE", "off"])
def test_explicit_no_outranks_a_yes_below(no: str) -> None:
    assert not layered(environment={"BROWNOUT_STRICT": no}, ini={"strict": "yes"}).strict


@pytest.mark.parametrize(
    "name", ["postgres", "pg_bin", "cache", "service", "shard", "baseline", "report"]
)
def test_empty_value_switches_an_option_off(name: str) -> None:
    settings = layered(
        command_line={name: ""},
        environment={
            "BROWNOUT_POSTGRES": "postgresql://h/d",
            "BROWNOUT_SERVICE": "a:b",
            "BROWNOUT_REPORT": "out",
            "BROWNOUT_BASELINE": "",
            "BROWNOUT_PG_BIN": "",
            "BROWNOUT_CACHE": "",
        },
    )
    assert getattr(settings, name) is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("backend", "Docker", "'embedded', 'docker' or 'remote' is needed."),
        ("backend", "", "'embedded', 'docker' or 'remote' is needed."),
        ("strict", "perhaps", "yes or no (1 or 0, true or false, on or off) is needed."),
        ("postgres_image", "", "the name of an image is needed."),
        ("toxiproxy_image", "a b", "the name of an image is needed."),
        ("service", "shop.app", "module:name or the path of a .toml file is needed."),
        ("service", "shop/app.py:service", "module:name or the path of a .toml file is needed."),
        ("start_timeout", "soon", "a number of seconds above 0 and up to 3600 is needed."),
        ("start_timeout", "0", "a number of seconds above 0 and up to 3600 is needed."),
        ("start_timeout", "nan", "a number of seconds above 0 and up to 3600 is needed."),
        ("baseline", "nowhere.json", "there is no file /run/nowhere.json."),
        ("pg_bin", "nowhere", "(postgres and initdb not found in /run/nowhere)."),
    ],
)
def test_wrong_value_is_refused_with_its_origin(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        layered(command_line={name: value})
    argument = f"--brownout-{name.replace('_', '-')}"
    assert caught.value.cause.startswith(f"{argument} is {value!r}, but ")
    assert caught.value.cause.endswith(message)


def test_closest_backend_is_offered() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'embedded'"):
        layered(environment={"BROWNOUT_BACKEND": "embeded"})


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "mysql://me:hunter2@h/d",
        "postgresql:///d?password=hunter2",
        "postgres://h:hunter2",
    ],
)
def test_wrong_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        layered(command_line={"postgres": url})
    assert "hunter2" not in str(caught.value)
    assert "a postgresql:// URL with a host is needed" in caught.value.cause


def test_password_is_not_shown() -> None:
    settings = layered(
        command_line={"postgres": "postgresql://me:hunter2@h:5/d?sslpassword=hunter2"}
    )
    assert settings.postgres == "postgresql://me:hunter2@h:5/d?sslpassword=hunter2"
    assert settings.shown()["postgres"] == "postgresql://me:…@h:5/d"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in " ".join(settings.arguments())


def test_running_server_and_docker_exclude_each_other() -> None:
    with pytest.raises(SettingsError) as caught:
        layered(
            command_line={"backend": "docker"},
            environment={"BROWNOUT_POSTGRES": "postgresql://h/d"},
        )
    assert "the environment variable BROWNOUT_POSTGRES" in caught.value.cause
    assert "--brownout-backend" in caught.value.cause
    assert "--brownout-postgres=" in caught.value.remedy


def test_relative_folders_start_where_they_were_written() -> None:
    assert layered(command_line={"report": "out"}).report == Path("/run/out")
    assert layered(environment={"BROWNOUT_REPORT": "out"}).report == Path("/run/out")
    assert layered(ini={"report": "out"}).report == Path("/project/out")


def test_binaries_of_the_machine(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).touch()
    assert layered(ini={"pg_bin": str(tmp_path)}).pg_bin == tmp_path


def test_start_timeout_is_in_seconds() -> None:
    assert layered(ini={"start_timeout": "2.5"}).start_timeout == timedelta(seconds=2.5)


def test_misspelt_variable_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        layered(environment={"BROWNOUT_BACKEN": "docker"})
    assert "BROWNOUT_BACKEN is set" in caught.value.cause
    assert "Did you mean 'BROWNOUT_BACKEND'?" in caught.value.remedy


def test_foreign_variables_are_nobodys_business() -> None:
    layered(environment={"BACKEND": "x", "BROWNOUT_OF_ANOTHER_PROGRAM": "x"})


def test_what_kubernetes_sets_beside_a_service_of_this_name_is_no_misspelling() -> None:
    names = (
        "BROWNOUT_SERVICE_HOST",
        "BROWNOUT_SERVICE_PORT",
        "BROWNOUT_SERVICE_PORT_HTTP",
        "BROWNOUT_PORT",
        "BROWNOUT_PORT_8080_TCP",
        "BROWNOUT_PORT_8080_TCP_ADDR",
    )
    layered(environment=dict.fromkeys(names, "10.0.0.1"))


def test_every_variable_that_the_project_reads_may_be_set() -> None:
    """`BROWNOUT_TLS_PG_BIN` is close to `BROWNOUT_PG_BIN`, and no misspelling of it."""
    readers = [
        *(ROOT / name for name in ("Makefile", "CONTRIBUTING.md", "README.md", "conftest.py")),
        *(ROOT / ".ci").iterdir(),
        *(ROOT / "docs").rglob("*.md"),
        *(path for folder in READING for path in (ROOT / folder).rglob("*.py")),
    ]
    named = {name for path in readers for name in VARIABLE.findall(path.read_text("utf-8"))}
    others = named - {option.variable for option in OPTIONS}
    assert {"BROWNOUT_PYTHON", "BROWNOUT_REQUIRE_PGX", "BROWNOUT_TLS_PG_BIN"} <= others
    layered(environment=dict.fromkeys(others, "1"))


def test_arguments_repeat_what_a_file_does_not() -> None:
    settings = layered(
        command_line={"strict": "no", "report": "out"},
        environment={"BROWNOUT_BACKEND": "docker"},
        ini={"start_timeout": "7"},
    )
    assert settings.arguments() == ["--brownout-backend=docker", "--no-brownout-strict"]


def test_every_option_is_named_alike_everywhere() -> None:
    for option in OPTIONS:
        assert option.argument == f"--brownout-{option.name.replace('_', '-')}"
        assert option.variable == f"BROWNOUT_{option.name.upper()}"
        assert option.ini == f"brownout_{option.name}"
        assert option.help

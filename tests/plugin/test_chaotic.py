"""The options of chaos, and what they make of a search."""

from datetime import timedelta
from pathlib import Path

import pytest

from brownout.chaos import CHAOS, Search
from brownout.errors import SettingsError
from brownout.plugin import chaotic
from brownout.settings.resolution import Layers, Settings, resolve
from brownout.units import seconds


def layered(**command_line: str) -> Settings:
    """The settings of a run with these options."""
    return resolve(
        Layers(
            command_line=command_line,
            environment={},
            ini={},
            ini_file=Path("/project/pytest.ini"),
            invoked_in=Path("/run"),
        )
    )


def searched(settings: Settings) -> Search:
    """The search of the first share."""
    search = chaotic.search_in(chaotic.with_options(CHAOS[0], settings))
    assert search is not None
    return search


def test_seconds_set_how_long_each_replica_searches() -> None:
    search = searched(layered(chaos="600"))
    assert (search.lasting, search.seed, search.night) == (seconds(600), 1, False)


def test_a_night_is_an_hour_of_longer_schedules_of_that_day() -> None:
    search = searched(layered(chaos="night"))
    assert (search.lasting, search.night) == (timedelta(hours=1), True)
    assert 260_000 < search.seed < 1_000_000, "year, month and day"


def test_a_seed_that_is_set_is_kept_at_night() -> None:
    assert searched(layered(chaos="night", chaos_seed="1")).seed == 1


def test_the_same_search_can_be_made_again() -> None:
    for settings in (layered(chaos="600"), layered(chaos="night")):
        search = searched(settings)
        arguments = chaotic.limits_of(chaotic.with_options(CHAOS[0], settings))
        given = dict(one.removeprefix("--").split("=") for one in arguments)
        again = layered(**{name.replace("-", "_"): value for name, value in given.items()})
        assert searched(again) == search


def test_what_is_neither_seconds_nor_a_night_is_refused() -> None:
    with pytest.raises(SettingsError, match="or 'night'"):
        layered(chaos="nights")
    assert layered(chaos="night").shown()["chaos"] == "night"
    assert layered(chaos="").chaos is None

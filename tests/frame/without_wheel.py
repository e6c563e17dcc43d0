"""A pytest plugin: as if neither the extra `embedded` nor a packager's PostgreSQL were there."""

from brownout.backends.embedded import installations

__all__: list[str] = []

installations.find_spec = lambda _name: None  # type: ignore[assignment,attr-defined,misc]
installations._PLACES = ()  # type: ignore[misc,assignment]

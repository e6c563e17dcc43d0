"""A pytest plugin: as if the extra `embedded` were not installed."""

from brownout.backends.embedded import binaries

__all__: list[str] = []

binaries.find_spec = lambda _name: None  # type: ignore[assignment,attr-defined,misc]

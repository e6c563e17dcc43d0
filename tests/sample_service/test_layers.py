"""The sample service's imports point one way."""

from pathlib import Path

from tests.frame.test_imports import imported, sources

SERVICE = Path(__file__).parents[2] / "sample_service"

LAYERS = [
    {"problems", "settings"},
    {"resilience"},
    {"observability", "process", "shop"},
    {"api"},
    {"app"},
    {"__main__", "migrate"},
]
"""A part may import itself and the layers before its own."""


def layer_of(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def part_of(module: str, name: str | None) -> str | None:
    """The service's part that an import means: "shop" for `sample_service.shop.orders`."""
    words = [*module.split("."), *([name] if name else [])]
    return words[1] if words[0] == "sample_service" and len(words) > 1 else None


def test_each_part_has_one_layer() -> None:
    parts = {path.stem for path in SERVICE.glob("*.py")} - {"__init__"}
    parts |= {path.parent.name for path in SERVICE.glob("*/__init__.py")}
    assert sorted(parts) == sorted(part for layer in LAYERS for part in layer)


def test_imports_point_one_way() -> None:
    wrong = []
    for path in sources(SERVICE):
        own = path.relative_to(SERVICE).parts[0].removesuffix(".py")
        parts = {part_of(module, name) for module, name in imported(path)} - {None, own}
        above = [part for part in parts if part and layer_of(part) >= layer_of(own)]
        wrong += [f"{path} imports {part}" for part in above]
    assert not wrong

"""Each example keeps every promise that is assessed for it: `make examples`."""

from pathlib import Path

import pytest

from examples.judging import EXAMPLES, judged, prepared


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_promise_is_kept(name: str, tmp_path: Path) -> None:
    whole = judged(prepared(name, tmp_path), limit=1200)
    assert whole.report["exit_code"] == 0, whole.printed
    assert whole.having("broken") | whole.having("unknown") == set(), whole.printed
    assert len(whole.having("kept")) >= 60, whole.printed

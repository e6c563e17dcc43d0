"""What reads show of writes, told apart by where it stands."""

import json

from brownout import Operation
from brownout.trial.shown import values_shown
from tests.core.made import answer

ITEMS = Operation.read("items", "GET", "/items")
GROUPS = Operation.read("groups", "GET", "/groups")
OURS, OTHER, THIRD = "0123456789abcdef", "1123456789abcdef", "2123456789abcdef"


def test_they_are_those_that_stand_where_a_written_one_does() -> None:
    read = answer(json=[{"name": OURS, "by": "x"}, {"name": f"<{OTHER}>"}, {"note": THIRD}])
    assert values_shown([read], {OURS}) == {OURS, OTHER}
    assert values_shown([read], {"f" * 16}) == set()


def test_a_member_of_the_same_name_in_another_place_or_read_is_another() -> None:
    reads = [
        answer(json=[{"name": OURS, "group": {"name": OTHER}}], operation=ITEMS),
        answer(json=[{"name": THIRD}], operation=GROUPS),
    ]
    assert values_shown(reads, {OURS}) == {OURS}
    assert values_shown(reads, {OTHER}) == {OTHER}


def test_an_object_by_id_is_a_list() -> None:
    by_id = {"7": {"name": OURS}, "8": {"name": OTHER}, OTHER: {"name": THIRD}}
    assert values_shown([answer(json=by_id)], {OURS}) == {OURS, OTHER, THIRD}


def test_what_failed_and_what_is_not_json_shows_nothing() -> None:
    body = json.dumps([OURS]).encode()
    assert values_shown([answer(503, body=body), answer(body=body[:-1])], {OURS}) == set()

"""The sweep's map has every case once, with what became of it, and the verdict says how much of the
sweep was covered."""

from collections.abc import Mapping
from typing import Any

from brownout.report.sweep import coverage, sweep_map


def step(name: str, *faults: str, seen: int = 3, folded: int = 0) -> dict[str, Any]:
    return {
        "operation": "place",
        "name": name,
        "sql": name.lower(),
        "seen": seen,
        "of": 3,
        "folded": folded,
        "cases": [f"place/{name}/{fault}" for fault in faults],
    }


def case(name: str, *, met: bool = True, status: int = 503) -> dict[str, Any]:
    tried = {"met": met, "status": status, "seconds": 0.1, "applied": 0}
    return {"name": name, "fault": "CutAt()", "tries": [tried]}


def recording(*cases: dict[str, Any], left_out: tuple[str, ...] = ()) -> Mapping[str, Any]:
    steps = [step("BEGIN", "cut", "silence"), step("COMMIT", "cut", "lost-reply")]
    return {
        "swept": {
            "share": 0,
            "seed": 7,
            "steps": steps,
            "cases": list(cases),
            "left_out": list(left_out),
            "unswept": {"list": "it sends nothing to the database"},
        }
    }


def finding(cases: str, *promises: str) -> dict[str, Any]:
    return {
        "violation": {"facts": {"case": "x", "cases": cases}},
        "promises": [{"id": one} for one in promises],
    }


def states(swept: Mapping[str, Any]) -> dict[str, tuple[str, list[str]]]:
    return {
        one["name"]: (one["state"], one["promises"])
        for operation in swept["operations"]
        for each in operation["steps"]
        for one in each["cases"]
    }


def test_the_shares_make_one_map() -> None:
    recordings = {
        "sweep_1": recording(case("place/BEGIN/cut"), case("place/COMMIT/cut", met=False)),
        "sweep_2": recording(case("place/COMMIT/lost-reply", status=201)),
        "outage": {"swept": None},
    }
    document = {"findings": [finding("place/COMMIT/lost-reply, place/BEGIN/other", "C1", "C7")]}
    swept = sweep_map(document, recordings)
    assert swept is not None
    assert states(swept) == {
        "place/BEGIN/cut": ("kept", []),
        "place/BEGIN/silence": ("not run", []),
        "place/COMMIT/cut": ("not met", []),
        "place/COMMIT/lost-reply": ("broken", ["C1", "C7"]),
    }
    assert swept["faults"] == ["cut", "silence", "lost-reply"]
    assert swept["unswept"] == {"list": "it sends nothing to the database"}
    assert swept["seed"] == 7


def test_the_case_in_which_the_process_ended_is_broken() -> None:
    """What else it broke follows from that, and is no finding of its own."""
    violation = {"facts": {"case": "place/COMMIT/lost-reply", "exit_code": 1}}
    elsewhere = {"facts": {"fault": "Outage()", "exit_code": 1}}
    document = {
        "findings": [
            {"violation": violation, "promises": [{"id": "S6"}]},
            {"violation": elsewhere, "promises": [{"id": "S6"}]},
            {"violation": None, "promises": [{"id": "T1"}]},
        ]
    }
    cases = case("place/BEGIN/cut"), case("place/COMMIT/lost-reply")
    swept = sweep_map(document, {"sweep_1": recording(*cases)})
    assert swept is not None
    assert states(swept)["place/COMMIT/lost-reply"] == ("broken", ["S6"])
    assert states(swept)["place/BEGIN/cut"] == ("kept", [])


def test_what_the_budget_left_out_is_in_the_map() -> None:
    swept = sweep_map({"findings": []}, {"sweep_1": recording(left_out=("place/BEGIN/cut",))})
    assert swept is not None
    assert states(swept)["place/BEGIN/cut"] == ("left out", [])


def test_without_a_sweep_there_is_no_map() -> None:
    assert sweep_map({"findings": []}, {"outage": {"swept": None}, "steady": {}}) is None
    assert coverage([{"trial": "outage"}, {}]) == ""


def share(**fields: object) -> Mapping[str, Any]:
    known = {
        "cases": 4, "met": 4, "not_met": [], "left_out": 0, "restarts": 0, "seed": 1, "unswept": {},
        "varying": [], "folded": {},
    }  # fmt: skip
    return {**known, **fields}


def test_the_coverage_counts_each_share_once_and_names_what_is_missing() -> None:
    facts = [
        {"trial": "sweep_1", "sweep": share()},
        {"trial": "sweep_1", "sweep": share()},
        {
            "trial": "sweep_2",
            "sweep": share(
                met=1,
                left_out=2,
                restarts=3,
                not_met=["a/x/cut"],
                unswept={"b": "why"},
                varying=["a/y"],
                folded={"a/z 2": 7},
            ),
        },
    ]
    assert coverage(facts[:1]) == "sweep: 4 of 4 cases were judged (100%)"
    assert coverage(facts) == (
        "sweep: 5 of 8 cases were judged (62%); 2 left out, chosen by seed 1; "
        "1 did not meet their step: a/x/cut; the service was started again after 3 of them; "
        "b was not swept (why); "
        "a/z 2 stands for 7 more executions; not every request has a/y"
    )

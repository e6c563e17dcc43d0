"""The fault of a trial in words."""

from brownout.report.when import when

OUTAGE = {"fault": "Outage()", "felt": 5, "begun": 0.92, "healed": 3.4}


def test_it_tells_onset_proof_and_heal() -> None:
    facts = {"injections": [OUTAGE], "recovered_after_seconds": 0.25}
    assert when(facts, 1.2) == (
        "Outage() from 0.92 s to 3.40 s, felt 5 times; seen first at 1.20 s; "
        "steady again 0.25 s after the heal"
    )


def test_many_faults_are_counted() -> None:
    once = {**OUTAGE, "felt": 1}
    assert when({"injections": [once, once, once], "recovered_after_seconds": 0}) == (
        "Outage() from 0.92 s to 3.40 s, felt 1 time; Outage() from 0.92 s to 3.40 s, felt 1 time; "
        "and 1 more; steady again at once"
    )


def test_an_older_document_has_no_times() -> None:
    assert when({"injections": [{"fault": "Reset()", "felt": 2}]}) == "Reset(), felt 2 times"


def test_without_a_fault_there_is_nothing_to_tell() -> None:
    assert when({}) == when({"injections": [], "recovered_after_seconds": 0.1}, 2.0) == ""

"""A run as spans: what hangs below what, when it was, and what it says."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from brownout import Completion
from brownout.observations import Answer, Recovery
from brownout.report.facts import Verdict
from brownout.telemetry.spans import spans_of
from brownout.trial.recording import ProcessEnd
from brownout.units import ms, seconds
from tests.core.made import answer, no_answer, recording
from tests.report.runs import case, run_of

TOKEN = "00f067aa0ba902b8"  # noqa: S105 - it opens nothing


def traced(one: Answer, token: str = TOKEN) -> Answer:
    return replace(one, token=token, trace_id=token * 2)


def spans(*answers: Answer, verdict: Verdict = Verdict.BROKEN, **fields: Any) -> list[ReadableSpan]:
    """The spans of a run with one trial, in which T1 was judged."""
    seen = json.loads(json.dumps(recording(answers=answers, **fields).to_json()))
    document, recordings = run_of([case("T1", "outage", verdict)], {"outage": seen})
    return list(spans_of(document, recordings, Resource.get_empty()))


def named(name: str, found: Iterable[ReadableSpan]) -> ReadableSpan:
    (one,) = (span for span in found if span.name == name)
    return one


def test_faults_and_requests_hang_below_their_trial_and_that_below_the_run() -> None:
    found = spans(answer(503, started=103.0))
    run, trial = named("brownout run", found), named("trial outage", found)
    assert run.parent is None
    assert trial.parent == run.context
    assert named("fault Outage", found).parent == trial.context
    assert named("list", found).parent == trial.context
    assert len({span.context.trace_id for span in found if span.context}) == 1
    assert len({span.context.span_id for span in found if span.context}) == len(found)


def test_a_request_is_the_root_of_the_trace_that_it_named() -> None:
    """The service's span has the id of the `traceparent` as its parent."""
    found = spans(traced(answer(503, started=103.0)))
    request, trial = named("list", found), named("trial outage", found)
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" == TOKEN * 2
    assert f"{request.context.span_id:016x}" == TOKEN
    assert request.context.trace_flags.sampled
    assert request.parent is None
    assert [link.context for link in request.links] == [trial.context]


def test_what_is_sent_again_with_its_token_has_a_span_of_its_own() -> None:
    first, again = traced(answer(503, started=103.0)), traced(answer(200, started=104.0))
    requests = [span for span in spans(first, again) if span.name == "list"]
    ids = [span.context.span_id for span in requests if span.context]
    assert len(set(ids)) == 2
    assert ids[0] == int(TOKEN, 16)
    assert {span.context.trace_id for span in requests if span.context} == {int(TOKEN * 2, 16)}


def test_a_trace_that_the_declaration_names_is_not_claimed() -> None:
    own = replace(answer(503), token=TOKEN, trace_id="f" * 32)
    found = spans(own)
    assert named("list", found).parent == named("trial outage", found).context


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    seen = recording(answers=(answer(503, started=103.0, elapsed=ms(250)),)).to_json()
    document, recordings = run_of([case("T1", "outage")], {"outage": json.loads(json.dumps(seen))})
    found = list(spans_of(document, recordings, Resource.get_empty()))
    began = datetime.fromisoformat(str(seen["began_at"])).timestamp()

    def times(name: str) -> list[float]:
        span = named(name, found)
        return [round((at or 0) / 1e9 - began, 3) for at in (span.start_time, span.end_time)]

    assert times("trial outage") == [0.0, 20.0]
    assert times("fault Outage") == [1.0, 11.0]
    assert times("list") == [3.0, 3.25]


def test_a_request_says_what_came_and_which_faults_it_met() -> None:
    found = spans(answer(503, started=103.0))
    request = named("list", found)
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 503
    assert request.attributes["error.type"] == "503"
    assert request.attributes["brownout.faults"] == ("Outage()",)
    assert request.attributes["brownout.trial"] == "outage"
    assert request.kind is SpanKind.CLIENT
    assert request.status.status_code is StatusCode.ERROR


def test_a_success_outside_of_any_fault_is_not_an_error() -> None:
    request = named("list", spans(answer(200, started=119.0)))
    assert request.status.status_code is StatusCode.UNSET
    assert request.attributes is not None
    assert "error.type" not in request.attributes
    assert request.attributes["brownout.faults"] == ()


def test_a_request_without_an_answer_says_how_it_ended() -> None:
    request = named("list", spans(no_answer(Completion.NO_ANSWER, started=103.0)))
    assert request.attributes is not None
    assert request.attributes["error.type"] == "no_answer"
    assert "http.response.status_code" not in request.attributes


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.BROKEN, StatusCode.ERROR), (Verdict.KEPT, StatusCode.UNSET)]
)
def test_a_trial_names_the_promises_that_it_broke(verdict: Verdict, status: StatusCode) -> None:
    trial = named("trial outage", spans(verdict=verdict))
    assert trial.status.status_code is status
    assert trial.attributes is not None
    assert trial.attributes["brownout.broken"] == (("T1",) if verdict is Verdict.BROKEN else ())


def test_a_trial_says_when_the_service_was_back_and_that_its_process_ended() -> None:
    back = Recovery(steady=True, after=seconds(0.5), rounds=("steady",))
    trial = named("trial outage", spans(recovery=back, process=ProcessEnd(3, seconds(2), ())))
    assert trial.attributes is not None
    assert trial.attributes["brownout.recovered_after_seconds"] == 0.5
    (event,) = trial.events
    assert (event.name, dict(event.attributes or {})) == (
        "process ended",
        {"brownout.exit_code": 3},
    )
    assert trial.start_time is not None
    assert event.timestamp - trial.start_time == pytest.approx(3e9, abs=1e6)  # fault + 2 s


def test_what_a_script_set_apart_is_there_once() -> None:
    one = answer(200, started=103.0)
    noted = answer(200, started=104.0)
    found = spans(one, notes={"alone list": (one, noted)})
    assert sum(span.name == "list" for span in found) == 2


def test_without_recordings_there_is_nothing_to_tell() -> None:
    document, _ = run_of([case("T1", "outage")])
    assert not list(spans_of(document, {}, Resource.get_empty()))

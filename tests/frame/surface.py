"""What suites and adopters may import: every public module of the package, with its names."""

from collections.abc import Mapping

__all__ = ["SURFACE"]

SURFACE: Mapping[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "brownout": """
            Answer Authentication BackendUnavailable Breaker BrownoutError Budget Completion
            ContractViolation Degraded Errors FaultNotFelt Feed Health Kind NotAssessable
            Operation Outcome Problem ProxyError RFC9457_SCHEMA Service ServiceNotReady
            SettingsError Streaming __version__ kib ms seconds
        """,
        "brownout.behaviours": "Area Behaviour CATALOGUE Guidance Level SOURCES find",
        "brownout.chaos": "CHAOS Search",
        "brownout.declaration": """
            Authentication Breaker Budget Degraded Errors Feed Health Kind Operation
            RFC9457_SCHEMA Service Streaming
        """,
        "brownout.declaration.needs": """
            breaker_for_slowness callers_deadlines concurrency fallbacks health_route invariants
            keyed_writes liveness origin_member origins problem_format problems read_back readiness
            trace_ids trace_member unpaced
        """,
        "brownout.expectations": """
            expect_accepted_in_time expect_acknowledged_applied expect_acknowledged_kept
            expect_agreeing_health expect_alive_without_database expect_all_succeed
            expect_all_within expect_as_before expect_at_most_failures expect_at_most_sessions
            expect_back_off expect_callers_error expect_cheap_reconnecting
            expect_cheap_replanning expect_completed_with_key expect_conflicts_told
            expect_connects_given_up expect_constant
            expect_constant_titles expect_distinct_origins expect_each expect_each_case
            expect_error_media_type expect_exactly_once_with_key expect_excess_answered
            expect_excess_refused expect_failing_component_named expect_fallback_over
            expect_few_attempts
            expect_few_connects expect_found_mistakes_told expect_free_event_loop
            expect_fresh_again expect_goodput
            expect_health_routes
            expect_honest_refusal expect_honest_statuses expect_invariant_kept expect_invariants
            expect_kept_trace_ids expect_little_added_load expect_marked_as_stale
            expect_near_baseline expect_never_repeated expect_next_callers_served
            expect_no_flapping expect_no_leak expect_no_open_transaction
            expect_no_sessions_left_behind
            expect_no_schedule_breaks expect_none_doubled expect_none_goes_back
            expect_none_idle_in_transaction expect_none_left_running expect_none_made_up
            expect_none_repeated expect_none_starved expect_none_succeed expect_one_at_a_time
            expect_one_error_line expect_one_retrying_layer expect_opened_by_slow_calls
            expect_origins expect_parallel expect_process_alive expect_ready_again
            expect_ready_with_database expect_recovered expect_recovered_from_case
            expect_recovered_meanwhile expect_refusals_in_log expect_refused_absent
            expect_retried expect_retries_in_time expect_retry_after expect_same_answer
            expect_schedule_survived expect_sessions_within
            expect_shielded expect_sqlstate_in_log_only expect_status_member expect_stopped
            expect_told_as_it_is expect_traceable expect_unaffected_by_lock
            expect_unaffected_by_streams expect_unanswered_never_repeated expect_unavailable
            expect_under_way_finished expect_undetermined_told expect_unready
            expect_unready_while_draining expect_unusable_values_told
            expect_used_key_refused expect_valid_bodies
            expect_valid_retry_after expect_whole_after_failures expect_whole_answer
            expect_whole_answers expect_whole_pool expect_whole_transactions
            expect_written_at_most_once expect_written_if_acknowledged
        """,
        "brownout.faults": """
            ALL Bandwidth BlackHole ChangedSchema Commit CommitNeverArrives Crash CutAfter CutAt
            DelayedAt Direction ESTABLISHED Fault Freeze Latency LockedTables Loss
            LostCommitReply LostReply NEW NoFreeSlots Outage RefusedAuthentication Reset Restart
            RevokedPermission Scope ScopeKind ServerError Side SlowAuthentication StalledAt
            Statement Step SwallowedCancels TerminatedBackends TruncatedReply
        """,
        "brownout.observations": """
            Answer Completion History Latencies Outcome Problem Recovery SAMPLES
        """,
        "brownout.postgres": "Admin Injection Postgres Session",
        "brownout.service": "RunningService",
        "brownout.trial": """
            Ask Baseline Break CaseTry Connects Exchange Heal Injected Invariant
            LatencyOfDeadline Load Phase Probe ProcessEnd Recorder Recording Recordings Referee
            Schedule Script SessionLook Settle Stage Started SteadyState Stopped Stream Trial
            Wait WireStep WriteHistories new_token steady_around
        """,
        "brownout.trial.plan": """
            ABANDONED_QUERIES ALWAYS_CUT ALWAYS_ENDED ALWAYS_FAILING BACK_AT_BASELINE
            BAD_VALUE BANDWIDTH
            BLACK_HOLE BLACK_HOLE_TO_SERVICE BREAKING BROKEN_ROWS CACHED_PLANS
            COMMIT_REFUSED CONFLICT CRASH CROWD CROWD_IN_A_BLACK_HOLE CUT DISK_FULL
            ENDED_IN_USE EVENT_LOOP EVERY_FAULT
            FAILED_REQUESTS FAILING_ONCE FALLBACK FEED FLAPPING FOUND_MISTAKES FREEZE FULL_POOL
            HANG_UPS
            HEAVY_ROUTE HELD_OPEN HURRIED LATENCY LIVENESS_IN_A_BLACK_HOLE LOCKED_TABLES
            LONG_OUTAGE LOST_COMMIT MISTAKES NO_FREE_SLOTS ONE_BY_ONE ONE_TABLE_LOCKED
            ORIGINS OUTAGE OVERLOAD PROBE_CROWD QUEUED RECONNECTING REDEPLOYED
            REFUSED_STATEMENTS RESET RESTART REVOKED_PERMISSION SAME_KEY SIDE_BY_SIDE
            SILENT_COMMIT SILENT_CONNECTIONS SLOW_ROWS SLOW_STATEMENTS STAMPEDE
            STARTING_UP STEADY SWEEP SWITCHOVER TERMINATED_BACKENDS UNANSWERED_CONNECTS
            UNANSWERED_WRITES UNDER_SLOW_PROBES WITHOUT_DATABASE WITH_A_FAULT WRITES_MEET
            WRITE_HISTORIES
        """,
        "brownout.units": "kib ms seconds whole_ms",
    }.items()
}
"""Each module's names; a change here is a change for every adopter, and goes into CHANGELOG.md."""

//! What every store promises, on PostgreSQL: the very files that try it on SQLite, in databases of a server.

#[path = "../../suite/store/a_class_that_fails_is_degraded.rs"]
mod a_class_that_fails_is_degraded;
#[path = "../../suite/store/a_commit_may_claim_as_well.rs"]
mod a_commit_may_claim_as_well;
#[path = "../../suite/store/a_request_is_asked_once_and_decided_once.rs"]
mod a_request_is_asked_once_and_decided_once;
#[path = "../../suite/store/a_run_tree_adds_up.rs"]
mod a_run_tree_adds_up;
#[path = "../../suite/store/a_schedule_keeps_to_its_allowance.rs"]
mod a_schedule_keeps_to_its_allowance;
#[path = "../../suite/store/a_stopped_instance_is_not_begun.rs"]
mod a_stopped_instance_is_not_begun;
#[path = "../../suite/store/a_tick_has_one_run.rs"]
mod a_tick_has_one_run;
mod a_whole_database_is_moved;
#[path = "../../suite/store/a_worktree_is_the_attempts_until_its_run_has_ended.rs"]
mod a_worktree_is_the_attempts_until_its_run_has_ended;
#[path = "../../suite/store/acceptance_is_durable_and_idempotent.rs"]
mod acceptance_is_durable_and_idempotent;
#[path = "../../suite/store/an_expired_lease_is_taken_over.rs"]
mod an_expired_lease_is_taken_over;
#[path = "../../suite/store/an_open_request_survives_its_hub.rs"]
mod an_open_request_survives_its_hub;
#[path = "../../suite/store/any_history_keeps_the_rules.rs"]
mod any_history_keeps_the_rules;
#[path = "../../suite/store/cancelling_ends_a_run_in_every_state.rs"]
mod cancelling_ends_a_run_in_every_state;
#[path = "../../suite/store/claims_are_fair_and_capped.rs"]
mod claims_are_fair_and_capped;
#[path = "../../suite/store/conversations_of_a_project_are_listed_by_last_use.rs"]
mod conversations_of_a_project_are_listed_by_last_use;
#[path = "../../suite/store/events_are_numbered_without_gaps.rs"]
mod events_are_numbered_without_gaps;
#[path = "../../suite/store/hosts_share_a_store.rs"]
mod hosts_share_a_store;
#[path = "../../suite/store/inputs_are_delivered_once_in_order.rs"]
mod inputs_are_delivered_once_in_order;
#[path = "../../suite/store/instances_have_unique_names.rs"]
mod instances_have_unique_names;
#[path = "../../suite/store/kit.rs"]
mod kit;
#[path = "../../suite/store/lists_are_pages_by_keyset.rs"]
mod lists_are_pages_by_keyset;
#[path = "../../suite/store/model.rs"]
mod model;
#[path = "../../suite/store/model_said.rs"]
mod model_said;
#[path = "../../suite/store/old_runs_are_removed_whole.rs"]
mod old_runs_are_removed_whole;
pub(crate) mod place;
mod postgres_is_waited_for;
mod postgres_reads_by_index;
mod postgres_schema_moves_forward_only;
mod postgres_takes_every_text;
#[path = "../../suite/store/projects_remember_that_they_were_unregistered.rs"]
mod projects_remember_that_they_were_unregistered;
#[path = "../../suite/store/released_runs_use_no_attempt.rs"]
mod released_runs_use_no_attempt;
#[path = "../../suite/store/runs_are_kept_named_and_added_up.rs"]
mod runs_are_kept_named_and_added_up;
#[path = "../../suite/store/secrets_are_not_written.rs"]
mod secrets_are_not_written;
pub(crate) mod server;
#[path = "../../suite/store/sessions_run_in_order_one_at_a_time.rs"]
mod sessions_run_in_order_one_at_a_time;
mod several_hubs_write_in_turn;
#[path = "../../suite/store/stale_fences_write_nothing.rs"]
mod stale_fences_write_nothing;
#[path = "../../suite/store/time_ends_what_waits_too_long.rs"]
mod time_ends_what_waits_too_long;
#[path = "../../suite/store/trees_have_one_writer.rs"]
mod trees_have_one_writer;
#[path = "../../suite/store/what_a_dead_hub_left_is_ended.rs"]
mod what_a_dead_hub_left_is_ended;

//! What every store promises. Nothing here but `kit` and the files named `sqlite_…` knows which backend it is.

mod a_request_is_asked_once_and_decided_once;
mod a_run_tree_adds_up;
mod a_stopped_instance_is_not_begun;
mod a_worktree_is_the_attempts_until_its_run_has_ended;
mod acceptance_is_durable_and_idempotent;
mod an_open_request_survives_its_hub;
mod any_history_keeps_the_rules;
mod cancelling_ends_a_run_in_every_state;
mod claims_are_fair_and_capped;
mod conversations_of_a_project_are_listed_by_last_use;
mod events_are_numbered_without_gaps;
mod instances_have_unique_names;
mod kit;
mod lists_are_pages_by_keyset;
mod old_runs_are_removed_whole;
mod projects_remember_that_they_were_unregistered;
mod released_runs_use_no_attempt;
mod secrets_are_not_written;
mod sessions_run_in_order_one_at_a_time;
mod sqlite_files_are_private;
mod sqlite_recovers_when_space_is_back;
mod sqlite_schema_moves_forward_only;
mod stale_fences_write_nothing;
mod time_ends_what_waits_too_long;
mod trees_have_one_writer;
mod what_a_dead_hub_left_is_ended;

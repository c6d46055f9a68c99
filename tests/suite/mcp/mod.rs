//! The MCP face over a pipe in memory, with a hub that is scripted by the prompt. These tests read only the wire.

mod a_person_is_asked_by_rounds;
mod a_person_is_asked_in_a_session;
mod arguments_teach;
mod both_eras_share_one_pipe;
mod broken_lines_are_answered;
mod changes_are_told;
mod changes_are_told_in_a_session;
mod ends_with_its_input;
mod fake;
mod fake_log;
mod fake_schedule;
mod persona_from_a_file;
mod pipe;
mod prompts_and_completion;
mod resources_are_read;
mod results_are_small_and_complete;
mod schedules;
mod schemas_are_fresh;
mod tasks_are_runs;
mod texts_keep_their_limits;
mod things;
mod waits_end_and_tell;

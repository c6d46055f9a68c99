//! Runs from the queue to their end, over the fake agent.

mod a_cancelled_run_has_let_go_of_its_tree;
mod a_cli_is_run_once_a_turn;
mod a_conclusion_says_what_was_seen;
mod a_conversation_goes_on;
mod a_dead_agent_is_replaced;
mod a_lost_lease_ends_the_work;
mod a_run_ends_whatever_breaks;
mod an_agent_is_heard_by_our_own_tools;
mod an_answer_lets_a_run_go_on;
mod an_input_is_a_further_turn;
mod draining_gives_runs_back;
mod kit;
mod runs_that_change_the_same_files_name_each_other;
mod sessions_are_worked_off_in_order;
mod what_an_ended_run_began_is_ended;
mod what_failed_is_tried_again;
mod what_may_be_half_done_is_asked_about;
mod what_nobody_answers_ends_by_itself;
mod what_says_nothing_or_costs_too_much_is_ended;

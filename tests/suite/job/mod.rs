//! The whole job: the real binary as face and as hub, and an agent that does as its prompt says.

mod a_captain_leads_its_talons;
mod a_run_can_be_ended_at_any_time;
mod a_run_waits_for_its_environment;
mod a_second_delegation_finds_the_agent_warm;
mod a_secret_stays_where_it_belongs;
mod a_warm_delegation_costs_three_commits;
mod an_agent_may_fail_in_any_way;
mod an_agent_without_a_role_may_only_look;
mod an_editor_may_crash_at_any_moment;
mod an_idle_hub_ends_with_its_agents;
mod an_open_request_outlives_its_hub;
mod an_unregistered_directory_stays_so;
mod bad_input_is_refused_and_does_no_harm;
mod below;
mod events_replay_and_go_on;
mod kit;
mod only_a_person_answers_and_only_once;
mod the_death_of_a_hub_leaves_nothing_and_loses_nothing;
mod the_end_of_a_run_is_the_end_of_what_it_began;
mod turns_wait_for_tree_slot_and_session;

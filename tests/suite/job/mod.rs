//! The whole job: the real binary as face and as hub, and an agent that does as its prompt says.

mod a_second_delegation_finds_the_agent_warm;
mod a_secret_stays_where_it_belongs;
mod an_editor_may_crash_at_any_moment;
mod kit;
mod the_death_of_a_hub_leaves_nothing_and_loses_nothing;
mod turns_wait_for_tree_slot_and_session;

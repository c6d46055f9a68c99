//! Promises of the hub's shell: one owner per home, found, started, replaced and ended in good order.

pub(crate) mod nest;

mod a_caller_is_told_by_its_ancestors;
mod a_connection_outlives_its_hub;
mod a_dead_hub_is_replaced;
mod a_home_has_one_owner;
mod a_home_that_cannot_be_used_says_so;
mod a_hub_ends_when_idle;
mod a_hub_of_another_version_is_used_or_replaced;
mod agents_see_what_the_peer_sent;
mod twenty_faces_race_to_start_one_hub;

//! The whole job with hubs that keep what they remember on a server: real binaries, an agent that does as its prompt says.

mod a_hub_that_was_stopped_writes_nothing;
mod a_server_that_goes_away_is_waited_for;
mod hosts_share_a_database;
mod keep;
#[allow(dead_code, reason = "it serves more tests than those that are here")]
#[path = "../../suite/job/kit.rs"]
mod kit;
#[path = "../../suite/job/oracle.rs"]
mod oracle;
mod proxy;
mod three_hubs_are_killed_and_cut_off;
#[path = "../../suite/job/whenever_a_hub_is_killed_nothing_is_lost.rs"]
mod whenever_a_hub_is_killed_nothing_is_lost;

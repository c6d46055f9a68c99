use super::{Bounds, Effect, Event, Heft, Restarts, Table};
use crate::{
    agents::{
        acp::{Opened, Opening},
        pool::key::{Digest, WarmKey},
    },
    domain::{
        fault::{ErrorKind, Fault},
        ids::InstanceId,
    },
};
use std::{collections::BTreeSet, path::PathBuf};
use uuid::Uuid;

pub(super) type Link = &'static str;

pub(super) fn key(root: &str) -> WarmKey {
    WarmKey {
        root: PathBuf::from(root),
        agent: "fake".to_owned(),
        launch: Digest::of(["x"]),
    }
}

pub(super) fn table() -> Table<Link> {
    bounded(0)
}

/// Its agents may take so many bytes together; each takes as many as its name has.
pub(super) fn bounded(budget: u64) -> Table<Link> {
    let of: fn(&Link) -> u64 = |link| link.len() as u64;
    let bounds = Bounds {
        heft: Heft { budget, of },
        restarts: Restarts::default(),
    };
    Table::new(1_000, |_| 6, bounds)
}

/// Brings up the agent of `root` for one caller, at time 0.
pub(super) fn warm(table: &mut Table<Link>, root: &str, link: Link) -> u64 {
    let effects = table.handle(
        Event::Wanted {
            key: key(root),
            ticket: 1,
        },
        0,
    );
    let [Effect::Start { generation, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    let given = table.handle(
        Event::Started {
            key: key(root),
            generation,
            outcome: Ok(link),
        },
        0,
    );
    assert!(
        matches!(
            given[..],
            [Effect::Give {
                ticket: 1,
                reused: false,
                ..
            }]
        ),
        "{given:?}"
    );
    generation
}

pub(super) fn returned(
    root: &str,
    generation: u64,
    session: &str,
    opening: Option<Opening>,
) -> Event<Link> {
    Event::Returned {
        key: key(root),
        generation,
        session: Some(session.to_owned()),
        opening,
    }
}

#[test]
fn callers_who_come_while_it_starts_share_one_agent() {
    let mut table = table();
    let first = table.handle(
        Event::Wanted {
            key: key("/p"),
            ticket: 1,
        },
        0,
    );
    assert_eq!(first.len(), 1);
    assert!(
        table
            .handle(
                Event::Wanted {
                    key: key("/p"),
                    ticket: 2
                },
                0
            )
            .is_empty()
    );
    let given = table.handle(
        Event::Started {
            key: key("/p"),
            generation: 1,
            outcome: Ok("a"),
        },
        0,
    );
    let reused: Vec<bool> = given
        .iter()
        .map(|e| matches!(e, Effect::Give { reused: true, .. }))
        .collect();
    assert_eq!(reused, [false, true]);
}

#[test]
fn a_failed_start_is_told_to_all_and_tried_anew() {
    let mut table = table();
    table.handle(
        Event::Wanted {
            key: key("/p"),
            ticket: 1,
        },
        0,
    );
    table.handle(
        Event::Wanted {
            key: key("/p"),
            ticket: 2,
        },
        0,
    );
    let outcome = Err(Fault::new(ErrorKind::AgentSpawn, "no"));
    let told = table.handle(
        Event::Started {
            key: key("/p"),
            generation: 1,
            outcome,
        },
        0,
    );
    assert!(matches!(
        told[..],
        [
            Effect::Refuse { ticket: 1, .. },
            Effect::Refuse { ticket: 2, .. }
        ]
    ));
    let again = table.handle(
        Event::Wanted {
            key: key("/p"),
            ticket: 3,
        },
        0,
    );
    assert!(matches!(again[..], [Effect::Start { generation: 2, .. }]));
}

#[test]
fn keys_live_side_by_side() {
    let mut table = table();
    warm(&mut table, "/p", "a");
    warm(&mut table, "/q", "b");
    assert_eq!(table.rows().len(), 2);
}

#[test]
fn a_death_evicts_at_once_and_an_old_generation_touches_nothing() {
    let mut table = table();
    let old = warm(&mut table, "/p", "a");
    table.handle(
        Event::Died {
            key: key("/p"),
            generation: old,
            unasked: true,
        },
        0,
    );
    assert!(table.rows().is_empty());
    let new = warm(&mut table, "/p", "b");
    assert!(new > old);
    table.handle(
        Event::Died {
            key: key("/p"),
            generation: old,
            unasked: true,
        },
        0,
    );
    assert!(table.handle(returned("/p", old, "s", None), 0).is_empty());
    assert_eq!(table.rows()[0].busy, 1);
}

#[test]
fn an_agent_that_started_for_nobody_is_closed() {
    let mut table = table();
    table.handle(
        Event::Wanted {
            key: key("/p"),
            ticket: 1,
        },
        0,
    );
    table.handle(Event::Closing, 0);
    let late = table.handle(
        Event::Started {
            key: key("/p"),
            generation: 1,
            outcome: Ok("a"),
        },
        0,
    );
    assert!(matches!(late[..], [Effect::Close { link: "a" }]));
}

#[test]
fn only_idle_unpinned_agents_end() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    assert!(
        table.handle(Event::Ticked, 5_000).is_empty(),
        "a busy agent ended"
    );
    table.handle(returned("/p", generation, "s", None), 5_000);
    assert!(table.handle(Event::Ticked, 5_999).is_empty());
    let instance = InstanceId(Uuid::nil());
    table.handle(
        Event::Pinned {
            key: key("/p"),
            instance,
        },
        5_999,
    );
    assert!(
        table.handle(Event::Ticked, 9_000).is_empty(),
        "a pinned agent ended"
    );
    table.handle(Event::Unpinned { instance }, 9_000);
    assert!(matches!(
        table.handle(Event::Ticked, 9_000)[..],
        [Effect::Close { .. }]
    ));
}

fn opening(persona: &str) -> Opening {
    Opening {
        persona: Some(persona.to_owned()),
        ..Opening::default()
    }
}

fn opened(session: &str) -> Opened {
    Opened {
        session: session.to_owned(),
        route: None,
        warnings: Vec::new(),
        tools: None,
    }
}

fn spare(generation: u64, persona: &str, session: Option<&str>) -> Event<Link> {
    Event::SpareOpened {
        key: key("/p"),
        generation,
        opening: opening(persona),
        opened: session.map(opened),
    }
}

#[test]
fn a_spare_is_opened_after_a_turn_and_taken_once() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    let wanted = || Some(opening("reviewer"));
    let effects = table.handle(returned("/p", generation, "s", wanted()), 0);
    assert!(matches!(effects[..], [Effect::OpenSpare { .. }]));
    let take =
        |table: &mut Table<Link>, who| table.take_spare(&key("/p"), generation, &opening(who));
    let again = table.handle(returned("/p", generation, "s2", wanted()), 0);
    assert!(again.is_empty(), "it is on its way: {again:?}");
    assert!(
        table
            .handle(spare(generation, "reviewer", Some("t")), 0)
            .is_empty()
    );
    assert_eq!(table.rows()[0].spare, 1);
    assert_eq!(take(&mut table, "architect"), None);
    assert_eq!(take(&mut table, "reviewer"), Some(Some(opened("t"))));
    assert_eq!(take(&mut table, "reviewer"), None);
}

#[test]
fn a_spare_on_its_way_is_for_one_and_is_kept_when_he_has_gone() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    table.handle(
        returned("/p", generation, "s", Some(opening("reviewer"))),
        0,
    );
    let take =
        |table: &mut Table<Link>| table.take_spare(&key("/p"), generation, &opening("reviewer"));
    assert_eq!(take(&mut table), Some(None), "it is waited for");
    assert_eq!(take(&mut table), None, "by one");
    assert!(
        table
            .handle(spare(generation, "reviewer", Some("t")), 0)
            .is_empty()
    );
    assert_eq!(take(&mut table), Some(Some(opened("t"))));
}

#[test]
fn a_spare_of_an_edited_persona_gives_way_to_the_new_one() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    table.handle(returned("/p", generation, "s", Some(opening("old"))), 0);
    table.handle(spare(generation, "old", Some("t")), 0);
    let effects = table.handle(returned("/p", generation, "s2", Some(opening("new"))), 0);
    assert!(
        matches!(&effects[..], [Effect::CloseSession { session, .. }, Effect::OpenSpare { .. }] if session == "t"),
        "{effects:?}"
    );
}

#[test]
fn a_spare_that_comes_too_late_is_closed_and_one_that_fails_is_tried_again() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    table.handle(returned("/p", generation, "s", Some(opening("old"))), 0);
    table.handle(returned("/p", generation, "s2", Some(opening("new"))), 0);
    let late = table.handle(spare(generation, "old", Some("t")), 0);
    assert!(matches!(&late[..], [Effect::CloseSession { session, .. }] if session == "t"));
    assert!(table.handle(spare(generation, "new", None), 0).is_empty());
    let again = table.handle(returned("/p", generation, "s3", Some(opening("new"))), 0);
    assert!(matches!(again[..], [Effect::OpenSpare { .. }]), "{again:?}");
    assert!(
        table
            .handle(spare(generation + 1, "new", Some("u")), 0)
            .is_empty()
    );
}

#[test]
fn used_sessions_stay_open_for_follow_ups_up_to_a_bound() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    let mut closed = Vec::new();
    for n in 0..8 {
        for effect in table.handle(returned("/p", generation, &format!("s{n}"), None), 0) {
            if let Effect::CloseSession { session, .. } = effect {
                closed.push(session);
            }
        }
    }
    assert_eq!(closed, ["s0", "s1"]);
    assert!(table.take_open(&key("/p"), generation, "s7"));
    assert!(!table.take_open(&key("/p"), generation, "s7"));
    assert!(!table.take_open(&key("/p"), generation, "s0"));
}

fn roots(named: &[&str]) -> BTreeSet<PathBuf> {
    named.iter().map(PathBuf::from).collect()
}

#[test]
fn what_a_person_works_in_is_kept_and_the_persons() {
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    warm(&mut table, "/q", "b");
    for (root, spawned) in [("/p", generation), ("/q", generation + 1)] {
        table.handle(returned(root, spawned, "s", None), 0);
    }
    assert!(table.rows().iter().all(|row| row.spawned));
    let kept = Event::Kept {
        roots: roots(&["/p", "/later"]),
    };
    table.handle(kept, 500);
    let ended = table.handle(Event::Ticked, 1_000);
    assert!(
        matches!(ended[..], [Effect::Close { link: "b" }]),
        "{ended:?}"
    );
    assert!(table.rows().iter().all(|row| !row.spawned));
    // One that starts where a person already is belongs to that person too.
    let later = warm(&mut table, "/later", "c");
    assert!(table.rows().iter().all(|row| !row.spawned));
    table.handle(returned("/later", later, "s", None), 2_000);
    // Left by its person it is as idle as any, from then on.
    table.handle(Event::Kept { roots: roots(&[]) }, 5_000);
    assert!(table.handle(Event::Ticked, 5_999).is_empty());
    assert_eq!(table.handle(Event::Ticked, 6_000).len(), 2);
}

#[test]
fn a_stopped_root_has_no_agent_and_the_next_starts_anew() {
    let mut table = table();
    let first = warm(&mut table, "/p", "a");
    warm(&mut table, "/q", "b");
    let other = WarmKey {
        agent: "other".to_owned(),
        ..key("/p")
    };
    let starting = Event::Wanted {
        key: other.clone(),
        ticket: 7,
    };
    table.handle(starting, 0);
    let stopped = table.handle(Event::Stopped { root: "/p".into() }, 0);
    assert_eq!(stopped.len(), 2, "{stopped:?}");
    for effect in &stopped {
        if let Effect::Refuse { ticket: 7, fault } = effect {
            assert_eq!(fault.kind, ErrorKind::Busy);
        } else {
            assert!(matches!(effect, Effect::Close { link: "a" }), "{effect:?}");
        }
    }
    // The one that was starting comes too late, and the turn that was under way gives back a place that is gone.
    let late = Event::Started {
        key: other,
        generation: first + 2,
        outcome: Ok("c"),
    };
    let late = table.handle(late, 0);
    assert!(
        matches!(late[..], [Effect::Close { link: "c" }]),
        "{late:?}"
    );
    assert!(table.handle(returned("/p", first, "s", None), 0).is_empty());
    assert_eq!(table.rows().len(), 1);
    assert!(warm(&mut table, "/p", "d") > first);
}

#[test]
fn nobody_new_comes_to_an_agent_whose_root_was_replaced() {
    let mut table = table();
    let first = warm(&mut table, "/p", "a");
    assert!(
        table
            .handle(Event::Replaced { root: "/p".into() }, 0)
            .is_empty()
    );
    assert!(table.rows().is_empty());
    assert!(warm(&mut table, "/p", "b") > first);
    assert!(table.handle(returned("/p", first, "s", None), 0).is_empty());
    assert_eq!(table.rows()[0].busy, 1);
}

#[test]
fn whoever_comes_as_an_idle_agent_ends_has_another_and_who_was_first_keeps_it() {
    let wanted = || Event::Wanted {
        key: key("/p"),
        ticket: 9,
    };
    // First the caller: it is not idle any more.
    let mut table = table();
    let generation = warm(&mut table, "/p", "a");
    table.handle(returned("/p", generation, "s", None), 0);
    let given = table.handle(wanted(), 5_000);
    assert!(matches!(given[..], [Effect::Give { .. }]), "{given:?}");
    assert!(table.handle(Event::Ticked, 5_000).is_empty());
    // First its end: what comes is for a new one, and the death of the old one is nothing to it.
    table.handle(returned("/p", generation, "s", None), 5_000);
    let ended = table.handle(Event::Ticked, 9_000);
    assert!(matches!(ended[..], [Effect::Close { .. }]), "{ended:?}");
    let next = table.handle(wanted(), 9_000);
    assert!(
        matches!(next[..], [Effect::Start { generation: new, .. }] if new > generation),
        "{next:?}"
    );
    let died = Event::Died {
        key: key("/p"),
        generation,
        unasked: true,
    };
    assert!(table.handle(died, 9_000).is_empty());
}

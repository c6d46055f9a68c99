//! What becomes of agents that end by themselves, are upgraded, or are heavy.

use super::{
    Effect, Event, Table,
    tests::{Link, bounded, key, returned, table, warm},
};
use crate::domain::{fault::ErrorKind, ids::InstanceId};
use std::collections::BTreeSet;
use uuid::Uuid;

fn wanted(table: &mut Table<Link>, root: &str, now: i64) -> Vec<Effect<Link>> {
    let key = key(root);
    table.handle(Event::Wanted { key, ticket: 9 }, now)
}

/// Comes up and ends at `now`.
fn dies(table: &mut Table<Link>, root: &str, now: i64, unasked: bool) {
    let generation = warm(table, root, "a");
    let died = Event::Died {
        key: key(root),
        generation,
        unasked,
    };
    assert!(table.handle(died, now).is_empty());
}

fn refused(effects: &[Effect<Link>]) -> bool {
    match effects {
        [Effect::Refuse { ticket: 9, fault }] => {
            assert_eq!(fault.kind, ErrorKind::AgentBroken);
            assert!(fault.detail.contains("4 times"), "{fault}");
            assert!(
                fault
                    .hint
                    .as_deref()
                    .is_some_and(|hint| hint.contains("eyas agent reset fake"))
            );
            true
        }
        _ => false,
    }
}

#[test]
fn one_that_ends_too_often_is_started_no_more_until_a_person_says_so() {
    let mut table = table();
    for now in [0, 20_000, 40_000] {
        dies(&mut table, "/p", now, true);
    }
    assert_eq!(table.broken().count(), 0, "three restarts are borne");
    dies(&mut table, "/p", 59_000, true);
    assert!(refused(&wanted(&mut table, "/p", 59_000)));
    table.handle(Event::Ticked, 9_000_000);
    assert!(
        refused(&wanted(&mut table, "/p", 9_000_000)),
        "time heals nothing"
    );
    assert!(!refused(&wanted(&mut table, "/q", 0)), "others are started");
    assert!(!table.mend("another"));
    assert!(table.mend("fake"));
    warm(&mut table, "/p", "a");
    // It begins anew.
    assert!(!table.mend("fake"));
}

#[test]
fn what_is_long_ago_or_asked_for_counts_not() {
    let mut table = table();
    for now in 0..10 {
        dies(&mut table, "/p", now * 20_001, true);
    }
    for now in 0..10 {
        dies(&mut table, "/q", now, false);
    }
    assert_eq!(table.broken().count(), 0);
    table.handle(Event::Ticked, 1_000_000);
    assert!(!table.knows(&key("/p")), "nothing is kept for ever");
}

#[test]
fn another_program_or_a_stopped_project_is_another_try() {
    for mend in [
        Event::Outdated { key: key("/p") },
        Event::Stopped { root: "/p".into() },
    ] {
        let mut table = table();
        for now in 0..4 {
            dies(&mut table, "/p", now, true);
        }
        assert!(refused(&wanted(&mut table, "/p", 5)));
        assert!(table.handle(mend, 5).is_empty());
        warm(&mut table, "/p", "a");
    }
}

#[test]
fn an_upgraded_agent_ends_its_turns_and_goes_with_the_last() {
    let mut table = table();
    let old = warm(&mut table, "/p", "old");
    let twice = wanted(&mut table, "/p", 0);
    assert!(matches!(twice[..], [Effect::Give { reused: true, .. }]));
    let outdated = || Event::Outdated { key: key("/p") };
    assert!(table.handle(outdated(), 0).is_empty(), "it is at work");
    let new = warm(&mut table, "/p", "new");
    assert_eq!(table.rows().len(), 2, "both are there");
    assert!(table.handle(returned("/p", old, "s", None), 0).is_empty());
    let last = table.handle(returned("/p", old, "t", None), 0);
    assert!(
        matches!(last[..], [Effect::Close { link: "old" }]),
        "{last:?}"
    );
    assert_eq!(table.rows().len(), 1);
    // An idle one goes at once.
    table.handle(returned("/p", new, "s", None), 0);
    let idle = table.handle(outdated(), 0);
    assert!(
        matches!(idle[..], [Effect::Close { link: "new" }]),
        "{idle:?}"
    );
    assert!(table.rows().is_empty());
}

#[test]
fn one_that_leaves_ends_with_the_pool_or_its_root_and_may_die_on_the_way() {
    for (end, closed) in [
        (Event::Closing, 1),
        (Event::Stopped { root: "/p".into() }, 1),
        (
            Event::Died {
                key: key("/p"),
                generation: 1,
                unasked: true,
            },
            0,
        ),
    ] {
        let mut table = table();
        assert_eq!(warm(&mut table, "/p", "old"), 1);
        table.handle(Event::Outdated { key: key("/p") }, 0);
        assert_eq!(table.handle(end, 0).len(), closed);
        assert!(table.rows().is_empty());
        assert!(table.handle(returned("/p", 1, "s", None), 0).is_empty());
    }
}

#[test]
fn a_start_under_way_is_not_outdated() {
    let mut table = table();
    assert_eq!(wanted(&mut table, "/p", 0).len(), 1);
    assert!(table.is_starting(&key("/p")));
    assert!(
        table
            .handle(Event::Outdated { key: key("/p") }, 0)
            .is_empty()
    );
    assert!(table.is_starting(&key("/p")));
}

/// The agents that end at a tick.
fn ended(table: &mut Table<Link>, now: i64) -> Vec<Link> {
    let effects = table.handle(Event::Ticked, now);
    let closed = |effect| {
        let Effect::Close { link } = effect else {
            panic!("{effect:?}");
        };
        link
    };
    effects.into_iter().map(closed).collect()
}

#[test]
fn idle_agents_end_while_all_are_too_heavy_the_least_recently_used_first() {
    let mut table = bounded(10);
    for (at, root) in ["/a", "/b", "/c", "/d"].into_iter().enumerate() {
        let generation = warm(&mut table, root, ["AAAA", "BBBB", "CCCC", "DDDD"][at]);
        let at = i64::try_from(at).unwrap_or_default();
        table.handle(returned(root, generation, "s", None), at);
    }
    // The oldest is used again.
    let (key, generation) = (key("/a"), 1);
    wanted(&mut table, "/a", 10);
    table.handle(
        Event::Returned {
            key,
            generation,
            session: None,
            opening: None,
        },
        10,
    );
    assert_eq!(ended(&mut table, 20), ["BBBB", "CCCC"]);
    assert_eq!(ended(&mut table, 20), Vec::<Link>::new());
}

#[test]
fn what_works_or_is_pinned_is_not_ended_for_its_weight_and_what_people_use_last() {
    let mut table = bounded(5);
    warm(&mut table, "/busy", "BUSY");
    for (root, link) in [("/pinned", "PINS"), ("/kept", "KEPT"), ("/free", "FREE")] {
        let generation = warm(&mut table, root, link);
        table.handle(returned(root, generation, "s", None), 0);
    }
    let pinned = Event::Pinned {
        key: key("/pinned"),
        instance: InstanceId(Uuid::nil()),
    };
    table.handle(pinned, 0);
    let roots: BTreeSet<_> = [std::path::PathBuf::from("/kept")].into();
    table.handle(Event::Kept { roots }, 0);
    assert_eq!(ended(&mut table, 1), ["FREE", "KEPT"]);
    assert_eq!(table.rows().len(), 2);
    assert_eq!(ended(&mut bounded(0), 1), Vec::<Link>::new());
}

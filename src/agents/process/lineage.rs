//! Who descends from whom, as `/proc` shows it.

use super::grip::Grip;
use rustix::process::Signal;
use std::{
    collections::{BTreeSet, HashMap},
    fs,
};

/// One process of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) parent: u32,
    /// Clock ticks since boot: with the pid it names one process of this boot.
    pub(super) start_time: u64,
    /// It has ended, and only waits for its parent.
    pub(super) zombie: bool,
}

/// Reads `/proc/<pid>/stat`; `None` when there is no such process.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The command's name stands in parentheses and may itself hold any byte, so fields are counted from the last one.
fn parse(stat: &[u8]) -> Option<Stat> {
    let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let fields: Vec<&str> = std::str::from_utf8(&stat[after..])
        .ok()?
        .split_ascii_whitespace()
        .collect();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
    })
}

/// The living children of each process of the moment.
pub(super) fn children() -> HashMap<u32, Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return children;
    };
    for pid in entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    {
        if let Some(stat) = stat(pid).filter(|stat| !stat.zombie) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    children
}

/// All of them below `root`, children before their own children.
pub(super) fn below(root: u32, children: &HashMap<u32, Vec<u32>>) -> Vec<u32> {
    let mut found = children.get(&root).cloned().unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.get(pid).into_iter().flatten());
        next += 1;
    }
    found
}

/// All living processes below `root`, children before their own children. Where the kernel lists a process's children that is what it costs:
/// many shims that end at once must not each look at everything that runs.
pub(super) fn descendants(root: u32) -> Vec<u32> {
    listed_below(root).unwrap_or_else(|| below(root, &children()))
}

/// By the kernel's lists; `None` where there are none.
fn listed_below(root: u32) -> Option<Vec<u32>> {
    let mut found = listed(root)?;
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        // One that has ended meanwhile has given its children to the one above it, where the next look finds them.
        found.extend(listed(*pid).unwrap_or_default());
        next += 1;
    }
    Some(found)
}

/// The living children of one process. A list loses entries when one of them ends while it is read, so it is read twice.
fn listed(pid: u32) -> Option<Vec<u32>> {
    let tasks: Vec<_> = fs::read_dir(format!("/proc/{pid}/task"))
        .ok()?
        .flatten()
        .map(|task| task.path().join("children"))
        .collect();
    let mut all = BTreeSet::new();
    let mut known = false;
    for list in tasks.iter().chain(&tasks) {
        if let Ok(list) = fs::read_to_string(list) {
            known = true;
            all.extend(
                list.split_ascii_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
    }
    all.retain(|pid| stat(*pid).is_some_and(|stat| !stat.zombie));
    known.then(|| all.into_iter().collect())
}

/// Sends `signal` to all living processes below `root`, not to `root`.
pub(super) fn signal_below(root: u32, signal: Signal) {
    for pid in descendants(root) {
        if let Some(grip) = Grip::of(pid) {
            grip.signal(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Stat, below, children, listed_below, parse, stat};

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"12 (a) R 1 (b) S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0";
        let expected = Stat {
            parent: 7,
            start_time: 4711,
            zombie: false,
        };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse(b"12 (a) Z"), None);
    }

    #[test]
    fn the_kernels_lists_and_its_table_say_the_same() {
        let me = std::process::id();
        // Other tests start and end processes meanwhile: it is enough that they agree once.
        let agree = || {
            let listed = listed_below(me);
            let mut table = below(me, &children());
            table.sort_unstable();
            listed.is_none_or(|mut listed| {
                listed.sort_unstable();
                listed == table
            })
        };
        assert!((0..1_000).any(|_| agree()));
        assert_eq!(listed_below(u32::MAX), None);
    }

    #[test]
    fn this_process_is_seen() {
        assert!(stat(std::process::id()).is_some_and(|stat| !stat.zombie && stat.start_time > 0));
        assert_eq!(stat(u32::MAX), None);
    }
}

//! Who descends from whom, as `/proc` shows it.

use super::grip::Grip;
use rustix::process::Signal;
use std::{collections::HashMap, fs};

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

/// All living processes below `root`, children before their own children.
pub(super) fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    for pid in entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    {
        if let Some(stat) = stat(pid).filter(|stat| !stat.zombie) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = children.remove(&root).unwrap_or_default();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
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
    use super::{Stat, parse, stat};

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
    fn this_process_is_seen() {
        assert!(stat(std::process::id()).is_some_and(|stat| !stat.zombie && stat.start_time > 0));
        assert_eq!(stat(u32::MAX), None);
    }
}

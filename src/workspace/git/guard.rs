//! A small process beside the hub that ends its gits when it is killed.
//!
//! A git that waits for ever, on a pipe or a dead disk, would outlive a hub that dies of SIGKILL. A shim for each, as agents have, would cost
//! every call the start of a program. So there is one guard: it is told of each git as it begins and ends, and when the pipe that it
//! listens to closes, for which a death of any kind will do, it kills the groups of those that are left.

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    process::{Pid, Signal, kill_process_group},
};
use std::{
    collections::HashMap,
    io::{self, BufRead as _, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

/// The first argument that makes this program a guard.
pub const WORD: &str = "__guard";

/// This very program, once whoever has read its path has said so.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
/// One per process, as its death is the process's.
static GUARD: Mutex<Kept> = Mutex::new(Kept {
    child: None,
    starts: 0,
});
/// A guard that dies again and again is none.
const STARTS: u8 = 10;

struct Kept {
    child: Option<Child>,
    starts: u8,
}

/// Has the gits of this process end with it from now on; `program` is the one that is a guard when it is told [`WORD`].
pub fn guarded_by(program: PathBuf) {
    PROGRAM.get_or_init(|| program);
}

/// A git has begun and leads a group.
pub(super) fn watch(leader: Pid) {
    tell('+', leader);
}

/// It has ended, or has been killed with its group.
pub(super) fn let_go(leader: Pid) {
    tell('-', leader);
}

fn tell(what: char, leader: Pid) {
    let Some(program) = PROGRAM.get() else {
        return;
    };
    let line = format!("{what}{}\n", leader.as_raw_nonzero());
    let mut kept = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    // One that somebody killed is replaced; of the gits before, the next knows nothing.
    for _ in 0..2 {
        if kept.child.is_none() && kept.starts < STARTS {
            kept.starts += 1;
            kept.child = start(program)
                .inspect_err(|error| tracing::warn!(%error, "gits have no guard"))
                .ok();
        }
        let Some(pipe) = kept.child.as_mut().and_then(|child| child.stdin.as_mut()) else {
            return;
        };
        match pipe.write_all(line.as_bytes()) {
            Ok(()) => return,
            // It is stuck, and must not hold up the hub.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_gone) => end(kept.child.take()),
        }
    }
}

fn end(child: Option<Child>) {
    let Some(mut child) = child else { return };
    let ended = child.kill().and_then(|()| child.wait());
    if let Err(error) = ended {
        tracing::debug!(%error, "a guard of gits stays");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "not an agent, and what is to end with the hub cannot be what ends it"
)]
fn start(program: &Path) -> io::Result<Child> {
    let child = Command::new(program)
        .arg(WORD)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A signal from a terminal to the hub's group is not for it.
        .process_group(0)
        .spawn()?;
    if let Some(pipe) = &child.stdin {
        fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
    }
    Ok(child)
}

/// Runs the guard: listens until there is nobody to listen to, then kills who is left.
#[must_use]
pub fn guard_gits() -> ExitCode {
    let mut left: HashMap<i32, Option<u64>> = HashMap::new();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let number = |rest: &str| rest.parse::<i32>().ok();
        if let Some(leader) = line.strip_prefix('+').and_then(number) {
            left.insert(leader, born(leader));
        } else if let Some(leader) = line.strip_prefix('-').and_then(number) {
            left.remove(&leader);
        }
    }
    for (leader, since) in left {
        // Another process that has the number by now; of a leader that is gone the group may still be there, and keeps the number.
        let is_another = born(leader).is_some_and(|now| Some(now) != since);
        if let Some(leader) = Pid::from_raw(leader).filter(|_| !is_another) {
            // It may have ended by itself.
            kill_process_group(leader, Signal::KILL).ok();
        }
    }
    ExitCode::SUCCESS
}

/// Clock ticks from boot to the start of a process.
fn born(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(19)?.parse().ok()
}

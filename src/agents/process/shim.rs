//! The reaper shim: stands between the hub and one agent, so that nothing the agent started outlives either.
//!
//! Started as `eyas __reap [--owner-pid N] [--record PATH] -- program args…`. It becomes the subreaper of everything below it
//! (daemons that fork twice or call `setsid` come back to it as children), asks the kernel for SIGTERM when the hub's launching thread
//! dies, hands its own stdio on to the agent untouched, and waits. SIGTERM ends all in 1.5 s, SIGUSR1 at once.

use super::{
    identity::{Identity, Record, boot_id},
    lineage,
    order::Order,
};
use rustix::process::{Signal, WaitOptions, WaitStatus, getppid, wait};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
    time::Duration,
};
use tokio::{
    signal::unix::{Signal as Listener, SignalKind, signal},
    time::{Instant, sleep_until},
};

/// The exit code for an agent that could not be started.
pub(super) const CANNOT_START: u8 = 126;
/// What stderr then says, before the program's name.
pub(super) const CANNOT_START_TEXT: &str = "eyas: cannot start ";
/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_millis(1_500);
/// How long to go on killing what does not die (a process in an uninterruptible call, or another user's).
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two rounds of SIGKILL: a process may have forked during the round.
const ROUND: Duration = Duration::from_millis(10);

/// Runs the shim; `args` are those after `__reap`. Returns the agent's exit code, or 128 and its signal.
pub fn reap(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let code = Order::parse(args)
        .map_err(io::Error::other)
        .and_then(|order| {
            // One thread, which is the process: the parent-death signal and `wait` belong to it.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build()?;
            runtime.block_on(supervise(&order))
        });
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&format!("eyas: the reaper failed: {error}"));
            ExitCode::from(CANNOT_START)
        }
    }
}

/// Stderr is the agent's log; a hub that is gone cannot read it, and nobody else is to be told.
fn complain(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

async fn supervise(order: &Order) -> io::Result<u8> {
    // Before the agent is started: from here on no signal is lost, and none ends the shim alone.
    let mut signals = Signals::listen()?;
    if !bind_to_owner(order.owner)? {
        return Ok(CANNOT_START);
    }
    let mut brood = match hatch(order) {
        Ok(agent) => Brood { agent, code: None },
        Err(error) => {
            complain(&format!(
                "{CANNOT_START_TEXT}{}: {error}",
                order.program.display()
            ));
            return Ok(CANNOT_START);
        }
    };
    let_go_of_stdio()?;
    record(order, brood.agent);
    let mut haste = Haste::Grace;
    while brood.reap() == Left::Agent {
        match signals.next().await {
            Sign::Child => {}
            Sign::End => break,
            Sign::EndNow => {
                haste = Haste::Now;
                break;
            }
        }
    }
    end_all(&mut brood, &mut signals, haste).await;
    if let Some(path) = &order.record {
        drop(std::fs::remove_file(path));
    }
    Ok(brood.code.unwrap_or(CANNOT_START))
}

/// False when the owner is gone already: the kernel's signal only tells of deaths after it was asked for.
fn bind_to_owner(owner: Option<u32>) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        if owner.is_some() {
            rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
        }
    }
    let parent = getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
    Ok(owner.is_none_or(|owner| owner == parent))
}

#[allow(clippy::disallowed_methods, reason = "this is agents::process")]
fn hatch(order: &Order) -> io::Result<u32> {
    let child = Command::new(&order.program)
        .args(&order.args)
        // Of its own: an agent that signals its whole group must not hit the shim.
        .process_group(0)
        .spawn()?;
    Ok(child.id())
}

/// The agent's pipes must end when the agent ends, not when the shim does.
fn let_go_of_stdio() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// A record that cannot be written costs the next hub's sweep, not this agent.
fn record(order: &Order, agent: u32) {
    if let Some(path) = &order.record {
        let record = Record {
            boot_id: boot_id(),
            owner: order.owner.and_then(Identity::of),
            shim: Identity::of(std::process::id()),
            agent: Identity::of(agent),
        };
        drop(record.write(path));
    }
}

/// How fast the end is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Haste {
    Grace,
    Now,
}

async fn end_all(brood: &mut Brood, signals: &mut Signals, haste: Haste) {
    let me = std::process::id();
    let now = Instant::now();
    if haste == Haste::Grace && brood.reap() != Left::Nobody {
        lineage::signal_below(me, Signal::TERM);
        wait_for_all(brood, signals, now + GRACE).await;
    }
    let deadline = Instant::now() + PATIENCE;
    while brood.reap() != Left::Nobody && Instant::now() < deadline {
        lineage::signal_below(me, Signal::KILL);
        tokio::time::sleep(ROUND).await;
    }
}

/// Until nobody is left, the deadline has passed, or SIGUSR1 asks for haste.
async fn wait_for_all(brood: &mut Brood, signals: &mut Signals, deadline: Instant) {
    while brood.reap() != Left::Nobody {
        let sign = tokio::select! {
            sign = signals.next() => sign,
            () = sleep_until(deadline) => return,
        };
        if sign == Sign::EndNow {
            return;
        }
    }
}

/// Who is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Agent,
    /// The agent has ended; others have not.
    Others,
    Nobody,
}

/// The agent and all that came to the shim from it.
struct Brood {
    agent: u32,
    code: Option<u8>,
}

impl Brood {
    /// Takes in all that have ended. Nobody is left when the shim has no child: an orphan further down would have become one.
    fn reap(&mut self) -> Left {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if pid.as_raw_nonzero().get().unsigned_abs() == self.agent {
                        self.code = Some(code(status));
                    }
                }
                Ok(None) if self.code.is_none() => return Left::Agent,
                Ok(None) => return Left::Others,
                Err(_no_child) => return Left::Nobody,
            }
        }
    }
}

fn code(status: WaitStatus) -> u8 {
    let code = status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Child,
    End,
    EndNow,
}

struct Signals {
    child: Listener,
    term: Listener,
    hangup: Listener,
    interrupt: Listener,
    now: Listener,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            now: signal(SignalKind::user_defined1())?,
        })
    }

    async fn next(&mut self) -> Sign {
        tokio::select! {
            biased;
            _ = self.now.recv() => Sign::EndNow,
            _ = self.term.recv() => Sign::End,
            _ = self.hangup.recv() => Sign::End,
            _ = self.interrupt.recv() => Sign::End,
            _ = self.child.recv() => Sign::Child,
        }
    }
}

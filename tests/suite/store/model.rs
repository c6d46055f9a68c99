//! The rules of runs, sessions, leases and requests, without a database.

use super::{kit::session, model_said::Said};
use eyas::{
    domain::{
        ids::{HubId, RunId},
        run::RunState,
    },
    stdx::mint,
    store::{Claimed, Lease, SessionRow},
};
use std::collections::{HashMap, HashSet};

pub(super) const CAP: u32 = 2;
pub(super) const SESSIONS: usize = 6;

#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: RunId,
    pub(super) session: usize,
    pub(super) tree: Option<u8>,
    pub(super) state: RunState,
    pub(super) cancel: bool,
    pub(super) later: bool,
    /// It waits for its next attempt, which no wake brings nearer.
    pub(super) delayed: bool,
    pub(super) holder: Option<usize>,
    /// Number of its attempt, and those that its policy has.
    pub(super) attempt: u32,
    /// Its attempt has begun to change things.
    pub(super) touched: bool,
    /// A person must say whether it is tried again.
    pub(super) asks: bool,
    /// The turn of its prompt has ended in order.
    pub(super) prompted: bool,
    /// Its time is over already: whoever sweeps ends it, unless it is held.
    pub(super) late: bool,
}

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) run: RunId,
    pub(super) what: u8,
    /// Of the attempt that waits, or has waited, for it.
    pub(super) fence: Option<i64>,
    pub(super) decided: bool,
    pub(super) used: bool,
}

impl Known {
    /// Its hub has died.
    pub(super) fn lose(&mut self) {
        let waits = self.state == RunState::InputRequired;
        let counts = self.touched || !waits;
        self.state = if self.cancel {
            RunState::Cancelled
        } else if self.asks {
            self.attempt -= 1;
            RunState::Queued
        } else if counts && self.attempt >= 2 {
            RunState::Failed
        } else {
            self.attempt -= u32::from(!counts);
            self.asks = self.touched;
            RunState::Queued
        };
    }
}

/// The rules, without a database.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) sessions: Vec<SessionRow>,
    pub(super) hubs: [HubId; 2],
    pub(super) runs: Vec<Known>,
    /// Every lease ever given, the newest of a run last.
    pub(super) leases: Vec<Lease>,
    pub(super) fences: HashMap<usize, i64>,
    pub(super) asked: Vec<Asked>,
    pub(super) said: Vec<Said>,
}

impl Model {
    pub(super) fn new() -> Self {
        let sessions = (0..SESSIONS)
            .map(|n| SessionRow {
                agent: if n % 2 == 0 { "even" } else { "odd" }.to_owned(),
                ..session()
            })
            .collect();
        Self {
            sessions,
            hubs: [HubId(mint()), HubId(mint())],
            runs: Vec::new(),
            leases: Vec::new(),
            fences: HashMap::new(),
            asked: Vec::new(),
            said: Vec::new(),
        }
    }

    pub(super) fn held(&self) -> impl Iterator<Item = &Known> {
        self.runs.iter().filter(|run| run.state.is_held())
    }

    /// Whether a claim may take it, and must if it is asked for enough.
    pub(super) fn is_eligible(&self, run: &Known) -> bool {
        let first = self
            .runs
            .iter()
            .find(|other| other.session == run.session && !other.state.is_terminal());
        let turns = self
            .held()
            .filter(|other| other.session % 2 == run.session % 2)
            .count();
        first.is_some_and(|first| first.id == run.id)
            && run.state == RunState::Queued
            && !run.later
            && !run.delayed
            && turns < CAP as usize
            && !self
                .held()
                .any(|other| run.tree.is_some() && other.tree == run.tree)
    }

    pub(super) fn is_current(&self, lease: &Lease) -> bool {
        let newest = self.leases.iter().rfind(|other| other.run == lease.run);
        newest == Some(lease) && self.find(lease.run).state.is_held()
    }

    pub(super) fn find(&self, id: RunId) -> &Known {
        self.runs
            .iter()
            .find(|run| run.id == id)
            .expect("only known runs are leased")
    }

    pub(super) fn find_mut(&mut self, id: RunId) -> &mut Known {
        self.runs
            .iter_mut()
            .find(|run| run.id == id)
            .expect("only known runs are leased")
    }

    /// A held run waits for a person while its attempt waits for one of its requests.
    pub(super) fn settle_input(&mut self, id: RunId) {
        let fence = self
            .leases
            .iter()
            .rfind(|lease| lease.run == id)
            .map(|lease| lease.fence);
        let waits = self
            .asked
            .iter()
            .any(|one| one.run == id && !one.decided && one.fence == fence);
        let run = self.find_mut(id);
        if run.state.is_held() {
            run.state = if waits {
                RunState::InputRequired
            } else {
                RunState::Running
            };
        }
    }

    /// Its attempt has given it back.
    pub(super) fn leave(&mut self, id: RunId) {
        for one in self
            .asked
            .iter_mut()
            .filter(|one| one.run == id && !one.used)
        {
            one.fence = None;
        }
    }

    /// What has ended asks nothing.
    pub(super) fn withdraw(&mut self) {
        let ended: HashSet<RunId> = self
            .runs
            .iter()
            .filter(|run| run.state.is_terminal())
            .map(|run| run.id)
            .collect();
        for one in self.asked.iter_mut().filter(|one| ended.contains(&one.run)) {
            one.used |= !one.decided;
            one.decided = true;
        }
    }

    /// Time has done its work.
    pub(super) fn swept(&mut self) {
        for run in &mut self.runs {
            if run.late && run.state == RunState::Queued {
                run.state = RunState::TimedOut;
            }
        }
    }

    pub(super) fn claimed(&mut self, claimed: &[Claimed], hub: usize, limit: u32) {
        for one in claimed {
            let run = self.find(one.lease.run);
            assert!(self.is_eligible(run), "{run:?} is not to be claimed");
            let session = run.session;
            let fence = self.fences.insert(session, one.lease.fence);
            assert!(
                fence.is_none_or(|before| before < one.lease.fence),
                "the fence rises"
            );
            let run = self.find_mut(one.lease.run);
            run.state = RunState::Running;
            run.holder = Some(hub);
            run.attempt += 1;
            run.touched = false;
            assert_eq!(run.attempt, one.lease.attempt);
            let asks = one.left.as_ref().is_some_and(|left| left.asks);
            assert_eq!(run.asks, asks, "{run:?}");
            assert_eq!(run.prompted, one.prompted, "{run:?}");
            self.leases.push(one.lease);
        }
        if claimed.len() < limit as usize {
            let missed = self.runs.iter().find(|run| self.is_eligible(run));
            assert!(missed.is_none(), "{missed:?} should have been claimed");
        }
    }
}

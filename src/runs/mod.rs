//! How work gets done: dispatch, attempt, lease, conclusion, retry, recovery, watch.
//!
//! A run is accepted and claimed by the [`dispatch`] task and its handles, and driven by one attempt: brief, berth, session, turn,
//! conclusion. An instant turn costs two commits: accept and claim, finish; what happens in between is written with the end unless it takes
//! longer. A run that has to wait for its turn is claimed in a commit of its own.

mod asking;
mod attempt;
mod calls;
mod cascade;
pub mod conclusion;
mod dispatch;
mod ending;
mod freed;
mod inputs;
mod late;
mod now;
mod preamble;
mod pump;
mod resume;
mod retrying;
mod spending;
mod supply;
mod tally;
mod ties;
mod turn;
mod vigil;
mod watch;
mod witness;

pub use calls::{Call, Callable, Calls, Question, Reply};
pub use cascade::{end_below, start as start_cascade};
pub use dispatch::{Dispatch, HOST_CAP, Orders, Parts};
pub use supply::{Brief, Supply};
pub use vigil::Pace;
pub use watch::{ended, wait};

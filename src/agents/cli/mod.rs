//! CLIs that do not speak ACP: one process per turn, below a shim as every agent's.
//!
//! A [`Cli`] is to an attempt what an ACP link is: it opens a conversation, or goes on with one, and puts prompts. The conversation lies with
//! the program, which keeps it on disk and finds it again by its id. `output` reads what the program prints, `papers` are the private files of
//! one turn and the arguments that name them, `turn` drives the process, `verdict` judges how it ended.

mod handle;
mod output;
mod papers;
mod tools;
mod turn;
mod verdict;

pub use handle::Cli;

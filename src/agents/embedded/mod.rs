//! The agent inside the binary: the *surveyor*, an ACP agent on stdin and stdout.
//!
//! No model is behind it. It reads the project that a session was opened in, never writes, starts no process, and answers
//! with facts: languages and sizes, entry points, commands, TODOs, where the words of the prompt occur. It says so, and
//! when it was asked for a change it concludes `partial`. A prompt goes through four rooms: [`prompt`] takes it apart,
//! [`survey`] reads, [`mod@report`] writes, and [`mod@serve`], [`desk`] and [`turn`] speak ACP around them.

mod answer;
mod desk;
mod prompt;
mod report;
mod serve;
mod survey;
mod turn;
mod wire;

pub use serve::{serve, serve_over};

#[cfg(test)]
mod tests;

//! `agent.*`.

//! `events.*`.

//! `persona.*`.

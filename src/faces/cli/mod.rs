//! By hand: nouns and verbs.

pub mod config;
pub mod hub;

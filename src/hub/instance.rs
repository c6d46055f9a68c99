//! `instance.*`.

//! `project.*`.

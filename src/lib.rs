//! Eyas gives an editor a team of named coding agents.

pub mod agents;
pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod faces;
pub mod hub;
pub mod runs;
pub mod stdx;
pub mod store;
pub mod templates;
pub mod workspace;

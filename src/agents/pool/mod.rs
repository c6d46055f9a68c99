//! Warm agents.

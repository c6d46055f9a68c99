//! The one place that starts agent processes.

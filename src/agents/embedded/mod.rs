//! The agent inside the binary.

//! Where an agent is found.

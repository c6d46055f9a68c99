//! How agents are launched: built in, and in the home.

//! What of an environment an agent may see.

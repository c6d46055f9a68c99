//! ACP, spoken to an agent.

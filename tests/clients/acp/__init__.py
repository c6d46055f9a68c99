"""ACP spoken by hand: what the agents really answer, without Eyas in between."""

//! What the runtime asks of a system: traits, outcomes, abilities.

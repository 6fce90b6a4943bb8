//! Connectors to real systems.

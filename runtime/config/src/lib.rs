//! The project's manifest, environments and secrets by reference.

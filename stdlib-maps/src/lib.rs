//! Stock schemas and maps, embedded.

//! The two emulated systems, for trying, teaching and tests.

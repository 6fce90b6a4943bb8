//! Keeps two systems the same: capture, apply, merge, load, verify.

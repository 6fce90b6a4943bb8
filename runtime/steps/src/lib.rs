//! The vocabulary of built-in steps, one file each.

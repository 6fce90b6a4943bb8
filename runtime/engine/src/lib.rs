//! Runs programs: scan, eval, encode, fused path.

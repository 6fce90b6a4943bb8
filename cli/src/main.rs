//! The dwmap command.
fn main() {}

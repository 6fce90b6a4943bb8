//! The dwmap language: text to syntax tree and back.

//! Agreement: classes of lines, and what follows from them.

pub(crate) mod brought;
pub(crate) mod classes;
pub(crate) mod domain;
pub(crate) mod keys;
pub(crate) mod loops;
pub(crate) mod writers;

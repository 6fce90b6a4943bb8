//! What the simulation and the model have in common: the map, its lines, JSON on the wire, and the oracle that says
//! what is promised.
// Neither test uses everything.
#![allow(dead_code)]

pub(crate) mod lines;
pub(crate) mod oracle;
pub(crate) mod plan;
pub(crate) mod wire;
pub(crate) mod words;

//! The reference meaning of everything that a program does, on [`Value`](dwmap_plan::Value)s: slow and obvious.

mod compare;
mod fit;
mod key;
mod references;
mod run;
mod table;

pub use compare::{compare, fold, text_test, values_equal};
pub use fit::{convert, cut, fit, length};
pub use key::{BlankKey, find_key};
pub use references::{Ask, Lookup, NoReferences, References};
pub use run::{Slot, Stop, run};
pub use table::table;

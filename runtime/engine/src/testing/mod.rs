//! A plan made by hand, for tests of what runs plans: customer groups between Finance & Operations and Dataverse, with a
//! company, a key, a text, a NoYes that is a bool, and a reference within the company. Not part of the API.

mod forms;
mod groups;
mod known;
mod plan;
mod programs;
mod sides;

pub use forms::storage;
pub use groups::customer_groups;
pub use known::{COMPANY, COMPANY_ID, Known, TERM, TERM_ID, known};
pub use plan::plan;

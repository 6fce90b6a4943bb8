//! From the checked model to the plan.

pub(crate) mod repr;

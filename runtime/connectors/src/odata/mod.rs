//! The core that both connectors share: HTTP within a budget, values in URLs, pages, batches and outcomes.

mod backoff;
pub(crate) mod batch;
mod condition;
pub(crate) mod filter;
mod gate;
pub(crate) mod keys;
pub(crate) mod outcome;
pub(crate) mod row;
pub(crate) mod service;
mod token;
pub(crate) mod transport;
pub(crate) mod value;

pub(crate) use service::{Repeat, Service};
pub(crate) use transport::Request;
pub(crate) use value::Unfit;

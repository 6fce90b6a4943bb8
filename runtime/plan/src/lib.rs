//! The contract between compiler and runtime: types, values, schemas, plans.

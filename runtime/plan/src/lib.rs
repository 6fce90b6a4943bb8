//! The contract between compiler and runtime.
//!
//! A [`Plan`] is everything the runtime needs and nothing else: no source is needed to run one, and
//! no compiler is linked. This crate owns its data, the [`Schema`] types that plans are made from,
//! the typed [`Value`]s that flow, the encoding ([`encode`], [`decode`]), the text form ([`text`])
//! and the [`verify`] pass that every plan goes through before anything of it runs.
//!
//! Invariants:
//! - It depends on nothing else of this project.
//! - Equal plans encode to equal bytes, on every machine.
//! - A decoded plan has been verified: every index, type and constant in it is in range.

mod container;
mod decimal;
mod map;
mod meaning;
mod predicate;
mod program;
mod schema;
pub mod text;
mod value;
pub mod verify;

pub use container::{DecodeError, FORMAT_MAJOR, FORMAT_MINOR, Hash, Header, decode, encode, peek};
pub use decimal::{Decimal, DecimalError, MAX_PRECISION, Rounding};
pub use map::{
    Address, Agreement, Class, Columns, Company, ConflictPolicy, Deactivation, DeletePolicy,
    FieldConstant, GeneratedKey, InitialPolicy, Line, LineId, MapPlan, Meeting, MissingPolicy,
    Plan, Policies, Proof, Query, Reference, ReferenceKeyPart, Side, SidePlan, SourcePlace,
    SystemPlan, WriteColumn, WritePlan, WriteRepr,
};
pub use predicate::{CompareOp, Predicate, TextTest};
pub use program::{
    Column, Direction, Fit, FitMode, Function, Op, Outputs, Overflow, Program, SlotId, StepCall,
    Storage, Table, TableElse, TableRow,
};
pub use schema::{
    Access, AlternateKey, Dialect, Entity, EnumDef, Field, KeyPart, LengthUnit, Member, Nav,
    NullForm, Requirement, Schema, SchemaError,
};
pub use value::{Repr, Type, Value};

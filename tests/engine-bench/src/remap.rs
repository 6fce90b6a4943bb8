//! The same in VRL, as one embeds it: the program is compiled once, a record is a value of VRL's own, parsed and written by
//! serde_json, and referenced records are found by a function of the host's, as Vector's enrichment tables are.

use std::collections::HashMap;
use std::sync::Arc;

use vrl::compiler::runtime::Runtime;
use vrl::compiler::{Program, TargetValueRef, TimeZone, compile};
use vrl::diagnostic::Formatter;
use vrl::prelude::{
    ArgumentList, Compiled, Context, Example, Expression, Function, FunctionCompileContext,
    FunctionExpression, Parameter, Resolved, TypeDef, TypeState, Value, VrlValueConvert, kind,
};
use vrl::value::Secrets;

use crate::known::{Guid, Known};
use crate::records::KEYS;

const PROGRAM: &str = include_str!("customers.vrl");

/// The entity sets of the references, in the order of [`KEYS`].
const SETS: [&str; 10] = [
    "cdm_companies",
    "contacts",
    "msdyn_vendors",
    "msdyn_customergroups",
    "transactioncurrencies",
    "accounts",
    "msdyn_paymentterms",
    "msdyn_paymentschedules",
    "msdyn_paymentdays",
    "msdyn_customerpaymentmethods",
];

/// A program with its run-time state.
pub struct Remap {
    program: Program,
    runtime: Runtime,
    secrets: Secrets,
}

impl Remap {
    /// Compiles the program.
    pub fn new(known: &Known) -> Result<Self, String> {
        let mut functions = vrl::stdlib::all();
        functions.push(Box::new(FindRecord(ids(known))));
        let compiled = compile(PROGRAM, &functions);
        Ok(Self {
            program: compiled
                .map_err(|e| Formatter::new(PROGRAM, e).to_string())?
                .program,
            runtime: Runtime::default(),
            secrets: Secrets::default(),
        })
    }

    /// Appends the account's JSON.
    pub fn transform(&mut self, json: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let mut target = TargetValueRef {
            value: &mut serde_json::from_slice(json).map_err(|e| e.to_string())?,
            metadata: &mut Value::Null,
            secrets: &mut self.secrets,
        };
        let done = self
            .runtime
            .resolve(&mut target, &self.program, &TimeZone::default());
        done.map_err(|e| e.to_string())?;
        self.runtime.clear();
        serde_json::to_writer(out, target.value).map_err(|e| e.to_string())
    }
}

/// For each set the ids of its records, as texts that VRL shares instead of copying.
type Ids = HashMap<&'static str, Arc<HashMap<String, Value>>>;

fn ids(known: &Known) -> Ids {
    let of = |reference| {
        let text = |key: &&str| Some(((*key).to_owned(), known.id(reference, key)?));
        let ids = KEYS[reference].iter().filter_map(text);
        let ids = ids.map(|(key, id)| (key, Value::from(Guid(id).to_string())));
        Arc::new(ids.collect())
    };
    (0..).zip(SETS).map(|(at, set)| (set, of(at))).collect()
}

/// `find_record(set, key)`: the id of a record.
#[derive(Debug)]
struct FindRecord(Ids);

impl Function for FindRecord {
    fn identifier(&self) -> &'static str {
        "find_record"
    }

    fn usage(&self) -> &'static str {
        "Finds the id of a record of a set by its key."
    }

    fn category(&self) -> &'static str {
        "Enrichment"
    }

    fn return_kind(&self) -> u16 {
        kind::BYTES
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [Parameter] {
        const PARAMETERS: &[Parameter] = &[
            Parameter::required("set", kind::BYTES, "The entity set."),
            Parameter::required("key", kind::BYTES, "The record's key."),
        ];
        PARAMETERS
    }

    fn compile(
        &self,
        state: &TypeState,
        _: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        let sets: Vec<Value> = SETS.map(Value::from).to_vec();
        let set = arguments.required_enum("set", &sets, state)?;
        let find = Find {
            ids: self.0[&*set.to_string_lossy()].clone(),
            key: arguments.required("key"),
        };
        Ok(find.as_expr())
    }
}

#[derive(Debug, Clone)]
struct Find {
    ids: Arc<HashMap<String, Value>>,
    key: Box<dyn Expression>,
}

impl FunctionExpression for Find {
    fn resolve(&self, ctx: &mut Context) -> Resolved {
        let key = self.key.resolve(ctx)?;
        let id = self.ids.get(&*key.try_bytes_utf8_lossy()?);
        id.cloned().ok_or_else(|| "no such record".into())
    }

    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::bytes().fallible()
    }
}

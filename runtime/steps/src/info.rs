//! What is known of a step: its type rule, law, meaning and documentation.

use dwmap_plan::{Class, Decimal, Type, Value};

use crate::Failure;

/// A function of a value and the step's arguments, as [`StepInfo::check`] returned them.
pub type StepFn = fn(&Value, &[Value]) -> Result<Value, Failure>;

/// A built-in step.
#[derive(Debug)]
pub struct StepInfo {
    /// Its name in the language.
    pub name: &'static str,
    /// Other words that people look for when they want it.
    pub terms: &'static [&'static str],
    /// What it does, in a line.
    pub summary: &'static str,
    /// What it does, in Markdown.
    pub doc: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// What it takes, in words, for messages (`a text`).
    pub takes: &'static str,
    /// Its result's type for an input of this type with these arguments; none where it doesn't take such input.
    pub output: fn(&Type, &[Value]) -> Option<Type>,
    /// What becomes of null.
    pub null: NullRule,
    /// The law that `forward` and `backward` keep together.
    pub class: Class,
    /// Left to right.
    pub forward: StepFn,
    /// Right to left; none for a one-way step.
    pub backward: Option<StepFn>,
    /// Examples of `forward`, which a test runs.
    pub examples: &'static [Example],
}

/// What a step does with null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullRule {
    /// Null stays null.
    Passes,
    /// The result is never null.
    Removes,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name, for help and messages.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Whether it must be given.
    pub required: bool,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A value of the input's type, never null.
    SameAsInput,
    /// A whole number from the first to the second, both included.
    Whole(i64, i64),
    /// One of these words, as a text.
    Word(&'static [&'static str]),
}

/// An example: input and arguments as the language writes them, and what comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What it shows.
    pub shows: &'static str,
    /// The input.
    pub input: Literal,
    /// The arguments.
    pub args: &'static [Literal],
    /// The result, or the code of the failure.
    pub output: Result<Literal, &'static str>,
}

/// A value that can stand in a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// A whole number.
    Int(i64),
    /// A decimal, by its text.
    Decimal(&'static str),
    /// A text.
    Text(&'static str),
}

/// A step that doesn't suit the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The input has another type.
    #[error("`{step}` takes {takes}, and is given a {found}")]
    Input {
        /// The step.
        step: &'static str,
        /// What it takes, in words.
        takes: &'static str,
        /// What it is given.
        found: Type,
    },
    /// Too few or too many arguments.
    #[error("`{step}` takes {wanted}, and is given {found}")]
    Count {
        /// The step.
        step: &'static str,
        /// How many it takes, in words.
        wanted: String,
        /// How many are given.
        found: usize,
    },
    /// An argument of the wrong kind.
    #[error("`{param}` of `{step}` must be {wanted}")]
    Argument {
        /// The step.
        step: &'static str,
        /// The parameter.
        param: &'static str,
        /// Its place among the arguments.
        at: usize,
        /// What it takes, in words.
        wanted: String,
    },
}

/// A step whose arguments suit its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The result's type.
    pub output: Type,
    /// The arguments in the form that [`StepInfo::forward`] and a plan take.
    pub args: Vec<Value>,
}

impl StepInfo {
    /// Checks input and arguments, and brings the arguments to their parameters' types.
    ///
    /// ```
    /// use dwmap_plan::{Type, Value};
    /// let scale = dwmap_steps::step("scale").unwrap();
    /// let checked = scale.check(&Type::Decimal(32, 6), &[Value::Int(2)]).unwrap();
    /// assert_eq!(checked.output, Type::Decimal(29, 2));
    /// assert!(scale.check(&Type::Bool, &[Value::Int(2)]).is_err());
    /// ```
    pub fn check(&self, input: &Type, args: &[Value]) -> Result<Checked, StepError> {
        let required = self.params.iter().filter(|p| p.required).count();
        if args.len() < required || args.len() > self.params.len() {
            return Err(StepError::Count {
                step: self.name,
                wanted: count_in_words(required, self.params.len()),
                found: args.len(),
            });
        }
        let args = self
            .params
            .iter()
            .zip(args)
            .enumerate()
            .map(|(at, (param, arg))| {
                param
                    .kind
                    .accept(arg, input)
                    .ok_or_else(|| StepError::Argument {
                        step: self.name,
                        param: param.name,
                        at,
                        wanted: param.kind.in_words(input),
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let output = (self.output)(input, &args).ok_or_else(|| StepError::Input {
            step: self.name,
            takes: self.takes,
            found: input.clone(),
        })?;
        Ok(Checked { output, args })
    }

    /// How a use of it is written: `scale(places, rounding?)`.
    pub fn signature(&self) -> String {
        if self.params.is_empty() {
            return self.name.to_owned();
        }
        let params: Vec<String> = self
            .params
            .iter()
            .map(|p| format!("{}{}", p.name, if p.required { "" } else { "?" }))
            .collect();
        format!("{}({})", self.name, params.join(", "))
    }
}

fn count_in_words(least: usize, most: usize) -> String {
    match (least, most) {
        (_, 0) => "no arguments".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (a, b) if a == b => format!("{a} arguments"),
        (a, b) => format!("{a} to {b} arguments"),
    }
}

impl ParamKind {
    /// The argument in the parameter's type, where it suits.
    fn accept(self, arg: &Value, input: &Type) -> Option<Value> {
        match self {
            Self::SameAsInput if arg.is_null() => None,
            Self::SameAsInput => coerce(arg, input),
            Self::Whole(least, most) => {
                let n = match arg {
                    Value::Int(n) => *n,
                    Value::Decimal(d) => d.to_int()?,
                    _ => return None,
                };
                (least..=most).contains(&n).then_some(Value::Int(n))
            }
            Self::Word(words) => match arg {
                Value::Text(word) if words.contains(&word.as_str()) => Some(arg.clone()),
                _ => None,
            },
        }
    }

    fn in_words(self, input: &Type) -> String {
        match self {
            Self::SameAsInput => format!("a {input}, as the value is"),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Word(words) => format!("one of \"{}\"", words.join("\", \"")),
        }
    }
}

/// A constant in the type of the place where it stands, where nothing of it is lost: whole numbers widen to
/// decimals, decimals without places narrow to whole numbers, and null stands anywhere. Members of enums are resolved
/// to their integers before.
pub fn coerce(value: &Value, ty: &Type) -> Option<Value> {
    match (value, ty) {
        (Value::Int(n), Type::Decimal(..)) => Some(Value::Decimal(Decimal::from_int(*n))),
        (Value::Int(n), Type::Float64) => Some(Value::Float(*n as f64)),
        (Value::Int(n), Type::Int32) => i32::try_from(*n).is_ok().then_some(Value::Int(*n)),
        (Value::Decimal(d), Type::Int32) => {
            let n = d.to_int()?;
            i32::try_from(n).is_ok().then_some(Value::Int(n))
        }
        (Value::Decimal(d), Type::Int64) => d.to_int().map(Value::Int),
        (Value::Decimal(d), Type::Float64) => d.to_string().parse().ok().map(Value::Float),
        _ => value.fits(ty).then(|| value.clone()),
    }
}

impl Literal {
    /// The value; none where a decimal's text isn't one.
    pub fn value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Int(n) => Value::Int(n),
            Self::Decimal(text) => Value::Decimal(text.parse().ok()?),
            Self::Text(text) => Value::from(text),
        })
    }
}

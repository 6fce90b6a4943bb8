//! Filters: the whole of one in the program, and what of it the source can evaluate with the same meaning.

use dwmap_plan::{CompareOp, Op, Predicate, Repr, Side, SlotId, Type, Value};

use crate::lower::repr::{self, EnumList};
use crate::lower::value::MapLowering;
use crate::model::{Condition, EntityModel, SchemaModel, Term};

impl MapLowering<'_> {
    /// The bool that says whether a row is in the map; none where every row is.
    pub(crate) fn filter(&mut self, side: Side) -> Option<SlotId> {
        let map = self.map;
        let of: Vec<SlotId> = map.filters[side.index()]
            .iter()
            .map(|(condition, _)| self.condition(side, condition))
            .collect();
        match of.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.program(side).plain(Type::Bool, |dst| Op::All {
                dst,
                of: of.clone(),
            })),
        }
    }

    fn condition(&mut self, side: Side, condition: &Condition) -> SlotId {
        match condition {
            Condition::All(of) => {
                let of: Vec<SlotId> = of.iter().map(|c| self.condition(side, c)).collect();
                self.program(side).plain(Type::Bool, |dst| Op::All {
                    dst,
                    of: of.clone(),
                })
            }
            Condition::Any(of) => {
                let of: Vec<SlotId> = of.iter().map(|c| self.condition(side, c)).collect();
                self.any(side, &of)
            }
            Condition::Not(of) => {
                let src = self.condition(side, of);
                self.program(side)
                    .plain(Type::Bool, |dst| Op::Not { dst, src })
            }
            Condition::Compare(term, op, value) => self.compare(side, term, *op, value),
            Condition::Fields(a, op, b) => {
                let (left, right) = (self.term(side, a), self.term(side, b));
                self.compare_slots(side, *op, left, right)
            }
            Condition::In(term, values) => {
                let of: Vec<SlotId> = values
                    .iter()
                    .map(|value| self.compare(side, term, CompareOp::Eq, value))
                    .collect();
                self.any(side, &of)
            }
            Condition::IsNull(term) => {
                let src = self.term(side, term);
                self.program(side)
                    .plain(Type::Bool, |dst| Op::IsNull { dst, src })
            }
            Condition::Text(term, test, what) => {
                let src = self.term(side, term);
                let fold = self.schema(side).shape.case_insensitive;
                let program = self.program(side);
                let what = program.constant(Value::from(what.as_str()), Type::Text(None));
                let test = *test;
                program.plain(Type::Bool, |dst| Op::Text {
                    dst,
                    test,
                    src,
                    what,
                    fold,
                })
            }
        }
    }

    fn any(&mut self, side: Side, of: &[SlotId]) -> SlotId {
        match of {
            [only] => *only,
            _ => self.program(side).plain(Type::Bool, |dst| Op::Any {
                dst,
                of: of.to_vec(),
            }),
        }
    }

    fn term(&mut self, side: Side, term: &Term) -> SlotId {
        match term {
            Term::Field(at) => {
                let (schema, field) = (self.schema(side), self.entity(side).field(*at));
                self.program(side).read(schema, field)
            }
            Term::Lookup(lookup) => self.follow(side, lookup),
        }
    }

    fn compare(&mut self, side: Side, term: &Term, op: CompareOp, value: &Value) -> SlotId {
        let left = self.term(side, term);
        let ty = self.program(side).ty(left).clone();
        let right = self.program(side).constant(value.clone(), ty);
        self.compare_slots(side, op, left, right)
    }

    fn compare_slots(&mut self, side: Side, op: CompareOp, left: SlotId, right: SlotId) -> SlotId {
        let folds = self.schema(side).shape.case_insensitive;
        let program = self.program(side);
        let fold = folds && matches!(program.ty(left), Type::Text(_));
        program.plain(Type::Bool, |dst| Op::Compare {
            dst,
            op,
            left,
            right,
            fold,
        })
    }
}

/// What of a side's filters its source evaluates with the same meaning; the program evaluates all of them again.
pub(crate) fn push_down<'c>(
    schema: &SchemaModel,
    entity: &EntityModel,
    conditions: impl Iterator<Item = &'c Condition>,
    enums: &mut EnumList,
) -> Option<Predicate> {
    let mut pusher = Pusher {
        schema,
        entity,
        enums,
    };
    let mut pushed = Vec::new();
    for condition in conditions {
        pusher.conjuncts(condition, &mut pushed);
    }
    match pushed.len() {
        0 => None,
        1 => pushed.pop(),
        _ => Some(Predicate::All(pushed)),
    }
}

struct Pusher<'a> {
    schema: &'a SchemaModel,
    entity: &'a EntityModel,
    enums: &'a mut EnumList,
}

impl Pusher<'_> {
    /// Of a conjunction, each part that can be pushed goes by itself.
    fn conjuncts(&mut self, condition: &Condition, out: &mut Vec<Predicate>) {
        match condition {
            Condition::All(of) => of.iter().for_each(|c| self.conjuncts(c, out)),
            other => out.extend(self.exact(other)),
        }
    }

    fn all(&mut self, of: &[Condition]) -> Option<Vec<Predicate>> {
        of.iter().map(|c| self.exact(c)).collect()
    }

    /// The condition as a predicate of exactly the same meaning, where there is one.
    fn exact(&mut self, condition: &Condition) -> Option<Predicate> {
        Some(match condition {
            Condition::All(of) => Predicate::All(self.all(of)?),
            Condition::Any(of) => Predicate::Any(self.all(of)?),
            Condition::Not(of) => Predicate::Not(Box::new(self.exact(of)?)),
            Condition::Compare(term, op, value) => self.compare(term, *op, value)?,
            Condition::In(term, values) => {
                let (column, repr) = self.column(term)?;
                Predicate::In {
                    column,
                    repr,
                    values: values.clone(),
                }
            }
            Condition::IsNull(term) => self.is_null(term)?,
            Condition::Text(term, test, value) => Predicate::Text {
                column: self.column(term)?.0,
                test: *test,
                value: value.clone(),
            },
            // Two columns compared: no dialect here does it with the same meaning.
            Condition::Fields(..) => return None,
        })
    }

    fn column(&mut self, term: &Term) -> Option<(String, Repr)> {
        let Term::Field(at) = term else { return None };
        let field = self.entity.field(*at);
        let repr = repr::of_field(self.schema, field, self.enums);
        Some((field.wire_name().to_owned(), repr))
    }

    fn compare(&mut self, term: &Term, op: CompareOp, value: &Value) -> Option<Predicate> {
        let (column, repr) = self.column(term)?;
        let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
        // Systems order texts by collations of their own.
        if ordered && repr == Repr::Text {
            return None;
        }
        let compare = Predicate::Compare {
            column,
            repr,
            op,
            value: value.clone(),
        };
        let Term::Field(at) = term else { return None };
        // A stored value that stands for null has a place in the source's order, and none in ours.
        if ordered && self.entity.field(*at).null.read.is_some() {
            let some = Predicate::Not(Box::new(self.is_null(term)?));
            return Some(compare.and(some));
        }
        Some(compare)
    }

    fn is_null(&mut self, term: &Term) -> Option<Predicate> {
        let (column, repr) = self.column(term)?;
        let Term::Field(at) = term else { return None };
        let field = self.entity.field(*at);
        let stands_as = if field.nullable {
            None
        } else {
            field.null.read.clone()
        };
        Some(Predicate::IsNull {
            column,
            repr,
            stands_as,
        })
    }
}

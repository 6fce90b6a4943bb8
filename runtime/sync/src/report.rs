//! What people read: names of records, entries of the log and of the error queue.

use dwmap_connect::Refusal;
use dwmap_plan::{Line, MapPlan, Side, Value};

use crate::code::{Cell, EvalRow};
use crate::codes;
use crate::drift;
use crate::key::{PairKey, RecordId, display, display_key};
use crate::merge::{Halt, Problem, Why, own};
use crate::observer::Event;
use crate::references::{describe, missing};
use crate::runtime::{MapRun, Runtime};
use crate::state::{Activity, ActivityKind, Cause, Change, ErrorReport, Link, Mark};

/// Why a record is not brought in order now.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// The merge stopped, at values as they stand on both sides.
    Halt(Halt),
    /// The target refused it: the side, and what it said.
    Rejected(Side, Refusal),
    /// Its key is another record's.
    Claimed,
    /// Its key has no value.
    BlankKey {
        /// The line that is blank, where one can be told.
        line: Option<u16>,
    },
    /// Its key isn't that of its pair any more.
    Renamed {
        /// The key of the pair.
        was: String,
    },
    /// Two systems keep changing one another's value.
    Unsettled {
        /// The line.
        line: u16,
    },
    /// The brake holds it.
    Held,
    /// It is gone, and so seem its neighbours.
    Unreadable,
    /// A person holds it, for this reason.
    OnHold(String),
    /// Nobody knows whether it was created, or from what.
    Unanswered,
    /// More than one record fits it: these.
    Ambiguous {
        /// The others, as people know them.
        others: Vec<String>,
    },
}

impl Trouble {
    const fn code(&self) -> &'static str {
        match self {
            Self::Halt(Halt::Refused(problem)) => match &problem.why {
                Why::Failed(failure) => failure.code(),
                Why::Missing(_) => "R0403",
                Why::Unwritable(error) => error.code(),
            },
            Self::Halt(Halt::Parked { .. }) => "R0402",
            Self::Halt(Halt::Undecided { .. }) => "R0407",
            Self::Rejected(..) => "R0401",
            Self::Claimed => "R0404",
            Self::BlankKey { .. } => "R0405",
            Self::Renamed { .. } => "R0406",
            Self::Unsettled { .. } => "R0408",
            Self::Held => "R0409",
            Self::Unreadable => "R0410",
            Self::OnHold(_) => "R0411",
            Self::Unanswered => "R0412",
            Self::Ambiguous { .. } => "R0413",
        }
    }

    const fn cause(&self) -> Cause {
        match self {
            Self::Halt(Halt::Parked { .. }) => Cause::Parked,
            Self::Held | Self::Unreadable | Self::OnHold(_) => Cause::Held,
            _ => Cause::Failed,
        }
    }

    const fn kind(&self) -> ActivityKind {
        match self {
            Self::Halt(Halt::Parked { .. }) => ActivityKind::Parked,
            Self::Held | Self::Unreadable | Self::OnHold(_) => ActivityKind::Held,
            Self::Unsettled { .. } => ActivityKind::Unsettled,
            _ => ActivityKind::Refused,
        }
    }

    pub(crate) const fn line(&self) -> Option<u16> {
        match self {
            Self::Halt(Halt::Refused(problem)) => problem.line,
            Self::Halt(Halt::Parked { line, .. } | Halt::Undecided { line })
            | Self::BlankKey { line } => *line,
            Self::Unsettled { line } => Some(*line),
            _ => None,
        }
    }
}

/// The cells of a line on both sides, for a report.
pub(crate) type Cells<'a> = [Option<&'a EvalRow>; 2];

impl Runtime {
    /// What is committed of a mark that is stopped by a trouble, with nothing known of the other side.
    pub(crate) fn stopped(
        &self,
        map: &MapRun,
        mark: Mark,
        seen: u64,
        trouble: &Trouble,
        record: &str,
    ) -> Vec<Change> {
        self.stopped_with(map, mark, seen, trouble, record, [None, None], None)
    }

    /// What is committed of a mark that is stopped by a trouble: its new condition, and an entry of the log.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn stopped_with(
        &self,
        map: &MapRun,
        mark: Mark,
        seen: u64,
        trouble: &Trouble,
        record: &str,
        rows: Cells<'_>,
        pair: Option<&PairKey>,
    ) -> Vec<Change> {
        if let Trouble::Rejected(_, refusal) = trouble
            && drift::is_schema_shaped(refusal)
        {
            self.suspected.notify_one();
        }
        let plan = self.plan_of(map);
        let known = mark.error.as_ref().filter(|e| e.code == trouble.code());
        let is_new = known.is_none();
        let since = known.map_or_else(|| self.date(), |e| e.since);
        let report = self.report(plan, trouble, record, rows, since);
        let waits_for = match trouble {
            Trouble::Halt(Halt::Parked { ask, .. }) => {
                Some(missing(map.index, plan, &self.systems, ask))
            }
            _ => None,
        };
        let mut changes = Vec::new();
        if is_new {
            self.tell(&Event::Error {
                map: plan.name.clone(),
                report: Box::new(report.clone()),
            });
            changes.push(Change::Log(Box::new(Activity {
                at: self.date(),
                map: map.id,
                pair: pair.cloned().unwrap_or(PairKey(Vec::new())),
                record: record.to_owned(),
                kind: trouble.kind(),
                side: Some(mark.id.side),
                detail: format!("{}: {}", report.code, report.message),
            })));
        }
        changes.push(Change::Settle {
            mark: Box::new(Mark {
                cause: trouble.cause(),
                missing: waits_for,
                error: Some(Box::new(report)),
                word: mark.word.filter(|word| word.outlives_failure()),
                tries: mark.tries + 1,
                not_before: crate::Moment(0),
                ..mark
            }),
            seen,
        });
        changes
    }

    fn report(
        &self,
        plan: &MapPlan,
        trouble: &Trouble,
        record: &str,
        rows: Cells<'_>,
        since: crate::Moment,
    ) -> ErrorReport {
        let line = trouble.line().map(|i| (i, &plan.lines[usize::from(i)]));
        let shown = |side: Side| {
            let (i, line) = line?;
            let value = own(rows[side.index()]?.own.get(usize::from(i))?)?;
            Some(shown(line, value))
        };
        let (message, target) = self.message(plan, trouble, line.map(|(_, line)| line));
        let code = trouble.code();
        let next = match codes::code(code) {
            Some(known) => known.next_step.to_owned(),
            None => format!(
                "Correct the value at its source: the record then goes by itself. `dwmap explain {code}` says more."
            ),
        };
        ErrorReport {
            code: code.to_owned(),
            since,
            record: record.to_owned(),
            message,
            field: match trouble {
                Trouble::Halt(Halt::Refused(Problem { from, .. })) => {
                    line.map(|(_, line)| path(line, from.other()).to_owned())
                }
                Trouble::Rejected(_, refusal) => refusal.field.clone(),
                _ => line.map(|(_, line)| line.text.clone()),
            },
            line: line.map(|(_, line)| line.text.trim().to_owned()),
            place: line.map(|(_, line)| line.place.to_string()),
            values: [shown(Side::Left), shown(Side::Right)],
            target,
            next,
        }
    }

    pub(crate) fn message(
        &self,
        plan: &MapPlan,
        trouble: &Trouble,
        line: Option<&Line>,
    ) -> (String, Option<(String, String)>) {
        let system = |side: Side| self.systems[usize::from(plan.side(side).system)].name();
        let message = match trouble {
            Trouble::Halt(Halt::Refused(Problem {
                from, why, more, ..
            })) => {
                let field = line.map_or("the key or the filter", |l| path(l, from.other()));
                let why = match why {
                    Why::Failed(failure) => failure.to_string(),
                    Why::Missing(ask) => format!("{} isn't there", describe(plan, ask)),
                    Why::Unwritable(error) => error.to_string(),
                };
                let more = match more {
                    0 => String::new(),
                    1 => " (and one more line)".to_owned(),
                    n => format!(" (and {n} more lines)"),
                };
                format!(
                    "{field} of {} can't be written: {why}{more}",
                    system(from.other())
                )
            }
            Trouble::Halt(Halt::Parked { ask, .. }) => {
                let side = plan.references[usize::from(ask.reference())].side;
                format!("waits for {} in {}", describe(plan, ask), system(side))
            }
            Trouble::Halt(Halt::Undecided { .. }) => match line {
                Some(line) => format!("both sides changed {}", line.text.trim()),
                None => "one side deleted the record, the other changed it".to_owned(),
            },
            Trouble::Rejected(side, refusal) => {
                let target = (refusal.code.clone(), refusal.message.clone());
                return (
                    format!("{} refused it: {}", system(*side), refusal.message),
                    Some(target),
                );
            }
            Trouble::Claimed => "another record is already paired under this key".to_owned(),
            Trouble::BlankKey { .. } => match line {
                Some(line) => format!("the key line {} has no value", line.text.trim()),
                None => "the key has no value".to_owned(),
            },
            Trouble::Renamed { was } => {
                format!("it was paired as {was}, and its key is another now")
            }
            Trouble::Unsettled { .. } => format!(
                "{} was rewritten by its system again and again",
                line.map_or("a field", |l| l.text.trim())
            ),
            Trouble::Held => "the brake holds its deletion".to_owned(),
            Trouble::Unreadable => "neither it nor its neighbours can be read any more".to_owned(),
            Trouble::OnHold(reason) => format!("held by a person: {reason}"),
            Trouble::Unanswered => {
                "a creation had no answer, and nothing tells whether this is about what it made"
                    .to_owned()
            }
            Trouble::Ambiguous { others } => format!(
                "more than one record fits by `match by`: {}",
                listed(others)
            ),
        };
        (message, None)
    }

    /// A record as people know it: the values of the key lines.
    pub(crate) fn name_of_row(&self, map: &MapRun, row: &EvalRow) -> String {
        if let Ok(values) = &row.pair_key {
            let blank = values.iter().any(Value::is_null);
            return match &row.record_key {
                // Without a key of its pair it is known by its system's own.
                Ok(record) if blank => display_key(record),
                _ => display_key(values),
            };
        }
        let lines = self.plan_of(map).lines.iter().zip(&row.own);
        let keys = lines.filter(|(line, _)| line.key);
        let values: Vec<&Value> = keys.filter_map(|(_, cell)| own(cell)).collect();
        display_key(values)
    }

    /// A pair as people know it: from a row if there is one, from its bases, or from its folded key.
    pub(crate) fn name_of(
        &self,
        map: &MapRun,
        pair: &PairKey,
        link: Option<&Link>,
        rows: Cells<'_>,
    ) -> String {
        if let Some(row) = rows.into_iter().flatten().next() {
            return self.name_of_row(map, row);
        }
        let lines = self.plan_of(map).lines.iter().enumerate();
        let of_bases: Option<Vec<&Value>> = link.and_then(|link| {
            lines
                .filter(|(_, line)| line.key)
                .map(|(i, line)| link.bases.at(i, line.id)?.sides[0].as_ref())
                .collect()
        });
        match of_bases {
            Some(values) if !values.is_empty() => display_key(values),
            _ => name_of_pair(pair),
        }
    }
}

/// The first of several names.
fn listed(names: &[String]) -> String {
    const SHOWN_MAX: usize = 5;
    let shown = names.iter().take(SHOWN_MAX).cloned();
    let more = names.len().saturating_sub(SHOWN_MAX);
    let more = (more > 0).then(|| format!("and {more} more"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

/// A pair by its folded key.
pub(crate) fn name_of_pair(pair: &PairKey) -> String {
    match pair.awaiting_record() {
        Some(record) => name_of_record(&record),
        None => display_key(&pair.values().unwrap_or_default()),
    }
}

/// A record by its folded key.
pub(crate) fn name_of_record(record: &RecordId) -> String {
    display_key(&record.values().unwrap_or_default())
}

/// A line's path on a side.
pub(crate) fn path(line: &Line, side: Side) -> &str {
    match side {
        Side::Left => &line.left,
        Side::Right => &line.right,
    }
}

/// A value as it may be shown.
pub(crate) fn shown(line: &Line, value: &Value) -> String {
    if line.sensitive && !value.is_null() {
        "(masked)".to_owned()
    } else {
        display(value)
    }
}

/// A cell as it may be shown.
pub(crate) fn shown_cell(line: &Line, cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell::Value(value)) => shown(line, value),
        Some(Cell::Failed(failure)) => format!("({failure})"),
        Some(Cell::Missing(_) | Cell::Wanted(_)) => "(waits)".to_owned(),
        Some(Cell::None) | None => "-".to_owned(),
    }
}

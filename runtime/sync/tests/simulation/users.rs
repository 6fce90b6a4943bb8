//! What users do: they make, edit, delete and filter records on both sides, each value with a tag of its own.

use std::time::Duration;

use dwmap_plan::Side;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;

use crate::lines::{LINES, Line, Shape};
use crate::plan::{GROUPS, LATE_GROUP, MAIN};
use crate::wire::{Fields, row_key};
use crate::world::{Event, State};

/// Something that a user may do.
#[derive(Debug, Clone, Copy)]
enum Action {
    Edit,
    Create,
    Delete,
    Toggle,
    Collide,
    Unfit,
    Appear,
    Claim,
}

impl State {
    /// Puts the users' actions into the queue, some close together. The time of the last one.
    pub(crate) fn schedule_users(&mut self) -> Duration {
        let mut at = Duration::ZERO;
        for _ in 0..self.scenario.users.actions {
            let gap = match self.rng.random_range(0..10) {
                0..6 => self.rng.random_range(0..1_500),
                6..9 => self.rng.random_range(1_500..10_000),
                _ => self.rng.random_range(10_000..40_000),
            };
            at += Duration::from_millis(gap);
            self.schedule(at, Event::User);
        }
        at
    }

    /// What stands in both systems before they are ever joined.
    pub(crate) fn settle_in(&mut self) {
        for code in GROUPS {
            self.insert_group(code);
        }
        for record in 0..self.scenario.users.records {
            let key = key_of(record);
            for side in Side::BOTH {
                if self.rng.random_bool(0.5) && self.scenario.users.sides[side.index()] {
                    self.user_creates(side, &key);
                }
            }
        }
    }

    /// A group of every company.
    fn insert_group(&mut self, code: &str) {
        for company in ["usmf", "demf"] {
            let fields = json!({ "company": company, "code": code });
            let fields = fields.as_object().cloned().unwrap_or_default();
            let now = self.now;
            let made = self.servers[1].table_mut("groups").create(now, fields, "");
            made.unwrap_or_else(|e| panic!("a group can't be made: {e:?}"));
        }
    }

    fn late_group_appears(&mut self) {
        if self.group_id("usmf/", LATE_GROUP).is_empty() {
            self.counts.appeared += 1;
            self.tell(format!("USER on crm: makes group {LATE_GROUP}"));
            self.insert_group(LATE_GROUP);
        }
    }

    /// A user does something.
    pub(crate) fn user_acts(&mut self) {
        let users = self.scenario.users;
        let weighted = [
            (Action::Edit, users.edit),
            (Action::Create, users.create),
            (Action::Delete, users.delete),
            (Action::Toggle, users.toggle),
            (Action::Collide, users.collide),
            (Action::Unfit, users.unfit),
            (Action::Appear, users.appear),
            (Action::Claim, users.claim),
        ];
        let Ok((action, _)) = weighted
            .choose_weighted(&mut self.rng, |(_, w)| *w)
            .copied()
        else {
            return;
        };
        let key = key_of(self.rng.random_range(0..users.records));
        let side = *Side::BOTH.choose(&mut self.rng).unwrap_or(&Side::Left);
        if !users.sides[side.index()] {
            return;
        }
        match action {
            Action::Edit => self.user_edits(side, &key),
            Action::Create => self.user_creates(side, &key),
            Action::Delete => self.user_deletes(side, &key),
            Action::Toggle => self.user_toggles(&key),
            Action::Collide => {
                self.user_creates(side, &key);
                let pause = Duration::from_millis(self.rng.random_range(0..6_000));
                self.collisions.push((side.other(), key));
                let at = self.now + pause;
                self.schedule(at, Event::Collide);
            }
            Action::Unfit => self.user_writes_unfit(&key),
            Action::Appear => self.late_group_appears(),
            Action::Claim => self.user_claims(&key),
        }
    }

    /// Users of the other side make the records that were just made.
    pub(crate) fn users_collide(&mut self) {
        for (side, key) in std::mem::take(&mut self.collisions) {
            self.user_creates(side, &key);
        }
    }

    /// A record's row on a side: its id and what it holds.
    fn row(&self, side: Side, key: &str) -> Option<(String, Fields)> {
        let table = self.servers[side.index()].table(MAIN[side.index()]);
        let id = table.by_natural(key)?.to_owned();
        let fields = table.now(&id)?.clone();
        Some((id, fields))
    }

    fn user_edits(&mut self, side: Side, key: &str) {
        let at = self.rng.random_range(0..LINES.len());
        let line = &LINES[at];
        let Some((id, held)) = self.row(side, key) else {
            return;
        };
        let value = self.next_value(line, side, key);
        if line.tagged() {
            self.oracle.edited(side, key, at, Some(&held));
        } else {
            self.oracle.edited_untagged(side, key);
        }
        self.change(side, key, &id, line.column(side), value);
    }

    fn next_value(&mut self, line: &Line, side: Side, key: &str) -> serde_json::Value {
        match line.shape {
            Shape::Group => {
                let code = *GROUPS.choose(&mut self.rng).unwrap_or(&GROUPS[0]);
                let dangles = self.scenario.users.dangling && self.rng.random_bool(0.5);
                match side {
                    Side::Left if dangles => LATE_GROUP.into(),
                    Side::Left => code.into(),
                    Side::Right => self.group_id(key, code).into(),
                }
            }
            Shape::YesNo => line.value(side, self.rng.random_range(0..2)),
            _ => line.value(side, self.oracle.next_tag()),
        }
    }

    /// The identity of a group of the record's company.
    fn group_id(&self, key: &str, code: &str) -> String {
        let company = key.split('/').next().unwrap_or_default();
        let table = self.servers[1].table("groups");
        table
            .by_natural(&format!("{company}/{code}"))
            .unwrap_or_default()
            .to_owned()
    }

    fn change(&mut self, side: Side, key: &str, id: &str, column: &str, value: serde_json::Value) {
        self.counts.edits += 1;
        let system = self.system_name(side);
        self.tell(format!("USER on {system}: {key}.{column} = {value}"));
        let (now, mut fields) = (self.now, Fields::new());
        fields.insert(column.to_owned(), value);
        let table = self.servers[side.index()].table_mut(MAIN[side.index()]);
        // Users see their own system's validation; an unfit value comes from the other side.
        let _ = table.update(now, id, fields);
    }

    fn user_creates(&mut self, side: Side, key: &str) {
        let deleted_by = self.oracle.deleted_by(key);
        let again = deleted_by.is_some();
        if self.row(side, key).is_some()
            || deleted_by.is_some_and(|by| by != side)
            || (again && self.oracle.recreated(key))
        {
            return;
        }
        self.oracle.created(side, key);
        let mut fields = Fields::new();
        let (company, account) = key.split_once('/').unwrap_or(("", key));
        let columns = match side {
            Side::Left => ["dataAreaId", "CustomerAccount"],
            Side::Right => ["company", "accountnumber"],
        };
        fields.insert(columns[0].into(), company.into());
        fields.insert(columns[1].into(), account.into());
        if side == Side::Left {
            // The ERP has no nulls.
            for line in LINES {
                fields.insert(line.column(side).into(), "".into());
            }
            fields.insert("PartyType".into(), "Organization".into());
            fields.insert("OnHold".into(), "No".into());
            fields.insert("CreditLimit".into(), 0.into());
        } else {
            fields.insert("onhold".into(), false.into());
        }
        for (at, line) in LINES.iter().enumerate() {
            let filled = at == 0 || self.rng.random_bool(0.5);
            if !filled || (line.shape == Shape::OneWay && side == Side::Right) {
                continue;
            }
            let value = self.next_value(line, side, key);
            if line.tagged() {
                self.oracle.edited(side, key, at, None);
            }
            fields.insert(line.column(side).to_owned(), value);
        }
        self.counts.edits += 1;
        let system = self.system_name(side);
        let shown = serde_json::Value::Object(fields.clone());
        self.tell(format!("USER on {system}: creates {key} {shown}"));
        let (now, terms) = (self.now, String::new());
        let table = self.servers[side.index()].table_mut(MAIN[side.index()]);
        let made = table.create(now, fields, &terms);
        made.unwrap_or_else(|e| panic!("a user's record was refused: {e:?}"));
    }

    fn user_deletes(&mut self, side: Side, key: &str) {
        let Some((id, held)) = self.row(side, key) else {
            return;
        };
        if self.oracle.deleted_by(key).is_some() {
            return;
        }
        self.counts.deletes += 1;
        self.oracle.deleted(side, key, &held);
        let system = self.system_name(side);
        self.tell(format!("USER on {system}: deletes {key}"));
        let now = self.now;
        let table = self.servers[side.index()].table_mut(MAIN[side.index()]);
        let gone = table.delete(now, &id);
        gone.unwrap_or_else(|e| panic!("a user can't delete: {e:?}"));
    }

    fn user_toggles(&mut self, key: &str) {
        let Some((id, held)) = self.row(Side::Left, key) else {
            return;
        };
        let leaves = held.get("PartyType").and_then(|v| v.as_str()) == Some("Organization");
        if leaves {
            self.counts.leaves += 1;
            self.oracle.left(key);
        } else {
            self.oracle.entered(key);
        }
        let value = if leaves { "Person" } else { "Organization" };
        self.change(Side::Left, key, &id, "PartyType", value.into());
    }

    fn user_writes_unfit(&mut self, key: &str) {
        let Some((id, held)) = self.row(Side::Left, key) else {
            return;
        };
        let value = format!("Acme t{} unfit", self.oracle.next_tag());
        self.oracle.edited(Side::Left, key, 0, Some(&held));
        self.change(Side::Left, key, &id, "Name", value.into());
    }
}

/// The name of records under the key of another.
pub(crate) const CLAIMANT: &str = "Claimant";

impl State {
    /// A second record is made on the right under the key of one that is linked: nothing there forbids it.
    fn user_claims(&mut self, key: &str) {
        if !self.oracle.is_linked(key) || self.row(Side::Right, key).is_none() {
            return;
        }
        let table = self.servers[1].table(MAIN[1]);
        if table
            .by_name(CLAIMANT)
            .any(|f| row_key(f, &table.shape.natural) == key)
        {
            return;
        }
        self.counts.claims += 1;
        self.tell(format!("USER on crm: creates {key} a second time"));
        let (company, account) = key.split_once('/').unwrap_or(("", key));
        let fields = json!({
            "company": company, "accountnumber": account, "name": CLAIMANT, "onhold": false,
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        let now = self.now;
        let made = self.servers[1]
            .table_mut(MAIN[1])
            .create_anyway(now, fields, "");
        made.unwrap_or_else(|e| panic!("a user's record was refused: {e:?}"));
    }
}

/// What is forgotten of records.
impl State {
    /// Lines that a plan has and the one before it hadn't meet for the first time.
    pub(crate) fn first_meeting_of(&mut self, lines: &[usize]) {
        let prefer = self.scenario.prefer;
        for key in self.oracle.keys() {
            let row = self.row(prefer, &key).map(|(_, fields)| fields);
            self.oracle.meets_again(&key, lines, row.as_ref());
        }
    }

    /// The state is lost.
    pub(crate) fn state_is_lost(&mut self) {
        self.counts.losses += 1;
        let prefer = self.scenario.prefer;
        for key in self.oracle.keys() {
            let row = self.row(prefer, &key).map(|(_, fields)| fields);
            self.oracle.forgotten(&key, row.as_ref());
        }
    }
}

/// A record's natural key.
pub(crate) fn key_of(record: usize) -> String {
    let company = if record.is_multiple_of(2) {
        "usmf"
    } else {
        "demf"
    };
    format!("{company}/c{record}")
}

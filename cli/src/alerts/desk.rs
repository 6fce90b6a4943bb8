//! What is told, and when: pure, with time handed in.
//!
//! A map that a person must look at is told at once. Errors of one cause are gathered and told as one with their
//! number, and again only when there are more of them and some time has passed. A system is told of when it has been
//! out of reach for long enough, and once more when it is back.

use std::collections::BTreeMap;
use std::time::Duration;

use dwmap_config::Alerts as Settings;
use dwmap_sync::state::{ErrorReport, MapMode};
use dwmap_sync::{Event, Moment};
use serde::Serialize;

/// The version of an alert's shape.
const VERSION: u32 = 1;
/// Records that are named in an alert.
const NAMED_MAX: usize = 5;
/// Causes that are kept apart; of more, the oldest are forgotten.
const CAUSES_MAX: usize = 1_000;
/// A system whose next try succeeds gives no sign: without news for so long after it, it is taken to be back.
const GRACE: Duration = Duration::from_secs(30);
/// What goes on by itself, as a rule.
const HEALS: [&str; 2] = ["R0402", "R0411"];

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The brake holds a map.
    Held,
    /// A map can't be worked on.
    Failed,
    /// Lines of a map stand still.
    Drifted,
    /// A map was paused, since too many of its records were refused.
    Paused,
    /// A map, or a system, is as it should be again.
    Mended,
    /// Records were refused, of one cause.
    Errors,
    /// A system is out of reach.
    Unreachable,
    /// `dwmap run` has ended by an error.
    Ended,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Alert {
    /// The version of this shape.
    pub(super) version: u32,
    /// The project.
    pub(super) project: String,
    /// What it is about.
    pub(super) kind: Kind,
    /// The map, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) map: Option<String>,
    /// The system, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<String>,
    /// The code of the cause, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Where the line at fault is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// What has happened, in a sentence.
    pub(super) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) next: String,
    /// How many records, in all since the process began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// Some of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) records: Vec<String>,
    /// When, in milliseconds since 1970.
    pub(super) at: Moment,
}

/// Why records are refused: those of one cause are told together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    map: String,
    code: String,
    place: Option<String>,
    /// The target's own code and words, without what differs from record to record.
    target: String,
}

#[derive(Debug)]
struct Group {
    first: Moment,
    told_at: Option<Moment>,
    told: u64,
    count: u64,
    records: Vec<String>,
    report: ErrorReport,
}

#[derive(Debug)]
struct Outage {
    since: Moment,
    again_at: Moment,
    message: String,
    told: bool,
}

/// What has happened and isn't told yet.
#[derive(Debug)]
pub(super) struct Desk {
    project: String,
    unreachable: Duration,
    gather: Duration,
    every: Duration,
    ready: Vec<Alert>,
    /// Maps of which something was told that isn't over.
    troubled: BTreeMap<String, (MapMode, String)>,
    groups: BTreeMap<Cause, Group>,
    outages: BTreeMap<String, Outage>,
}

impl Desk {
    pub(super) fn new(settings: &Settings, project: &str) -> Self {
        Self {
            project: project.to_owned(),
            unreachable: settings.unreachable,
            gather: settings.gather,
            every: settings.every,
            ready: Vec::new(),
            troubled: BTreeMap::new(),
            groups: BTreeMap::new(),
            outages: BTreeMap::new(),
        }
    }

    /// Notes an event.
    pub(super) fn event(&mut self, now: Moment, event: &Event) {
        match event {
            Event::Mode { map, mode, reason } => self.mode(now, map, *mode, reason),
            Event::Error { map, report } if !HEALS.contains(&report.code.as_str()) => {
                self.error(now, map, report);
            }
            Event::Trouble {
                system,
                message,
                again_at,
            } => self.trouble(now, system, message, *again_at),
            Event::Load { .. }
            | Event::Captured { .. }
            | Event::Activity { .. }
            | Event::Error { .. } => {}
        }
    }

    fn mode(&mut self, now: Moment, map: &str, mode: MapMode, reason: &str) {
        let standing = (mode, reason.to_owned());
        if self.troubled.get(map) == Some(&standing) {
            return;
        }
        let kind = match (mode, reason) {
            (MapMode::Held, _) => Kind::Held,
            (MapMode::Failed, _) => Kind::Failed,
            (MapMode::Paused, why) if !why.is_empty() => Kind::Paused,
            (MapMode::Running | MapMode::Loading, why) if !why.is_empty() => Kind::Drifted,
            _ => {
                if self.troubled.remove(map).is_some() {
                    let message = format!("{map} is worked on as a whole again");
                    let alert = self.alert(now, Kind::Mended, message);
                    self.ready.push(Alert {
                        map: Some(map.to_owned()),
                        ..alert
                    });
                }
                return;
            }
        };
        self.troubled.insert(map.to_owned(), standing);
        let alert = self.alert(now, kind, format!("{map}: {reason}"));
        self.ready.push(Alert {
            map: Some(map.to_owned()),
            code: code_of(reason),
            ..alert
        });
    }

    fn error(&mut self, now: Moment, map: &str, report: &ErrorReport) {
        let target = report.target.as_ref();
        let cause = Cause {
            map: map.to_owned(),
            code: report.code.clone(),
            place: report.place.clone(),
            target: target.map_or_else(String::new, |(code, words)| {
                format!("{code} {}", without_numbers(words))
            }),
        };
        if !self.groups.contains_key(&cause) && self.groups.len() >= CAUSES_MAX {
            let oldest = self.groups.iter().min_by_key(|(_, group)| group.first);
            if let Some(oldest) = oldest.map(|(cause, _)| cause.clone()) {
                self.groups.remove(&oldest);
            }
        }
        let group = self.groups.entry(cause).or_insert_with(|| Group {
            first: now,
            told_at: None,
            told: 0,
            count: 0,
            records: Vec::new(),
            report: report.clone(),
        });
        group.count += 1;
        if group.records.len() < NAMED_MAX && !group.records.contains(&report.record) {
            group.records.push(report.record.clone());
        }
    }

    fn trouble(&mut self, now: Moment, system: &str, message: &str, again_at: Moment) {
        self.over(now);
        let outage = self
            .outages
            .entry(system.to_owned())
            .or_insert_with(|| Outage {
                since: now,
                again_at,
                message: String::new(),
                told: false,
            });
        outage.again_at = outage.again_at.max(again_at);
        message.clone_into(&mut outage.message);
    }

    /// Outages that are over: the next try has come and nothing was said of it.
    fn over(&mut self, now: Moment) {
        let is_over = |outage: &Outage| outage.again_at.plus(GRACE) < now;
        let over: Vec<String> = self
            .outages
            .iter()
            .filter(|(_, outage)| is_over(outage))
            .map(|(system, _)| system.clone())
            .collect();
        for system in over {
            if self.outages.remove(&system).is_some_and(|o| o.told) {
                let message = format!("{system} answers again");
                let alert = self.alert(now, Kind::Mended, message);
                self.ready.push(Alert {
                    system: Some(system),
                    ..alert
                });
            }
        }
    }

    /// Whether nothing is pending that time alone could make due.
    pub(super) fn is_quiet(&self) -> bool {
        let untold = |group: &Group| group.count > group.told;
        self.ready.is_empty() && self.outages.is_empty() && !self.groups.values().any(untold)
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now: Moment) -> Vec<Alert> {
        let (gather, every) = (self.gather, self.every);
        let is_due = |group: &Group| match group.told_at {
            None => group.first.plus(gather) <= now,
            Some(told_at) => told_at.plus(every) <= now,
        };
        self.tell_groups(now, is_due);
        self.over(now);
        self.tell_outages(now);
        std::mem::take(&mut self.ready)
    }

    /// The process ends by an error.
    pub(super) fn ended(&mut self, now: Moment, error: &str) {
        let message = format!("`dwmap run` has ended: {error}");
        let alert = self.alert(now, Kind::Ended, message);
        self.ready.push(Alert {
            next: "Mend what it says and start it again; it goes on where it stopped.".to_owned(),
            ..alert
        });
    }

    /// What is told at the end, whether or not it has been gathered for long enough.
    pub(super) fn rest(&mut self, now: Moment) -> Vec<Alert> {
        self.tell_groups(now, |group| group.told_at.is_none());
        self.tell_outages(now);
        std::mem::take(&mut self.ready)
    }

    fn tell_groups(&mut self, now: Moment, is_due: impl Fn(&Group) -> bool) {
        let mut told = Vec::new();
        for (cause, group) in &mut self.groups {
            if group.count == group.told || !is_due(group) {
                continue;
            }
            group.told = group.count;
            group.told_at = Some(now);
            told.push((
                cause.clone(),
                group.count,
                group.records.clone(),
                group.report.clone(),
            ));
        }
        for (cause, count, records, report) in told {
            let what = match count {
                1 => format!("{} {}", cause.map, report.record),
                n => format!("{n} records of {}, such as {}", cause.map, report.record),
            };
            let message = format!("{what}: {}", report.message);
            let alert = self.alert(now, Kind::Errors, message);
            self.ready.push(Alert {
                map: Some(cause.map),
                code: Some(cause.code),
                place: cause.place,
                next: report.next,
                count: Some(count),
                records,
                ..alert
            });
        }
    }

    fn tell_outages(&mut self, now: Moment) {
        let bound = self.unreachable;
        let mut told = Vec::new();
        for (system, outage) in &mut self.outages {
            if !outage.told && outage.since.plus(bound) <= now {
                outage.told = true;
                told.push((system.clone(), outage.since, outage.message.clone()));
            }
        }
        for (system, since, message) in told {
            let long = crate::output::duration(since.until(now));
            let message = format!("{system} has been out of reach for {long}: {message}");
            let alert = self.alert(now, Kind::Unreachable, message);
            self.ready.push(Alert {
                system: Some(system),
                next: "What changes meanwhile is kept, and goes when it answers.".to_owned(),
                ..alert
            });
        }
    }

    fn alert(&self, at: Moment, kind: Kind, message: String) -> Alert {
        Alert {
            version: VERSION,
            project: self.project.clone(),
            kind,
            map: None,
            system: None,
            code: None,
            place: None,
            message,
            next: String::new(),
            count: None,
            records: Vec::new(),
            at,
        }
    }
}

/// The code that a reason begins with.
fn code_of(reason: &str) -> Option<String> {
    let first = reason.split(' ').next()?;
    let digits = first.strip_prefix('R')?;
    let is_code = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    is_code.then(|| first.to_owned())
}

/// Words without numbers and what stands in quotes: what differs from record to record.
fn without_numbers(words: &str) -> String {
    let mut quoted = false;
    let kept = words.chars().filter(|c| {
        if matches!(c, '\'' | '"') {
            quoted = !quoted;
        }
        !quoted && !c.is_ascii_digit()
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000_000);

    fn after(seconds: u64) -> Moment {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn desk() -> Desk {
        let text = "[project]\nname = \"p\"\nmaps = [\"std.x\"]\n[systems.a]\nkind = \"dataverse\"\nschema = \"s\"\nurl = \"http://h\"\n\
                    auth = { kind = \"none\" }\n[alerts]\ncommand = [\"true\"]\n";
        let path = std::path::Path::new("dwmap.toml");
        let manifest = dwmap_config::Manifest::parse(path, text, None).unwrap();
        Desk::new(&manifest.alerts.unwrap(), "p")
    }

    fn refused(record: &str, code: &str, words: &str) -> Event {
        Event::Error {
            map: "customers".to_owned(),
            report: Box::new(ErrorReport {
                code: code.to_owned(),
                record: record.to_owned(),
                message: format!("dv refused it: {words}"),
                target: Some(("0x1".to_owned(), words.to_owned())),
                ..ErrorReport::default()
            }),
        }
    }

    fn mode(mode: MapMode, reason: &str) -> Event {
        Event::Mode {
            map: "customers".to_owned(),
            mode,
            reason: reason.to_owned(),
        }
    }

    fn trouble(again_at: Moment) -> Event {
        Event::Trouble {
            system: "dv".to_owned(),
            message: "no answer".to_owned(),
            again_at,
        }
    }

    fn kinds(alerts: &[Alert]) -> Vec<(Kind, Option<u64>)> {
        alerts.iter().map(|a| (a.kind, a.count)).collect()
    }

    #[test]
    fn errors_of_one_cause_are_told_once_with_their_number() {
        let mut desk = desk();
        for n in 0..4_312 {
            let words = format!("group '{n}' of {n} is missing");
            desk.event(NOW, &refused(&format!("US-{n}"), "R0401", &words));
        }
        desk.event(NOW, &refused("US-1", "R0404", ""));
        desk.event(
            NOW,
            &refused("US-2", "R0402", "it waits, and goes on by itself"),
        );
        assert_eq!(desk.due(after(9)), [], "they are gathered first");
        let told = desk.due(after(10));
        assert_eq!(
            kinds(&told),
            [(Kind::Errors, Some(4_312)), (Kind::Errors, Some(1))]
        );
        assert_eq!(told[0].records.len(), NAMED_MAX);

        // More of the same are told again, but not soon; without more, nothing is.
        desk.event(
            after(20),
            &refused("US-9999", "R0401", "group 'x' of 7 is missing"),
        );
        assert_eq!(desk.due(after(900)), []);
        assert_eq!(kinds(&desk.due(after(911))), [(Kind::Errors, Some(4_313))]);
        assert_eq!(desk.due(after(100_000)), []);
        assert!(desk.is_quiet());
    }

    #[test]
    fn a_map_is_told_of_when_it_stops_and_when_it_goes_on() {
        let mut desk = desk();
        desk.event(NOW, &mode(MapMode::Running, ""));
        assert_eq!(desk.due(NOW), [], "nothing was wrong");
        for _ in 0..3 {
            desk.event(NOW, &mode(MapMode::Failed, "R0501 dv has no accounts"));
        }
        let told = desk.due(NOW);
        assert_eq!(kinds(&told), [(Kind::Failed, None)]);
        assert_eq!(told[0].code.as_deref(), Some("R0501"));
        desk.event(NOW, &mode(MapMode::Running, "R0504 name is narrower"));
        desk.event(NOW, &mode(MapMode::Running, ""));
        desk.event(NOW, &mode(MapMode::Held, "too many deletes"));
        desk.event(NOW, &mode(MapMode::Paused, "too many errors"));
        assert_eq!(
            kinds(&desk.due(NOW)),
            [Kind::Drifted, Kind::Mended, Kind::Held, Kind::Paused].map(|kind| (kind, None))
        );
        // A person who pauses it knows.
        desk.event(NOW, &mode(MapMode::Paused, ""));
        assert_eq!(kinds(&desk.due(NOW)), [(Kind::Mended, None)]);
    }

    #[test]
    fn a_system_is_told_of_when_it_is_out_of_reach_for_long() {
        let mut desk = desk();
        desk.event(NOW, &trouble(after(100)));
        assert_eq!(desk.due(after(99)), []);
        // A hiccup is over when nothing is heard after its next try.
        assert_eq!(desk.due(after(200)), []);
        assert!(desk.is_quiet());

        desk.event(after(1_000), &trouble(after(1_200)));
        desk.event(after(1_200), &trouble(after(1_400)));
        assert_eq!(desk.due(after(1_299)), []);
        assert_eq!(kinds(&desk.due(after(1_300))), [(Kind::Unreachable, None)]);
        desk.event(after(1_400), &trouble(after(1_600)));
        assert_eq!(desk.due(after(1_600)), [], "it is told once");
        assert_eq!(kinds(&desk.due(after(1_631))), [(Kind::Mended, None)]);
    }

    #[test]
    fn what_isnt_told_yet_is_told_at_the_end() {
        let mut desk = desk();
        desk.event(NOW, &refused("US-1", "R0401", "no"));
        assert_eq!(kinds(&desk.rest(NOW)), [(Kind::Errors, Some(1))]);
        assert_eq!(desk.rest(NOW), []);
    }
}

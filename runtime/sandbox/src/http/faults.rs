//! Faults on demand: by header on a request, or by rules that the admin endpoint sets.
//!
//! A fault is a text of settings parted by `;`:
//! `latency=200` (milliseconds) · `status=429;retry-after=3` · `drop=before` or `drop=after` (the commit) ·
//! `batch-fail=2` (that operation of a batch, counted from 1).

use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Call;
use crate::store::lock;

/// The header.
pub(crate) const HEADER: &str = "x-sandbox-fault";

/// What goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub latency: Duration,
    pub status: Option<u16>,
    pub retry_after: Option<u64>,
    pub drop: Option<Drop>,
    pub batch_fail: Option<usize>,
}

/// When the connection is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drop {
    BeforeCommit,
    AfterCommit,
}

impl Fault {
    /// Reads a fault; `None` if a setting is unknown.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fault = Self::default();
        for setting in text.split(';').map(str::trim).filter(|s| !s.is_empty()) {
            let (name, value) = setting.split_once('=')?;
            match (name.trim(), value.trim()) {
                ("latency", ms) => fault.latency = Duration::from_millis(ms.parse().ok()?),
                ("status", code) => {
                    fault.status = Some(code.parse().ok().filter(|c| (400..600).contains(c))?);
                }
                ("retry-after", seconds) => fault.retry_after = Some(seconds.parse().ok()?),
                ("drop", "before") => fault.drop = Some(Drop::BeforeCommit),
                ("drop", "after") => fault.drop = Some(Drop::AfterCommit),
                ("batch-fail", at) => fault.batch_fail = Some(at.parse().ok()?),
                _ => return None,
            }
        }
        Some(fault)
    }
}

/// A rule: which requests go wrong, how, and how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Only requests of this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests whose path contains this.
    #[serde(default)]
    pub path: Option<String>,
    /// The fault.
    pub fault: String,
    /// How many requests it still hits; without it, every one.
    #[serde(default)]
    pub times: Option<u64>,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<Rule>>,
}

impl Faults {
    /// The fault that this request meets.
    pub(crate) fn for_call(&self, call: &Call) -> Fault {
        if let Some(fault) = call.header(HEADER).and_then(Fault::parse) {
            return fault;
        }
        let mut rules = lock(&self.rules);
        let hit = rules.iter_mut().find(|rule| {
            rule.times != Some(0)
                && rule
                    .method
                    .as_ref()
                    .is_none_or(|m| m.eq_ignore_ascii_case(&call.method))
                && rule
                    .path
                    .as_ref()
                    .is_none_or(|p| call.path.contains(p.as_str()))
        });
        let Some(rule) = hit else {
            return Fault::default();
        };
        rule.times = rule.times.map(|n| n - 1);
        Fault::parse(&rule.fault).unwrap_or_default()
    }

    /// Replaces the rules by those of a JSON array. The error says what is wrong with it.
    pub(crate) fn set(&self, json: &[u8]) -> Result<(), String> {
        let rules: Vec<Rule> = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        if let Some(wrong) = rules
            .iter()
            .find(|rule| Fault::parse(&rule.fault).is_none())
        {
            return Err(format!(
                "`{}` is no fault; settings are latency=MS, status=CODE, retry-after=S, drop=before|after, batch-fail=N",
                wrong.fault
            ));
        }
        *lock(&self.rules) = rules;
        Ok(())
    }

    /// The rules as JSON.
    pub(crate) fn show(&self) -> String {
        serde_json::to_string(&*lock(&self.rules)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings() {
        let fault = Fault::parse("latency=20; status=429;retry-after=3").unwrap();
        assert_eq!(
            (fault.latency, fault.status, fault.retry_after),
            (Duration::from_millis(20), Some(429), Some(3))
        );
        assert_eq!(
            Fault::parse("drop=after").unwrap().drop,
            Some(Drop::AfterCommit)
        );
        for wrong in ["status=200", "drop=never", "latency", "x=1"] {
            assert_eq!(Fault::parse(wrong), None, "{wrong}");
        }
    }
}

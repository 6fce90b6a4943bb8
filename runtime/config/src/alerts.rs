//! `[alerts]`: who is told when a person is needed.

use std::time::Duration;

use crate::{ConfigError, SecretSetting, Setting, section::Section};

/// Who is told when a person is needed, and how soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// Where each alert is posted as JSON.
    pub webhook: Option<Setting>,
    /// What shows there who we are: it goes as a bearer token.
    pub token: Option<SecretSetting>,
    /// What is run with each alert as JSON on its standard input: a program and its arguments; empty for none. No
    /// shell reads it.
    pub command: Vec<String>,
    /// How long a system may be out of reach before that is told.
    pub unreachable: Duration,
    /// How long errors of one cause are gathered before they are told, as one.
    pub gather: Duration,
    /// How soon the same is told again at the earliest.
    pub every: Duration,
}

impl Alerts {
    pub(crate) const KEYS: &'static [&'static str] = &[
        "webhook",
        "token",
        "command",
        "unreachable",
        "gather",
        "every",
    ];

    pub(crate) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        const MINUTE: Duration = Duration::from_secs(60);
        let command = section.texts("command")?;
        let webhook = section.setting("webhook")?;
        if webhook.is_none() && command.is_empty() {
            return Err(section.missing("webhook", "\"env:ALERT_URL\""));
        }
        let mut argv = Vec::with_capacity(command.len());
        for text in command {
            if argv.is_empty() && text.value.trim().is_empty() {
                return Err(Section::bad("command", text, "names no program"));
            }
            argv.push(text.value);
        }
        Ok(Self {
            webhook,
            token: section.secret("token")?,
            command: argv,
            unreachable: section.duration("unreachable")?.unwrap_or(5 * MINUTE),
            gather: section
                .duration("gather")?
                .unwrap_or(Duration::from_secs(10)),
            every: section.duration("every")?.unwrap_or(15 * MINUTE),
        })
    }
}

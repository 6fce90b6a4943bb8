//! `[systems.NAME]`: the systems that are kept the same.

use std::{net::SocketAddr, path::Path, time::Duration};

use crate::{ConfigError, Place, SecretSetting, Setting, section::Section};

/// A system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Its name in the manifest, and in every message.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The module of its schema: `std.fno`, `schemas.fno`.
    pub schema: String,
    /// Its address.
    pub url: Setting,
    /// How we sign in.
    pub auth: Auth,
    /// How changes are found where the system itself tells none (F&O). Without it, by sweeps.
    pub changes: Option<Changes>,
    /// Where its hooks call us.
    pub hooks: Option<Hooks>,
    /// How far its reads may lag behind its writes.
    pub lag_max: Duration,
    /// The longest that it works on a request: after it, a write whose answer was lost can no longer land.
    pub execution_max: Duration,
    /// How often we look for changes when no hook calls.
    pub poll: Duration,
    /// Where it stands.
    pub place: Place,
}

/// What a system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A Dataverse environment.
    Dataverse,
    /// A Dynamics 365 Finance & Operations environment.
    Finops,
}

/// How we sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Not at all, which only a sandbox allows.
    None,
    /// As an application, by OAuth 2 client credentials.
    ClientCredentials(Box<ClientCredentials>),
}

/// An application's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The tenant's id or domain.
    pub tenant: Setting,
    /// The application's id.
    pub client_id: Setting,
    /// Its secret.
    pub secret: SecretSetting,
    /// Where tokens are drawn, without the tenant and what follows it; `None` for the Microsoft cloud.
    pub authority: Option<Setting>,
}

/// How changes are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The system through whose virtual tables they are read: a Dataverse environment of this manifest.
    pub via: String,
    /// Where that stands.
    pub place: Place,
}

/// Where a system's hooks call us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// The address to listen at; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address by which the system reaches us, where it is another (behind a proxy).
    pub url: Option<Setting>,
    /// The key that a call must show; `None` only where hooks come from this machine.
    pub key: Option<SecretSetting>,
}

/// The kinds of page 4 of which this version has no connector.
const KINDS_LATER: &[&str] = &["odata", "postgres", "sqlite", "file", "exec"];
const KINDS: &[(&str, Kind)] = &[("dataverse", Kind::Dataverse), ("finops", Kind::Finops)];

/// The time after which neither service works on a request any longer.
const EXECUTION_MAX: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_secs(1);

impl System {
    pub(crate) const KEYS: &'static [&'static str] = &[
        "kind",
        "schema",
        "url",
        "auth",
        "changes",
        "hooks",
        "lag_max",
        "execution_max",
        "poll",
    ];

    pub(crate) fn read(
        name: &str,
        place: Place,
        section: &Section<'_>,
    ) -> Result<Self, ConfigError> {
        let kind = Kind::read(section)?;
        let changes = Changes::read(section)?;
        if let (Some(changes), Kind::Dataverse) = (&changes, kind) {
            return Err(ConfigError::BadValue {
                place: changes.place.clone(),
                key: "via".to_owned(),
                value: changes.via.clone(),
                problem: "is for systems of kind \"finops\": Dataverse tells its changes itself"
                    .to_owned(),
            });
        }
        let poll = section.duration("poll")?.unwrap_or(POLL);
        if poll.is_zero() {
            let text = section.required_text("poll", "\"1s\"")?;
            return Err(Section::bad(
                "poll",
                text,
                "would never rest; write at least \"1ms\"",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            schema: section.required_text("schema", kind.stock_schema())?.value,
            url: section.required_setting("url", kind.example_url())?,
            auth: Auth::read(section)?,
            changes,
            hooks: Hooks::read(section)?,
            lag_max: section.duration("lag_max")?.unwrap_or(Duration::ZERO),
            execution_max: section.duration("execution_max")?.unwrap_or(EXECUTION_MAX),
            poll,
            place,
        })
    }

    /// The address, resolved, without a slash at its end. `root` is the manifest's folder.
    pub fn base_url(&self, root: &Path) -> Result<String, ConfigError> {
        let url = self.url.resolve(root)?;
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        if rest.is_none_or(|rest| {
            rest.is_empty() || rest.starts_with('/') || rest.contains(char::is_whitespace)
        }) {
            return Err(ConfigError::BadValue {
                place: self.url.place().clone(),
                key: "url".to_owned(),
                value: url,
                problem: format!(
                    "is no address of a service; write {}",
                    self.kind.example_url()
                ),
            });
        }
        Ok(url.trim_end_matches('/').to_owned())
    }
}

impl Kind {
    fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let text = section.required_text("kind", "\"dataverse\"")?;
        if KINDS_LATER.contains(&text.value.as_str()) {
            return Err(ConfigError::KindNotYet {
                place: text.place,
                kind: text.value,
                known: KINDS.iter().map(|(word, _)| (*word).to_owned()).collect(),
            });
        }
        section
            .one_of("kind", KINDS)?
            .ok_or_else(|| section.missing("kind", "\"dataverse\""))
    }

    fn stock_schema(self) -> &'static str {
        match self {
            Self::Dataverse => "\"std.dataverse\"",
            Self::Finops => "\"std.fno\"",
        }
    }

    fn example_url(self) -> &'static str {
        match self {
            Self::Dataverse => "\"https://contoso.crm4.dynamics.com\"",
            Self::Finops => "\"https://contoso.operations.dynamics.com\"",
        }
    }
}

impl Auth {
    const EXAMPLE: &'static str = "{ kind = \"client-credentials\", tenant = \"env:TENANT\", client_id = \"env:CLIENT_ID\", secret = \"env:CLIENT_SECRET\" }";
    const ALL_KEYS: &'static [&'static str] =
        &["kind", "tenant", "client_id", "secret", "authority"];

    fn read(system: &Section<'_>) -> Result<Self, ConfigError> {
        #[derive(Clone, Copy)]
        enum Way {
            None,
            ClientCredentials,
        }
        let section = system
            .section("auth", Self::ALL_KEYS)?
            .ok_or_else(|| system.missing("auth", Self::EXAMPLE))?;
        let way = section
            .one_of(
                "kind",
                &[
                    ("none", Way::None),
                    ("client-credentials", Way::ClientCredentials),
                ],
            )?
            .ok_or_else(|| section.missing("kind", "\"client-credentials\""))?;
        match way {
            Way::None => {
                // Credentials that nobody would use are a mistake.
                system.section("auth", &["kind"])?;
                Ok(Self::None)
            }
            Way::ClientCredentials => Ok(Self::ClientCredentials(Box::new(ClientCredentials {
                tenant: section.required_setting("tenant", "\"env:TENANT\"")?,
                client_id: section.required_setting("client_id", "\"env:CLIENT_ID\"")?,
                secret: section
                    .secret("secret")?
                    .ok_or_else(|| section.missing("secret", "\"env:CLIENT_SECRET\""))?,
                authority: section.setting("authority")?,
            }))),
        }
    }
}

impl Changes {
    fn read(system: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(section) = system.section("changes", &["via"])? else {
            return Ok(None);
        };
        let via = section.required_text("via", "\"dv\"")?;
        Ok(Some(Self {
            via: via.value,
            place: via.place,
        }))
    }
}

impl Hooks {
    fn read(system: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(section) = system.section("hooks", &["listen", "url", "key"])? else {
            return Ok(None);
        };
        let text = section.required_text("listen", "\"127.0.0.1:7341\"")?;
        let Ok(listen) = text.value.parse::<SocketAddr>() else {
            return Err(Section::bad(
                "listen",
                text,
                "is no address to listen at; write an IP address and a port: \"127.0.0.1:7341\"",
            ));
        };
        let key = section.secret("key")?;
        if key.is_none() && !listen.ip().is_loopback() {
            return Err(section.missing("key", "\"env:HOOK_KEY\""));
        }
        Ok(Some(Self {
            listen,
            url: section.setting("url")?,
            key,
        }))
    }
}

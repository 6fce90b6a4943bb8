//! A system's OData service: every request goes through here, within the budget, with a token, and tried again
//! where that is safe.

use dwmap_connect::{ConnectError, Refusal};
use dwmap_odata::{ErrorBody, Nonsense};
use tokio::time::sleep;

use super::backoff::Backoff;
use super::gate::Gate;
use super::token::Tokens;
use super::transport::{Answer, Request, Transport, TransportError};
use crate::{Auth, Limits, SetupError};

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It only reads.
    Safe,
    /// It writes: only if the system took no notice of it.
    Unsafe,
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The system has taken no notice of it.
    NotSent(ConnectError),
    /// The system may have acted on it.
    Lost {
        error: ConnectError,
        /// The answer as far as it came.
        partial: Option<Answer>,
    },
}

impl Failure {
    pub(crate) fn into_error(self) -> ConnectError {
        match self {
            Self::NotSent(error) | Self::Lost { error, .. } => error,
        }
    }
}

/// A system's OData service.
pub(crate) struct Service {
    system: String,
    /// Ends with a slash.
    root: reqwest::Url,
    transport: Transport,
    tokens: Option<Tokens>,
    gate: Gate,
    limits: Limits,
}

impl Service {
    /// The service at `url`, whose OData lies below `path` (`data/`).
    pub(crate) fn new(
        system: &str,
        url: &str,
        path: &str,
        auth: &Auth,
        limits: Limits,
    ) -> Result<Self, SetupError> {
        let root = root(url, path).map_err(|problem| SetupError::Url {
            system: system.to_owned(),
            url: url.to_owned(),
            problem,
        })?;
        let transport = Transport::new(&limits, &root).map_err(|e| SetupError::Client {
            system: system.to_owned(),
            problem: e.to_string(),
        })?;
        let origin = root.origin().ascii_serialization();
        Ok(Self {
            tokens: Tokens::new(system, &origin, auth),
            system: system.to_owned(),
            gate: Gate::new(&limits),
            root,
            transport,
            limits,
        })
    }

    pub(crate) fn system(&self) -> &str {
        &self.system
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The absolute URL of something below the service's root.
    pub(crate) fn url(&self, relative: &str) -> String {
        format!("{}{relative}", self.root)
    }

    /// The absolute URL of something beside the OData service, on the same host.
    pub(crate) fn beside(&self, path: &str) -> String {
        format!("{}/{path}", self.root.origin().ascii_serialization())
    }

    /// The path of something below the service's root, as it stands in the parts of a batch.
    pub(crate) fn path(&self, relative: &str) -> String {
        format!("{}{relative}", self.root.path())
    }

    /// The path and query of one of the service's own URLs, as it stands in the parts of a batch.
    pub(crate) fn path_of(&self, url: &str) -> String {
        self.path(url.strip_prefix(self.root.as_str()).unwrap_or(url))
    }

    /// What remains of a link below the service's root, where one is given on the page `from`. A link that leads
    /// elsewhere isn't followed, for the token would go with it; nor one that leads nowhere.
    pub(crate) fn follow(
        &self,
        what: &str,
        from: &str,
        link: Option<String>,
    ) -> Result<Option<String>, ConnectError> {
        let Some(link) = link else { return Ok(None) };
        let relative = self
            .relative(&link)
            .ok_or_else(|| self.nonsense(what, format!("a link that leads elsewhere: {link}")))?;
        if self.relative(from).is_some_and(|from| from == relative) {
            return Err(self.nonsense(what, "a page that names itself as the next one"));
        }
        Ok(Some(relative))
    }

    fn relative(&self, link: &str) -> Option<String> {
        let absolute = self.root.join(link).ok()?;
        let relative = absolute.as_str().strip_prefix(self.root.as_str())?;
        Some(relative.to_owned())
    }

    pub(crate) fn nonsense(&self, what: &str, message: impl ToString) -> ConnectError {
        ConnectError::Nonsense {
            system: self.system.clone(),
            what: what.to_owned(),
            message: message.to_string(),
        }
    }

    /// Reads: asks until there is an answer with a good status, or a reason why there can't be one.
    pub(crate) async fn read(&self, what: &str, request: &Request) -> Result<Answer, ConnectError> {
        let answer = self
            .send(request, Repeat::Safe)
            .await
            .map_err(Failure::into_error)?;
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(self.error(what, &answer)),
        }
    }

    /// Sends a request, and again where that is safe, for as often as the limits say. The answer may be of any status.
    pub(crate) async fn send(&self, request: &Request, repeat: Repeat) -> Result<Answer, Failure> {
        let mut backoff = Backoff::new();
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let last = attempt >= self.limits.attempts;
            let answer = match self.send_once(request, &mut renewed).await? {
                Ok(answer) => answer,
                Err(error) => {
                    let lost = matches!(error, TransportError::Lost { .. });
                    if last || (lost && repeat == Repeat::Unsafe) {
                        return Err(self.failure(request, error));
                    }
                    sleep(backoff.next()).await;
                    continue;
                }
            };
            let wait = match answer.status {
                429 => answer.retry_after().unwrap_or_else(|| backoff.next()),
                503 if refuses(&answer) => answer.retry_after().unwrap_or_else(|| backoff.next()),
                408 | 500 | 502..=504 if repeat == Repeat::Safe => {
                    if last {
                        return Ok(answer);
                    }
                    sleep(backoff.next()).await;
                    continue;
                }
                _ => {
                    let advised = answer.header("x-ms-dop-hint").and_then(|h| h.parse().ok());
                    self.gate.answered(advised, self.limits.concurrency);
                    return Ok(answer);
                }
            };
            tracing::debug!(
                system = self.system,
                status = answer.status,
                ?wait,
                "throttled"
            );
            // Nobody asks before that time; the next attempt waits for it at the gate.
            self.gate.throttled(wait);
            if last || wait > self.limits.patience {
                return Ok(answer);
            }
        }
    }

    /// One attempt. The outer error is final.
    async fn send_once(
        &self,
        request: &Request,
        renewed: &mut bool,
    ) -> Result<Result<Answer, TransportError>, Failure> {
        loop {
            let permit = self.gate.enter().await.map_err(|shut| {
                Failure::NotSent(ConnectError::Transient {
                    system: self.system.clone(),
                    after: Some(shut.after),
                    message: "its budget of requests is used up for now".to_owned(),
                })
            })?;
            let bearer = match &self.tokens {
                None => None,
                Some(tokens) => Some(
                    tokens
                        .get(&self.transport)
                        .await
                        .map_err(Failure::NotSent)?,
                ),
            };
            let answer = self.transport.send(request, bearer.as_ref()).await;
            drop(permit);
            // A refused token was good until now: one more try with a new one. Nothing has been done with the request.
            if let (Ok(Answer { status: 401, .. }), Some(tokens), Some(bearer), false) =
                (&answer, &self.tokens, &bearer, *renewed)
            {
                *renewed = true;
                tokens.refuse(bearer).await;
                continue;
            }
            return Ok(answer);
        }
    }

    fn failure(&self, request: &Request, error: TransportError) -> Failure {
        let unreachable = |message: String| ConnectError::Unreachable {
            system: self.system.clone(),
            // Without the query, which holds keys and is long.
            url: request.url.split('?').next().unwrap_or_default().to_owned(),
            message,
        };
        match error {
            TransportError::NotSent(message) => Failure::NotSent(unreachable(message)),
            TransportError::Lost { message, partial } => Failure::Lost {
                error: unreachable(message),
                partial,
            },
        }
    }

    /// What an answer with a bad status means for a call as a whole.
    pub(crate) fn error(&self, what: &str, answer: &Answer) -> ConnectError {
        let system = self.system.clone();
        let parsed = ErrorBody::parse(&answer.body);
        let message = match &parsed {
            Ok(error) => error.reason().to_owned(),
            Err(Nonsense::Empty) => format!("status {}", answer.status),
            Err(problem) => format!("status {}: {problem}", answer.status),
        };
        match (answer.status, parsed) {
            (401 | 403, _) => ConnectError::Unauthorised { system, message },
            (408 | 429 | 500..=599, _) => ConnectError::Transient {
                system,
                after: answer.retry_after(),
                message,
            },
            (300..=399, _) => {
                let to = answer.header("location").unwrap_or("nowhere");
                self.nonsense(what, format!("a redirect to {to}"))
            }
            (status, Ok(error)) => ConnectError::Refused {
                system,
                what: what.to_owned(),
                refusal: refusal(status, &error),
            },
            (_, Err(_)) => self.nonsense(what, message),
        }
    }
}

/// Whether a 503 comes from the service itself, which then has done nothing, or tells when to come back. One that a
/// proxy made up says nothing about what happened behind it.
pub(crate) fn refuses(answer: &Answer) -> bool {
    answer.retry_after().is_some() || ErrorBody::parse(&answer.body).is_ok()
}

/// A system's refusal in its own words.
pub(crate) fn refusal(status: u16, error: &ErrorBody) -> Refusal {
    Refusal {
        code: if error.code.is_empty() {
            status.to_string()
        } else {
            error.code.clone()
        },
        message: error.reason().to_owned(),
        field: None,
    }
}

/// The address of the service's root. `url` may name the host alone, or the root itself.
fn root(url: &str, path: &str) -> Result<reqwest::Url, String> {
    let mut root = reqwest::Url::parse(url).map_err(|e| e.to_string())?;
    if !matches!(root.scheme(), "http" | "https") || root.host_str().is_none() {
        return Err("it must begin with https:// and name a host".to_owned());
    }
    root.set_query(None);
    root.set_fragment(None);
    let given = root.path().trim_matches('/');
    let wanted = path.trim_matches('/');
    let whole = if given.is_empty() {
        format!("/{wanted}/")
    } else if given == wanted || given.ends_with(&format!("/{wanted}")) {
        format!("/{given}/")
    } else {
        format!("/{given}/{wanted}/")
    };
    root.set_path(&whole);
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_host_or_root() {
        for url in [
            "http://h:1",
            "http://h:1/",
            "http://h:1/data",
            "http://h:1/data/?x=1",
        ] {
            assert_eq!(root(url, "data/").unwrap().as_str(), "http://h:1/data/");
        }
        assert_eq!(
            root("https://h/tenant", "data/").unwrap().as_str(),
            "https://h/tenant/data/"
        );
        for wrong in ["h", "ftp://h", "", "data:,x"] {
            assert!(root(wrong, "data/").is_err(), "{wrong}");
        }
    }

    #[test]
    fn links_elsewhere_are_not_followed() {
        let limits = Limits::dataverse();
        let service = Service::new("dv", "http://h", "data/", &Auth::None, limits).unwrap();
        let follow = |link: &str| service.follow("x", "accounts", Some(link.to_owned()));
        let wanted = Some("accounts?$skiptoken=1".to_owned());
        let absolute = "http://h/data/accounts?$skiptoken=1";
        assert_eq!(follow(absolute).unwrap(), wanted);
        assert_eq!(follow("accounts?$skiptoken=1").unwrap(), wanted);
        assert!(follow("http://h/data/accounts").is_err(), "a circle");
        for link in [
            "http://evil/data/accounts",
            "//evil/data/x",
            "/other/x",
            "https://h/data/x",
        ] {
            assert!(follow(link).is_err(), "{link}");
        }
    }
}

//! Access tokens, by client credentials.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use dwmap_connect::ConnectError;
use dwmap_odata::ErrorBody;

use super::transport::{Request, Transport, TransportError};
use crate::{Auth, Secret};

/// A token is renewed when this much of its life is left, or a tenth of it if that is less.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Fetches a token when one is needed, and keeps it until shortly before its end.
pub(crate) struct Tokens {
    system: String,
    url: String,
    client_id: String,
    secret: Secret,
    scope: String,
    // Held while a token is fetched, so that many callers ask for one token only once.
    current: Mutex<Option<Token>>,
}

struct Token {
    bearer: Bearer,
    renew_at: Instant,
}

/// The value of an `Authorization` header.
pub(crate) type Bearer = std::sync::Arc<Zeroizing<String>>;

fn bearer(token: &str) -> Bearer {
    Bearer::new(Zeroizing::new(format!("Bearer {token}")))
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    /// For requests to `origin`; none where they need no token.
    pub(crate) fn new(system: &str, origin: &str, auth: &Auth) -> Option<Self> {
        match auth {
            Auth::None => None,
            Auth::ClientCredentials {
                authority,
                tenant,
                client_id,
                secret,
            } => Some(Self {
                system: system.to_owned(),
                url: format!(
                    "{}/{tenant}/oauth2/v2.0/token",
                    authority.trim_end_matches('/')
                ),
                client_id: client_id.clone(),
                secret: secret.clone(),
                scope: format!("{origin}/.default"),
                current: Mutex::new(None),
            }),
        }
    }

    /// A token that is good for a while.
    pub(crate) async fn get(&self, transport: &Transport) -> Result<Bearer, ConnectError> {
        let mut current = self.current.lock().await;
        if let Some(token) = &*current
            && Instant::now() < token.renew_at
        {
            return Ok(token.bearer.clone());
        }
        let token = self.fetch(transport).await?;
        Ok(current.insert(token).bearer.clone())
    }

    /// Forgets a token that was refused, unless another has taken its place already.
    pub(crate) async fn refuse(&self, bearer: &Bearer) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|t| t.bearer == *bearer) {
            *current = None;
        }
    }

    async fn fetch(&self, transport: &Transport) -> Result<Token, ConnectError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.secret.reveal()),
            ("scope", &self.scope),
        ];
        let asked = Instant::now();
        let answer = transport
            .send(&Request::form(self.url.clone(), &form), None)
            .await
            .map_err(|e| self.unreachable(&e))?;
        let unauthorised = |message: String| ConnectError::Unauthorised {
            system: self.system.clone(),
            message,
        };
        let nonsense = |message: String| ConnectError::Nonsense {
            system: self.system.clone(),
            what: "a request for a token".to_owned(),
            message,
        };
        match answer.status {
            200 => {
                let token: TokenAnswer = serde_json::from_slice(&answer.body).map_err(|e| {
                    nonsense(dwmap_odata::Nonsense::of(&answer.body, e).to_string())
                })?;
                let life = Duration::from_secs(token.expires_in);
                Ok(Token {
                    bearer: bearer(&Zeroizing::new(token.access_token)),
                    renew_at: asked + life.saturating_sub(RENEW_BEFORE.min(life / 10)),
                })
            }
            429 | 500.. => Err(ConnectError::Transient {
                system: self.system.clone(),
                after: answer.retry_after(),
                message: format!("the token endpoint answered {}", answer.status),
            }),
            // The token endpoint answers wrong credentials and unknown tenants with 400 and 401.
            _ => match ErrorBody::parse(&answer.body) {
                Ok(error) => Err(unauthorised(error.reason().to_owned())),
                Err(problem) => Err(nonsense(problem.to_string())),
            },
        }
    }

    fn unreachable(&self, error: &TransportError) -> ConnectError {
        ConnectError::Unreachable {
            system: self.system.clone(),
            url: self.url.clone(),
            message: error.message().to_owned(),
        }
    }
}

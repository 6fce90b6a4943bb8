//! The token endpoint and the check of tokens.
//!
//! Source: *OAuth 2.0 client credentials flow on the Microsoft identity platform*; the error codes of *AADSTS error
//! codes*.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Call, Refusal, Reply};
use crate::store::lock;

/// How long a token is good for, as the identity platform has it.
const LIFETIME: Duration = Duration::from_secs(3_599);

/// The tokens that were given out.
#[derive(Debug)]
pub(crate) struct Tokens {
    secret: String,
    open: bool,
    given: Mutex<HashMap<String, (String, Instant)>>,
}

impl Tokens {
    /// Tokens for this secret; `open` wants none.
    pub(crate) fn new(secret: String, open: bool) -> Self {
        Self {
            secret,
            open,
            given: Mutex::default(),
        }
    }

    /// `POST /TENANT/oauth2/v2.0/token`, a form.
    pub(crate) fn grant(&self, call: &Call) -> Reply {
        let form =
            dwmap_odata::url::parse_query(&String::from_utf8_lossy(&call.body)).unwrap_or_default();
        let field = |name: &str| {
            form.iter()
                .find(|(n, _)| n == name)
                .map_or("", |(_, v)| v.as_str())
        };
        if field("grant_type") != "client_credentials" {
            return refused(
                400,
                "unsupported_grant_type",
                "AADSTS70003: The app requested an unsupported grant type.",
            );
        }
        let client = field("client_id");
        if client.is_empty() {
            return refused(
                400,
                "invalid_request",
                "AADSTS900144: The request body must contain the following parameter: 'client_id'.",
            );
        }
        if field("scope").is_empty() {
            return refused(
                400,
                "invalid_scope",
                "AADSTS90014: The required field 'scope' is missing from the credential.",
            );
        }
        if field("client_secret") != self.secret {
            return refused(
                401,
                "invalid_client",
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
            );
        }
        let token = new_token();
        lock(&self.given).insert(
            token.clone(),
            (client.to_owned(), Instant::now() + LIFETIME),
        );
        let body = serde_json::json!({
            "token_type": "Bearer", "expires_in": LIFETIME.as_secs(), "ext_expires_in": LIFETIME.as_secs(), "access_token": token,
        });
        Reply::json(200, body.to_string())
    }

    /// Who is asking, by the token.
    pub(crate) fn check(&self, call: &Call) -> Result<String, Refusal> {
        let token = call
            .header("authorization")
            .and_then(|v| v.strip_prefix("Bearer "));
        if let Some(token) = token {
            let mut given = lock(&self.given);
            given.retain(|_, (_, until)| *until > Instant::now());
            if let Some((client, _)) = given.get(token) {
                return Ok(client.clone());
            }
        }
        if self.open {
            return Ok("anonymous".to_owned());
        }
        // Source: "Authenticate to Dataverse", "Unauthorized" with the authority in WWW-Authenticate.
        let authority = format!(
            "Bearer authorization_uri={}/sandbox/oauth2/authorize, resource_id={}/",
            call.origin, call.origin
        );
        Err(Refusal::new(
            401,
            "0x80072560",
            "The user is not a member of the organization.",
        )
        .header("WWW-Authenticate", authority))
    }

    /// Lets all tokens expire.
    pub(crate) fn expire(&self) {
        lock(&self.given).clear();
    }
}

fn refused(status: u16, error: &str, description: &str) -> Reply {
    let body = serde_json::json!({ "error": error, "error_description": description, "error_codes": [], "error_uri": "" });
    Reply::json(status, body.to_string())
}

/// Unguessable enough for a server on loopback: the hasher's keys are the process's own random ones.
fn new_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    let part = || RandomState::new().hash_one(Instant::now());
    format!("sandbox.{:016x}{:016x}", part(), part())
}

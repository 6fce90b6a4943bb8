//! Sends alerts: to a webhook, and to a command. What fails is tried again for a while, and then said in the log.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dwmap_config::{Alerts as Settings, Secret};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::desk::Alert;
use crate::exit::Failure;

/// How often each is tried.
const TRIES: u32 = 5;
/// The wait after the first try that fails; each is twice the one before.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// How long a webhook may take to answer, and a command to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where alerts go.
pub(super) struct Delivery {
    webhook: Option<Webhook>,
    /// A program and its arguments; empty for none.
    command: Vec<String>,
}

struct Webhook {
    client: reqwest::Client,
    url: reqwest::Url,
    token: Option<Secret>,
}

impl Delivery {
    /// Resolves where alerts go; `root` is the manifest's folder.
    pub(super) fn new(settings: &Settings, root: &Path) -> Result<Self, Failure> {
        let config = |e: dwmap_config::ConfigError| Failure::Configuration(e.to_string());
        let webhook = match &settings.webhook {
            None => None,
            Some(setting) => {
                let text = setting.resolve(root).map_err(config)?;
                // The address may be a secret of its own, so a message doesn't repeat it.
                let wrong = |what: String| {
                    let place = setting.place();
                    Failure::Configuration(format!("{place}: the alerts' `webhook` {what}"))
                };
                let url = reqwest::Url::parse(&text)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https"))
                    .ok_or_else(|| wrong("is no http or https address".to_owned()))?;
                let token = settings.token.as_ref();
                let token = token.map(|token| token.resolve(root)).transpose();
                Some(Webhook {
                    client: client(&url).map_err(|e| wrong(format!("can't be used: {e}")))?,
                    token: token.map_err(config)?,
                    url,
                })
            }
        };
        Ok(Self {
            webhook,
            command: settings.command.clone(),
        })
    }

    /// Tells an alert to both, at the same time.
    pub(super) async fn deliver(&self, alert: &Alert) {
        let body = match serde_json::to_vec(alert) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "an alert can't be written as JSON");
                return;
            }
        };
        let post = async {
            if let Some(webhook) = &self.webhook {
                persist("the alerts' webhook", || webhook.post(&body)).await;
            }
        };
        let run = async {
            if let Some((program, arguments)) = self.command.split_first() {
                let what = format!("the alerts' command {program}");
                persist(&what, || run(program, arguments, &body)).await;
            }
        };
        futures_util::future::join(post, run).await;
    }
}

fn client(url: &reqwest::Url) -> reqwest::Result<reqwest::Client> {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let loopback = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    let builder = reqwest::Client::builder()
        .user_agent(concat!("dwmap/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    let builder = if loopback {
        builder.no_proxy()
    } else {
        builder
    };
    builder.build()
}

/// Why a try failed, and whether another may succeed.
enum Refused {
    Once(String),
    ForGood(String),
}

async fn persist<F: Future<Output = Result<(), Refused>>>(what: &str, attempt: impl Fn() -> F) {
    let mut wait = WAIT_FIRST;
    for tried in 1..=TRIES {
        match attempt().await {
            Ok(()) => return,
            Err(Refused::Once(why)) if tried < TRIES => {
                tracing::info!("{what}: {why}; trying again");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            Err(Refused::Once(why) | Refused::ForGood(why)) => {
                tracing::warn!("{what} didn't take an alert: {why}");
                return;
            }
        }
    }
}

impl Webhook {
    async fn post(&self, body: &[u8]) -> Result<(), Refused> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .body(body.to_vec());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let answer = request
            .send()
            .await
            .map_err(|e| Refused::Once(e.without_url().to_string()))?;
        let status = answer.status();
        match status.as_u16() {
            200..=299 => Ok(()),
            408 | 429 | 500..=599 => Err(Refused::Once(format!("it answered {status}"))),
            _ => Err(Refused::ForGood(format!("it answered {status}"))),
        }
    }
}

/// Runs a program without a shell, with the alert on its standard input.
async fn run(program: &str, arguments: &[String], body: &[u8]) -> Result<(), Refused> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| Refused::ForGood(format!("it can't be started: {e}")))?;
    let input = child.stdin.take();
    let work = async {
        if let Some(mut input) = input {
            // A program that doesn't read its input may still do its work.
            let _ = input.write_all(body).await;
            let _ = input.shutdown().await;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(PATIENCE, work).await;
    let output = output
        .map_err(|_| Refused::Once("it didn't end in time".to_owned()))?
        .map_err(|e| Refused::Once(e.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or_default();
    Err(Refused::Once(format!(
        "it ended with {}: {said}",
        output.status
    )))
}

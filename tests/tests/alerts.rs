//! Alerts from the command line to a real listener and a real command.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use dwmap_tests::{Project, Sandbox, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Both lines of a name; a symbol holds ten characters.
const MAP: &str = "use std.fno
use std.dataverse as dv

map currencies: fno.Currencies <-> dv.transactioncurrencies {
  key CurrencyCode <-> isocurrencycode

  Name   <-> currencyname
  Name    -> currencysymbol
  1       -> exchangerate  on create

  initial prefer fno
}
";
const EURO: &str = "Currencies(CurrencyCode='EUR')";
const DOLLAR: &str = "Currencies(CurrencyCode='USD')";
const LONG: &str = "A name of more than ten characters";

/// A webhook that takes what it is sent, but for the first of it.
struct Webhook {
    url: String,
    heard: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Webhook {
    /// Answers 503 to so many requests first.
    async fn start(mut busy: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/alerts", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&heard);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (head, body) = request(&mut stream).await;
                let status = if !head.starts_with("POST /alerts ") {
                    "404 Not Found"
                } else if busy > 0 {
                    busy -= 1;
                    "503 Service Unavailable"
                } else {
                    let alert = serde_json::from_slice(&body).expect("an alert is JSON");
                    into.lock().unwrap().push((head.to_lowercase(), alert));
                    "204 No Content"
                };
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, heard }
    }

    fn alerts(&self) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|(_, alert)| alert.clone()).collect()
    }

    /// Waits for an alert of this kind.
    async fn wait(&self, kind: &str) -> Value {
        eventually(&format!("an alert {kind}"), || async {
            self.alerts()
                .into_iter()
                .find(|alert| alert["kind"] == kind)
        })
        .await
    }
}

/// The head and the body of a request.
async fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..n]);
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            assert!(n > 0, "a request ends early");
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.trim().parse().unwrap());
        if bytes.len() >= end + 4 + length {
            return (head, bytes[end + 4..end + 4 + length].to_vec());
        }
    }
}

/// A project of that map, with these policies and alerts.
fn project(sandbox: &Sandbox, policy: &str, alerts: &str) -> Project {
    let project = Project::new(sandbox, ["", ""]);
    let manifest = project.path().join("dwmap.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let text = text.replace("\"std.*\"", "\"maps.dwmap\"");
    std::fs::write(&manifest, format!("{text}{policy}\n[alerts]\n{alerts}\n")).unwrap();
    project.write("maps.dwmap", MAP);
    project
}

fn webhook(to: &Webhook) -> String {
    format!("webhook = \"{}\"\ngather = \"100ms\"", to.url)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_refused_for_one_cause_are_one_alert_for_webhook_and_command() {
    let sandbox = Sandbox::start(3);
    let hook = Webhook::start(2).await;
    let alerts = format!(
        "webhook = \"{}\"\ntoken = \"file:token\"\ncommand = [\"sh\", \"-c\", \"cat > $0\", \"told.json\"]",
        hook.url
    );
    let project = project(&sandbox, "", &alerts);
    project.write("token", "not-for-the-manifest\n");
    let ended = project.run(&["sync", "--once"]);
    assert_eq!(ended.status.code(), Some(0));

    let heard = hook.heard.lock().unwrap().clone();
    let [(head, alert)] = &heard[..] else {
        panic!("one cause, one alert: {heard:#?}");
    };
    assert!(
        head.contains("authorization: bearer not-for-the-manifest"),
        "{head}"
    );
    assert_eq!(alert["kind"], "errors");
    assert_eq!(alert["count"], 2);
    assert_eq!(alert["records"], json!(["CHF", "GBP"]));
    assert_eq!(alert["code"], "R0101");
    assert_eq!(alert["place"], "maps.dwmap:8:3");
    let told = std::fs::read_to_string(project.path().join("told.json")).unwrap();
    assert_eq!(&serde_json::from_str::<Value>(&told).unwrap(), alert);
    let printed = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!printed.contains("not-for-the-manifest"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_told_and_its_end_too() {
    let sandbox = Sandbox::start(3);
    let hook = Webhook::start(0).await;
    let project = project(&sandbox, "drift_every = \"200ms\"", &webhook(&hook));
    let mut running = project.start(&["run", "--json"]);
    running.line().expect("it runs");
    let gone =
        json!([{"entity": "transactioncurrencies", "field": "currencysymbol", "gone": true}]);
    sandbox.dataverse().alter(gone).await;
    let alert = hook.wait("drifted").await;
    assert_eq!(
        (&alert["map"], &alert["code"], &alert["project"]),
        (&json!("currencies"), &json!("R0502"), &json!("contoso"))
    );
    assert!(
        alert["message"]
            .as_str()
            .unwrap()
            .contains("maps.dwmap:8:3")
    );
    sandbox.dataverse().alter(json!([])).await;
    hook.wait("mended").await;
    let gone = json!([{"entity": "transactioncurrencies", "gone": true}]);
    sandbox.dataverse().alter(gone).await;
    hook.wait("failed").await;
    assert_eq!(running.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_the_brake_holds_is_told_of() {
    let sandbox = Sandbox::start(3);
    let hook = Webhook::start(0).await;
    let project = project(&sandbox, "change_max = 0", &webhook(&hook));
    sandbox
        .finops()
        .change(EURO, json!({"Name": "Teuro"}))
        .await;
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));
    let alert = hook.wait("held").await;
    let message = alert["message"].as_str().unwrap();
    assert!(message.contains("`dwmap approve currencies`"), "{message}");
    // It is told once, and not by each run anew.
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));
    let held = hook.alerts().into_iter().filter(|a| a["kind"] == "held");
    assert_eq!(held.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_refused_records_pause_their_map() {
    let sandbox = Sandbox::start(3);
    let hook = Webhook::start(0).await;
    let project = project(&sandbox, "error_max = 1", &webhook(&hook));
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));
    for currency in [EURO, DOLLAR] {
        sandbox
            .finops()
            .change(currency, json!({"Name": LONG}))
            .await;
    }
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));
    let alert = hook.wait("paused").await;
    assert!(alert["message"].as_str().unwrap().contains("dwmap resume"));
    let (_, status) = project.json(&["status", "--json"]);
    assert_eq!(status["maps"][0]["mode"], "paused", "{status:#}");

    let resumed = project.run(&["resume", "currencies"]);
    assert_eq!(resumed.status.code(), Some(0));
    let (_, status) = project.json(&["status", "--json"]);
    assert_eq!(status["maps"][0]["mode"], "running", "{status:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_out_of_reach_for_long_is_told_of() {
    let mut sandbox = Sandbox::start(3);
    let hook = Webhook::start(0).await;
    let alerts = format!("{}\nunreachable = \"1s\"", webhook(&hook));
    let project = project(&sandbox, "", &alerts);
    assert_eq!(project.run(&["sync", "--once"]).status.code(), Some(0));
    let mut running = project.start(&["run", "--json"]);
    sandbox.process().kill();
    let alert = hook.wait("unreachable").await;
    assert!(
        ["fno", "dv"].iter().any(|name| alert["system"] == *name),
        "{alert}"
    );
    assert!(running.is_running());
    assert_eq!(running.terminate(), Some(0));
}

/// Whoever doesn't answer holds up nothing: the records go, and so does the next run.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_down_and_a_command_that_fails_hold_up_nothing() {
    let sandbox = Sandbox::start(3);
    let alerts = "webhook = \"http://127.0.0.1:1/\"\ncommand = [\"false\"]";
    let project = project(&sandbox, "", alerts);
    sandbox
        .finops()
        .change(EURO, json!({"Name": "Teuro"}))
        .await;
    let ended = project.run(&["sync", "--once"]);
    assert_eq!(ended.status.code(), Some(0));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    for what in [
        "the alerts' webhook didn't take an alert",
        "the alerts' command false didn't take",
    ] {
        assert!(said.contains(what), "{said}");
    }
    let rows = sandbox
        .dataverse()
        .find("transactioncurrencies", "isocurrencycode eq 'EUR'")
        .await;
    assert_eq!(rows[0]["currencyname"], "Teuro");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_by_an_error_says_so() {
    let sandbox = Sandbox::start(3);
    let hook = Webhook::start(0).await;
    let project = project(&sandbox, "", &webhook(&hook));
    let manifest = project.path().join("dwmap.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    // Another service answers there: no waiting helps.
    let text = text.replace(sandbox.finops_url(), &hook.url);
    std::fs::write(&manifest, text).unwrap();
    let mut running = project.start(&["run"]);
    let alert = hook.wait("ended").await;
    assert!(
        alert["message"].as_str().unwrap().contains("fno"),
        "{alert}"
    );
    // Its output ends with it.
    while running.line().is_some() {}
}

//! Transcripts: requests and answers written down from public documentation, played against the sandbox.
//!
//! A file holds comments (`#`, the source first), requests (`>` lines: method and URL, headers, a body behind an empty
//! line) and their answers (`<` lines, alike, led by the status). `{x}` in an answer takes the value found there, and
//! stands for it in later requests. Of an answer, what is written must be there; more may be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper's failure is the test's"
)]

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{Answer, Bench, send};
use serde_json::Value as Json;

struct Message {
    first: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn message(lines: &[&str]) -> Message {
    let mut lines = lines
        .iter()
        .map(|l| l[1..].strip_prefix(' ').unwrap_or(&l[1..]));
    let first = lines.next().unwrap().to_owned();
    let mut headers = Vec::new();
    let mut body = String::new();
    let mut in_body = false;
    for line in lines {
        match line.split_once(": ") {
            _ if in_body => body.push_str(line),
            _ if line.is_empty() => in_body = true,
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => panic!("`{line}` is no header"),
        }
    }
    Message {
        first,
        headers,
        body,
    }
}

type Names = HashMap<String, String>;

fn filled(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// Compares a text in which `{x}` takes what stands there.
fn agree(wanted: &str, got: &str, names: &mut Names, place: &str) {
    let wanted = filled(wanted, names);
    let Some((before, rest)) = wanted.split_once('{') else {
        return assert_eq!(got, wanted, "{place}");
    };
    let Some((name, after)) = rest.split_once('}') else {
        return assert_eq!(got, wanted, "{place}");
    };
    let taken = got.strip_prefix(before).and_then(|g| g.strip_suffix(after));
    let taken = taken.unwrap_or_else(|| panic!("{place}: `{got}` is not like `{wanted}`"));
    names.insert(name.to_owned(), taken.to_owned());
}

fn agree_json(wanted: &Json, got: &Json, names: &mut Names, place: &str) {
    match (wanted, got) {
        (Json::Object(wanted), Json::Object(_)) => {
            for (name, value) in wanted {
                agree_json(value, &got[name], names, &format!("{place}.{name}"));
            }
        }
        (Json::Array(wanted), Json::Array(found)) => {
            assert_eq!(found.len(), wanted.len(), "{place}: {got}");
            for (n, (wanted, got)) in wanted.iter().zip(found).enumerate() {
                agree_json(wanted, got, names, &format!("{place}[{n}]"));
            }
        }
        (Json::String(wanted), Json::String(got)) => agree(wanted, got, names, place),
        _ => assert_eq!(got, wanted, "{place}"),
    }
}

async fn ask(bench: &Bench, request: &Message, names: &Names) -> Answer {
    let (method, url) = request.first.split_once(' ').unwrap();
    let mut builder = bench
        .client
        .request(method.parse().unwrap(), filled(url, names));
    for (name, value) in &request.headers {
        builder = builder.header(name, filled(value, names));
    }
    if !request.body.is_empty() {
        builder = builder.body(filled(&request.body, names));
    }
    send(builder).await
}

async fn play(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    assert!(
        text.starts_with("# Source: "),
        "{name} names its source first"
    );
    let bench = Bench::open().await;
    let mut names = Names::from([
        (
            "dataverse".to_owned(),
            format!("http://{}", bench.sandbox.dataverse()),
        ),
        (
            "finops".to_owned(),
            format!("http://{}", bench.sandbox.finops()),
        ),
    ]);
    let lines: Vec<&str> = text.lines().filter(|l| l.starts_with(['<', '>'])).collect();
    for (at, exchange) in lines
        .chunk_by(|a, b| !(a.starts_with('<') && b.starts_with('>')))
        .enumerate()
    {
        let split = exchange.iter().position(|l| l.starts_with('<')).unwrap();
        let (request, wanted) = (message(&exchange[..split]), message(&exchange[split..]));
        let place = format!("{name}, exchange {}: {}", at + 1, request.first);
        let answer = ask(&bench, &request, &names).await;
        assert_eq!(
            answer.status.to_string(),
            wanted.first,
            "{place}: {}",
            answer.text
        );
        for (header, value) in &wanted.headers {
            agree(
                value,
                answer.header(header),
                &mut names,
                &format!("{place}: {header}"),
            );
        }
        if !wanted.body.is_empty() {
            let body: Json =
                serde_json::from_str(&wanted.body).unwrap_or_else(|e| panic!("{place}: {e}"));
            agree_json(&body, &answer.json(), &mut names, &place);
        }
    }
}

#[tokio::test]
async fn the_sandbox_answers_as_the_documentation_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        play(&file).await;
    }
}

//! How many changes a second go across while both sides are edited as fast as they take it.

use std::time::Instant;

use dwmap_tests::{Project, Running, Sandbox};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{cpu_seconds, runtime};

/// Edits under way at once, on each side.
const AT_ONCE: usize = 8;

/// A pair of records: company and number in the ERP, and the account's id in the CRM.
type Pair = (String, String, String);

/// Edits so many records on each side, first with nobody watching, then under `run`.
pub(crate) fn live_throughput(edits: usize) {
    let mut sandbox = Sandbox::start(edits + edits / 2);
    let hooks = "hooks = { listen = \"127.0.0.1:0\" }";
    let project = Project::new(&sandbox, [hooks, hooks]);
    let synced = project.run(&["sync", "--once"]);
    assert!(synced.status.success(), "{synced:?}");
    let pairs = runtime().block_on(pairs(&sandbox, edits));

    let (began, before) = (Instant::now(), cpu_seconds(sandbox.process().id()));
    runtime().block_on(edit(&sandbox, &pairs, "alone"));
    let alone = began.elapsed().as_secs_f64();
    let alone_cpu = cpu_seconds(sandbox.process().id()) - before;
    let synced = project.run(&["sync", "--once"]);
    assert!(synced.status.success(), "{synced:?}");

    let mut run = project.start(&["run", "--json"]);
    wait_for_echo(&sandbox, &mut run, &pairs[0]);
    let sync_before = cpu_seconds(run.id());
    let (began, before) = (Instant::now(), cpu_seconds(sandbox.process().id()));
    runtime().block_on(edit(&sandbox, &pairs, "watched"));
    let edited = began.elapsed().as_secs_f64();
    let mut arrived = 0;
    while arrived < 2 * edits {
        arrived += usize::from(is_update(&run.line().expect("it runs")));
    }
    let seconds = began.elapsed().as_secs_f64();
    let sync_cpu = cpu_seconds(run.id()) - sync_before;
    let sandbox_cpu = cpu_seconds(sandbox.process().id()) - before;
    assert_eq!(run.terminate(), Some(0));
    let (_, verified) = project.json(&["verify", "--json"]);

    println!(
        "| edits | made in s | arrived in s | arrived/s | sync CPU s | arrived per CPU s of sync | sandbox CPU s | of it for the edits alone | differences |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    println!(
        "| {0} + {0} | {edited:.1} (alone {alone:.1}) | {seconds:.1} | {1:.0} | {sync_cpu:.1} | {2:.0} | {sandbox_cpu:.1} | {alone_cpu:.1} | {3} |",
        edits,
        2.0 * edits as f64 / seconds,
        2.0 * edits as f64 / sync_cpu,
        verified["differences"]
    );
}

/// Pairs that are told apart by their number alone.
async fn pairs(sandbox: &Sandbox, n: usize) -> Vec<Pair> {
    let mut accounts = std::collections::BTreeMap::<String, Vec<String>>::new();
    let columns = "accountid,accountnumber";
    for row in sandbox.dataverse().rows("accounts", columns).await {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let of_number = accounts.entry(text("accountnumber")).or_default();
        of_number.push(text("accountid"));
    }
    let keys = sandbox.finops().customer_keys().await.into_iter();
    let pairs = keys.filter_map(
        |(company, number)| match accounts.get(&number)?.as_slice() {
            [id] => Some((company, number, id.clone())),
            _ => None,
        },
    );
    let pairs: Vec<Pair> = pairs.take(n).collect();
    assert_eq!(pairs.len(), n, "too few pairs");
    pairs
}

/// Edits each record of both sides once, several at a time.
async fn edit(sandbox: &Sandbox, pairs: &[Pair], what: &str) {
    let mut under_way = JoinSet::new();
    for (n, (company, number, id)) in pairs.iter().cloned().enumerate() {
        let (finops, dataverse) = (sandbox.finops(), sandbox.dataverse());
        let (limit, city) = (what.len() * 10_000 + n, format!("{what} {n}"));
        under_way.spawn(async move {
            let fields = json!({ "CreditLimit": limit });
            finops.change_customer(&company, &number, fields).await;
        });
        under_way.spawn(async move {
            dataverse
                .change_account(&id, json!({ "address1_city": city }))
                .await;
        });
        while under_way.len() >= 2 * AT_ONCE {
            under_way.join_next().await.expect("one").expect("an edit");
        }
    }
    while let Some(done) = under_way.join_next().await {
        done.expect("an edit");
    }
}

/// Waits until it works: an edit of one record has gone across.
fn wait_for_echo(sandbox: &Sandbox, run: &mut Running, (company, number, _): &Pair) {
    let fields = json!({ "CreditLimit": 1 });
    runtime().block_on(sandbox.finops().change_customer(company, number, fields));
    while !is_update(&run.line().expect("it runs")) {}
}

fn is_update(line: &str) -> bool {
    let event: Value = serde_json::from_str(line).expect("a line of JSON");
    event["event"] == "activity" && event["kind"] == "updated"
}

//! Measures the whole product: `tests/bench` runs this with an optimised build.
//!
//! Every figure comes from the real binary, both sandbox servers in a process of their own, and plain HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod throughput;

use std::time::{Duration, Instant};

use dwmap_tests::{Kills, Project, Sandbox, eventually};
use serde_json::{Value, json};

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let number = |text: Option<String>, otherwise: usize| {
        text.map_or(otherwise, |n| n.parse().expect("a number"))
    };
    match what.as_str() {
        "load" => load(number(args.next(), 100_000)),
        "live" => live(number(args.next(), 100)),
        "live-throughput" => throughput::live_throughput(number(args.next(), 2_000)),
        "kill" => kill(number(args.next(), 50), number(args.next(), 1)),
        _ => {
            eprintln!(
                "usage: bench load [CUSTOMERS] | live [CHANGES] | live-throughput [EDITS] | kill [TIMES [SEED]]"
            );
            std::process::exit(2);
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// CPU seconds that a process has used.
fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("the process is there");
    let after_name = stat.rsplit_once(')').expect("a name in parentheses").1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number of ticks");
    // utime and stime, in ticks of 1/100 s on Linux.
    (ticks(11) + ticks(12)) / 100.0
}

/// `sync --once` of this many customers, its memory, its rate, and the sandbox's share of it; then `verify`.
fn load(customers: usize) {
    let small = (customers / 10).max(1);
    println!(
        "| customers | seconds | rows/s | sync CPU s | sandbox CPU s | sandbox's share | peak MB | differences |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut peaks = Vec::new();
    for customers in [small, customers] {
        let mut sandbox = Sandbox::start(customers);
        let project = Project::new(&sandbox, ["", ""]);
        let sandbox_before = cpu_seconds(sandbox.process().id());
        let started = Instant::now();
        let mut sync = project.start(&["sync", "--once", "--json"]);
        let (mut peak, mut cpu) = (0, 0.0);
        while sync.is_running() {
            peak = peak.max(sync.peak_memory().unwrap_or(0));
            cpu = cpu_seconds(sync.id());
            std::thread::sleep(Duration::from_millis(50));
        }
        let seconds = started.elapsed().as_secs_f64();
        let sandbox_cpu = cpu_seconds(sandbox.process().id()) - sandbox_before;
        let mut text = String::new();
        while let Some(line) = sync.line() {
            text.push_str(&line);
        }
        let report: Value = serde_json::from_str(&text).expect("a report");
        let maps = report["maps"].as_object().expect("maps");
        let read = |map: &Value| {
            map["read"]
                .as_array()
                .expect("two sides")
                .iter()
                .filter_map(Value::as_u64)
                .sum::<u64>()
        };
        let rows: u64 = maps.values().map(read).sum();
        let (_, verified) = project.json(&["verify", "--json"]);
        println!(
            "| {customers} | {seconds:.1} | {:.0} | {cpu:.1} | {sandbox_cpu:.1} | {:.0} % | {:.0} | {} |",
            rows as f64 / seconds,
            100.0 * sandbox_cpu / (sandbox_cpu + cpu),
            peak as f64 / 1e6,
            verified["differences"]
        );
        peaks.push(peak as f64);
    }
    println!("\npeak memory, large to small: {:.2}", peaks[1] / peaks[0]);
}

/// `kill -9` at random moments of a load with live changes on both sides: so often of the process that syncs, a third as
/// often of the servers, and half of that again servers that stop answering.
fn kill(times: usize, seed: usize) {
    let times = u32::try_from(times).expect("a number of times");
    let kills = Kills {
        customers: 3_000,
        of_sync: times,
        of_sandbox: times / 3,
        of_stalls: times / 6,
        seed: seed as u64,
    };
    let survived = runtime().block_on(kills.run());
    println!("{kills:#?}\n{survived:#?}");
}

/// How long a change takes from its commit on one side to being seen on the other, with hooks and without.
fn live(changes: usize) {
    let hooks = "hooks = { listen = \"127.0.0.1:0\" }";
    println!("| way | hooks | n | p50 ms | p90 ms | p99 ms | max ms |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (name, more) in [("on", [hooks, hooks]), ("off", ["", ""])] {
        let sandbox = Sandbox::start(200);
        let project = Project::new(&sandbox, more);
        let output = project.run(&["sync", "--once"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut run = project.start(&["run", "--json"]);
        let changes = if name == "on" {
            changes
        } else {
            changes.min(30)
        };
        let (to_crm, to_erp) = runtime().block_on(async {
            let both = sandbox.finops().customer_keys().await;
            let mut keys = Vec::new();
            for (company, account) in both {
                if let [one] = sandbox.dataverse().accounts(&account).await.as_slice() {
                    keys.push((
                        company,
                        account,
                        one["accountid"].as_str().unwrap().to_owned(),
                    ));
                }
            }
            let mut to_crm = Vec::new();
            let mut to_erp = Vec::new();
            for n in 0..changes {
                let (company, account, id) = &keys[n % keys.len()];
                to_crm.push(to_dataverse(&sandbox, company, account, n).await);
                to_erp.push(to_finops(&sandbox, company, account, id, n).await);
            }
            (to_crm, to_erp)
        });
        print_distribution("ERP to CRM", name, to_crm);
        print_distribution("CRM to ERP", name, to_erp);
        assert_eq!(run.terminate(), Some(0));
    }
}

async fn to_dataverse(sandbox: &Sandbox, company: &str, account: &str, n: usize) -> Duration {
    let (finops, dataverse) = (sandbox.finops(), sandbox.dataverse());
    let limit = 10_000 + n;
    finops
        .change_customer(company, account, json!({ "CreditLimit": limit }))
        .await;
    let committed = Instant::now();
    eventually("a credit limit in the CRM", || async {
        let accounts = dataverse.accounts(account).await;
        accounts
            .iter()
            .any(|a| a["creditlimit"].as_f64() == Some(limit as f64))
            .then_some(())
    })
    .await;
    committed.elapsed()
}

async fn to_finops(
    sandbox: &Sandbox,
    company: &str,
    account: &str,
    id: &str,
    n: usize,
) -> Duration {
    let (finops, dataverse) = (sandbox.finops(), sandbox.dataverse());
    let city = format!("City {n}");
    dataverse
        .change_account(id, json!({ "address1_city": city }))
        .await;
    let committed = Instant::now();
    eventually("a city in the ERP", || async {
        let customer = finops.customer(company, account).await?;
        (customer["DeliveryAddressCity"] == city.as_str()).then_some(())
    })
    .await;
    committed.elapsed()
}

fn print_distribution(way: &str, hooks: &str, mut times: Vec<Duration>) {
    times.sort();
    let at =
        |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!(
        "| {way} | {hooks} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

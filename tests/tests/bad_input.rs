//! Bad input that no archive in `corpus/cli` can hold: servers that talk nonsense, disks that are full, ports in use.
//! Each gets a message that names the place and the next step, and the documented exit code; nothing is lost.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};

use dwmap_tests::{Project, Sandbox, dwmap};

/// What a command must end with, and what it must say on standard error.
#[track_caller]
fn ends(output: &Output, code: i32, says: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for words in says {
        assert!(told.contains(words), "no `{words}` in:\n{told}");
    }
}

/// After whatever went wrong, a right run brings all over.
#[track_caller]
fn heals(project: &Project) {
    ends(&project.run(&["sync", "--once"]), 0, &[]);
    let (code, verified) = project.json(&["verify", "--json"]);
    assert_eq!(code, Some(0), "{verified:#}");
    assert_eq!(verified["differences"], 0);
}

/// Puts one text of the manifest in place of another.
fn edit(project: &Project, from: &str, to: &str) {
    let manifest = std::fs::read_to_string(project.path().join("dwmap.toml"));
    let manifest = manifest.expect("the manifest reads");
    assert!(manifest.contains(from), "no `{from}` in {manifest}");
    project.write("dwmap.toml", &manifest.replace(from, to));
}

/// A project whose systems are at an address where this server is.
fn at(url: &str) -> Project {
    let manifest = format!(
        "[project]\nname = \"contoso\"\nmaps = [\"std.currencies\"]\n\n\
         [systems.fno]\nkind = \"finops\"\nschema = \"std.fno\"\nurl = \"{url}\"\nauth = {{ kind = \"none\" }}\n\
         changes = {{ via = \"dv\" }}\n\n\
         [systems.dv]\nkind = \"dataverse\"\nschema = \"std.dataverse\"\nurl = \"{url}\"\nauth = {{ kind = \"none\" }}\n\n\
         [state]\nurl = \"sqlite:.dwmap/state.db\"\n"
    );
    Project::of(&[("dwmap.toml", &manifest)])
}

const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn a_server_that_answers_html_ends_with_3() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let page = "<html><body>Welcome to the hotel's network</body></html>";
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close",
                page.len()
            );
            let _ = write!(stream, "{head}\r\n\r\n{page}");
        }
    });
    let project = at(&url);
    ends(
        &project.run(&["sync", "--once"]),
        3,
        &["isn't its protocol", "Check the `url` of [systems.dv]"],
    );
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let sandbox = Sandbox::start(150);
    let project = Project::new(&sandbox, ["", ""]);
    ends(&project.run(&["build"]), 0, &[]);
    // No file may grow beyond so many blocks: what a full disk does to the state, without one.
    let limited = |blocks: u32| {
        let script =
            "trap '' XFSZ; ulimit -f \"$1\"; exec \"$2\" sync --once --plan target/contoso.dwplan";
        let mut command = Command::new("bash");
        command
            .args(["-c", script, "limited", &blocks.to_string()])
            .arg(dwmap());
        command
            .current_dir(project.path())
            .output()
            .expect("bash runs")
    };
    for blocks in [16, 160, 260] {
        ends(&limited(blocks), 2, &["error: ", "state"]);
    }
    heals(&project);
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let project = at(NOWHERE);
    let output = project.run(&["sandbox", "--data", "data", "--finops-port", &port]);
    ends(&output, 2, &[&port, "in use"]);

    edit(
        &project,
        "kind = \"dataverse\"",
        &format!("kind = \"dataverse\"\nhooks = {{ listen = \"127.0.0.1:{port}\" }}"),
    );
    ends(&project.run(&["run"]), 2, &[&port, "in use"]);
}

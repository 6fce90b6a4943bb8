//! Bad input of every kind: a message that names the place and the next step, the documented exit code, nothing lost.
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
fn a_wrong_map_is_shown_at_its_line_and_nothing_runs() {
    let project = Project::of(&[]);
    ends(&project.run(&["new", "."]), 0, &[]);
    let map = std::fs::read_to_string(project.path().join("maps/currencies.dwmap"));
    let map = map
        .expect("the map reads")
        .replace("CurrencyCode <->", "CurencyCode <->");
    project.write("maps/currencies.dwmap", &map);
    let says = ["maps/currencies.dwmap:6:", "CurencyCode", "CurrencyCode"];
    ends(&project.run(&["check"]), 1, &says);
    ends(&project.run(&["build"]), 1, &says);
    assert!(!project.path().join("target").exists(), "nothing was built");
    ends(
        &project.run(&["sync", "--once", "--env", "sandbox"]),
        1,
        &says,
    );
    ends(
        &project.run(&["check", "maps/none.dwmap"]),
        2,
        &["maps/none.dwmap"],
    );
    std::fs::write(
        project.path().join("maps/currencies.dwmap"),
        b"use std.fno\n\xff",
    )
    .expect("it writes");
    ends(
        &project.run(&["check"]),
        2,
        &["maps/currencies.dwmap:2", "save the file as UTF-8"],
    );
}

#[test]
fn a_wrong_manifest_is_told_with_its_line() {
    for (from, to, says) in [
        (
            "name =",
            "nome =",
            ["dwmap.toml:2:1", "did you mean `name`?"],
        ),
        (
            "\"finops\"",
            "\"finop\"",
            ["dwmap.toml:6:", "did you mean `finops`?"],
        ),
        (
            "via = \"dv\"",
            "via = \"dw\"",
            ["dwmap.toml:10:", "did you mean `dv`?"],
        ),
        ("[state]", "[state", ["dwmap.toml:18:", "TOML"]),
        (
            "std.currencies",
            "std.curencies",
            ["dwmap.toml:3:", "std.currencies"],
        ),
        ("sqlite:", "sqlit:", ["dwmap.toml:19:", "sqlite:"]),
    ] {
        let project = at(NOWHERE);
        edit(&project, from, to);
        ends(&project.run(&["sync", "--once"]), 2, &says);
    }
    ends(
        &Project::of(&[]).run(&["sync", "--once"]),
        2,
        &["no dwmap.toml", "dwmap new"],
    );
}

#[test]
fn a_system_that_nobody_serves_ends_with_3() {
    let project = at(NOWHERE);
    ends(
        &project.run(&["sync", "--once"]),
        3,
        &["dv can't be reached at http://127.0.0.1:1/", "[systems.dv]"],
    );
}

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
fn refused_credentials_end_with_3_and_never_show_the_secret() {
    let sandbox = Sandbox::with(5, &[]);
    let project = Project::new(&sandbox, ["", ""]);
    ends(
        &project.run(&["sync", "--once"]),
        3,
        &["refused the credentials", "Check the `auth` of [systems."],
    );

    let auth = |secret: &str| {
        format!(
            "{{ kind = \"client-credentials\", tenant = \"contoso\", client_id = \"dwmap\", \
             secret = \"file:{secret}\", authority = \"{}\" }}",
            sandbox.dataverse_url()
        )
    };
    project.write("wrong", "not-this-one");
    project.write("right", "sandbox-secret");
    edit(&project, "{ kind = \"none\" }", &auth("wrong"));
    let refused = project.run(&["sync", "--once"]);
    ends(&refused, 3, &["refused the credentials", "AADSTS7000215"]);
    assert!(
        !String::from_utf8_lossy(&refused.stderr).contains("not-this-one"),
        "{refused:?}"
    );
    edit(&project, &auth("wrong"), &auth("absent"));
    ends(
        &project.run(&["sync", "--once"]),
        2,
        &["dwmap.toml:", "absent"],
    );
    edit(&project, &auth("absent"), &auth("right"));
    heals(&project);
}

#[test]
fn a_plan_that_is_cut_altered_newer_or_none_is_refused() {
    let project = at(NOWHERE);
    ends(&project.run(&["build", "-o", "right.dwplan"]), 0, &[]);
    let right = std::fs::read(project.path().join("right.dwplan")).expect("the plan reads");
    let mut altered = right.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    // The format's major version stands behind `DWMPLAN` and a line break.
    let mut newer = right.clone();
    newer[8] = 99;
    for (bytes, says) in [
        (&right[..right.len() / 2], "it was cut or added to"),
        (&altered[..], "build or copy it again"),
        (&newer[..], "upgrade dwmap"),
        (b"not a plan", "dwmap build"),
        (b"", "dwmap build"),
    ] {
        std::fs::write(project.path().join("wrong.dwplan"), bytes).expect("it writes");
        let output = project.run(&["sync", "--once", "--plan", "wrong.dwplan"]);
        ends(&output, 2, &["wrong.dwplan: ", says]);
    }
    ends(
        &project.run(&["run", "--plan", "none.dwplan"]),
        2,
        &["none.dwplan"],
    );
    assert!(
        !project.path().join(".dwmap/state.db").exists(),
        "no state was begun"
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
fn a_state_that_can_not_be_written_is_told() {
    let sandbox = Sandbox::start(5);
    for (path, says) in [
        // A folder where the file should be, a file where the folder should be, and a disk that takes no files.
        ("taken", "taken"),
        ("file/state.db", "file"),
        ("/proc/dwmap/state.db", "/proc/dwmap"),
        ("garbage.db", "damaged"),
    ] {
        let project = Project::new(&sandbox, ["", ""]);
        project.write("taken/by", "a folder");
        project.write("file", "");
        project.write("garbage.db", &"no database ".repeat(1000));
        edit(
            &project,
            "sqlite:.dwmap/state.db",
            &format!("sqlite:{path}"),
        );
        ends(&project.run(&["sync", "--once"]), 2, &["error: ", says]);
        edit(
            &project,
            &format!("sqlite:{path}"),
            "sqlite:.dwmap/state.db",
        );
        heals(&project);
    }
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

#[test]
fn a_second_process_on_one_state_is_refused() {
    let sandbox = Sandbox::start(5);
    let project = Project::new(&sandbox, ["", ""]);
    let mut first = project.start(&["run", "--json"]);
    first.line().expect("it works");
    ends(
        &project.run(&["sync", "--once"]),
        2,
        &["another process works on the state", "state.db"],
    );
    assert_eq!(first.terminate(), Some(0));
    heals(&project);
}

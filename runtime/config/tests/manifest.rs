//! What a manifest says, as typed settings.

use std::{fs, path::Path, time::Duration};

use dwmap_config::{Auth, ConfigError, Kind, Manifest, MapSource, Overflow, StateLocation};

const WHOLE: &str = r#"
[project]
name = "contoso"
maps = ["maps/*.dwmap", "std.customers"]

[systems.fno]
kind = "finops"
schema = "std.fno"
url = "https://contoso.operations.dynamics.com/"
auth = { kind = "client-credentials", tenant = "contoso.example", client_id = "env:CARGO_PKG_NAME", secret = "file:secrets/fno", authority = "http://127.0.0.1:9002" }
changes = { via = "dv" }
lag_max = "2s"
execution_max = "5m"
poll = "500ms"

[systems.dv]
kind = "dataverse"
schema = "std.dataverse"
url = "file:secrets/url"
auth = { kind = "none" }
hooks = { listen = "127.0.0.1:7341", key = "env:CARGO_PKG_NAME" }

[state]
url = "sqlite:.dwmap/state.db"
keep_log = "90d"
keep_log_size = "200MB"

[policy]
companies = ["USMF", "demf"]
overflow = "truncate"
delete_max = 100
change_max = 0
error_max = 5
drift_every = "1m"

[alerts]
webhook = "env:NO_SUCH_VARIABLE"
command = ["notify", "us"]
every = "1h"

[env.test.systems.dv]
url = "http://127.0.0.1:9001"

[env.test.systems.fno]
auth = { kind = "none" }

[env.test.policy]
companies = ["usmf"]
"#;

fn parse(env: Option<&str>) -> Result<Manifest, ConfigError> {
    Manifest::parse(Path::new("/project/dwmap.toml"), WHOLE, env)
}

#[test]
fn the_example_of_the_documentation() {
    let text = include_str!("../example.toml");
    for env in [None, Some("test")] {
        let manifest = Manifest::parse(Path::new("example.toml"), text, env).unwrap();
        assert_eq!(manifest.systems.len(), 2);
    }
}

#[test]
fn everything_that_is_said() {
    let manifest = parse(None).unwrap();
    assert_eq!(manifest.root, Path::new("/project"));
    assert_eq!(manifest.project.name, "contoso");
    assert!(matches!(&manifest.project.maps[..], [
        MapSource::Files { pattern, .. },
        MapSource::Stock { module, .. },
    ] if pattern == "maps/*.dwmap" && module == "std.customers"));

    let fno = manifest.system("fno").unwrap();
    assert_eq!(fno.kind, Kind::Finops);
    assert_eq!(fno.schema, "std.fno");
    assert_eq!(fno.changes.as_ref().unwrap().via, "dv");
    assert_eq!(fno.lag_max, Duration::from_secs(2));
    assert_eq!(fno.execution_max, Duration::from_secs(300));
    assert_eq!(fno.poll, Duration::from_millis(500));
    assert_eq!(fno.place.line, 6);

    let hooks = manifest.system("dv").unwrap().hooks.as_ref().unwrap();
    assert_eq!(hooks.listen.port(), 7341);

    assert_eq!(manifest.policy.companies, ["usmf", "demf"]);
    assert_eq!(manifest.policy.overflow, Overflow::Truncate);
    assert_eq!(manifest.policy.delete_max, Some(100));
    assert_eq!(manifest.policy.change_max, Some(0));
    assert_eq!(manifest.policy.error_max, Some(5));
    assert_eq!(manifest.policy.drift_every, Some(Duration::from_secs(60)));
    let alerts = manifest.alerts.as_ref().unwrap();
    assert_eq!(alerts.command, ["notify", "us"]);
    assert_eq!(alerts.every, Duration::from_secs(3600));
    assert_eq!(alerts.gather, Duration::from_secs(10), "not said");
    assert_eq!(
        manifest.state.keep_log,
        Some(Duration::from_secs(90 * 86_400))
    );
    assert_eq!(manifest.state.keep_log_size, Some(200_000_000));
}

#[test]
fn what_is_unsaid_has_a_default() {
    let text = r#"
        project = { name = "small", maps = ["std.*"] }
        [systems.dv]
        kind = "dataverse"
        schema = "std.dataverse"
        url = "http://127.0.0.1:1"
        auth = { kind = "none" }
    "#;
    let manifest = Manifest::parse(Path::new("dwmap.toml"), text, None).unwrap();
    assert_eq!(manifest.root, Path::new("."));
    let dv = manifest.system("dv").unwrap();
    assert_eq!(
        (dv.lag_max, dv.execution_max, dv.poll),
        (
            Duration::ZERO,
            Duration::from_secs(120),
            Duration::from_secs(1)
        )
    );
    assert!(dv.hooks.is_none() && dv.changes.is_none());
    assert_eq!(manifest.policy.overflow, Overflow::Reject);
    assert_eq!(manifest.policy.delete_max, None);
    let state = manifest.state.location(&manifest.root).unwrap();
    assert!(matches!(state, StateLocation::Sqlite(path) if path == Path::new("./.dwmap/state.db")));
}

#[test]
fn an_environment_lies_over_the_rest() {
    let test = parse(Some("test")).unwrap();
    let dv = test.system("dv").unwrap();
    assert_eq!(dv.base_url(&test.root).unwrap(), "http://127.0.0.1:9001");
    // The rest of the system is as it was, and a table of another kind has replaced the one below it whole.
    assert!(dv.hooks.is_some());
    assert_eq!(test.system("fno").unwrap().auth, Auth::None);
    assert_eq!(test.policy.companies, ["usmf"]);
    assert_eq!(test.policy.delete_max, Some(100));
}

#[test]
fn references_are_resolved_late() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dwmap.toml");
    fs::write(&path, WHOLE).unwrap();
    let manifest = Manifest::load(&path, None).unwrap();

    // Nothing was there when it was loaded.
    fs::create_dir(folder.path().join("secrets")).unwrap();
    fs::write(folder.path().join("secrets/fno"), "s3cret\r\n").unwrap();
    fs::write(
        folder.path().join("secrets/url"),
        "https://contoso.crm4.dynamics.com/\n",
    )
    .unwrap();

    let Auth::ClientCredentials(credentials) = &manifest.system("fno").unwrap().auth else {
        panic!("signs in")
    };
    assert_eq!(
        credentials.tenant.resolve(&manifest.root).unwrap(),
        "contoso.example"
    );
    assert_eq!(
        credentials.client_id.resolve(&manifest.root).unwrap(),
        "dwmap-config"
    );
    let authority = credentials.authority.as_ref().unwrap();
    assert_eq!(
        authority.resolve(&manifest.root).unwrap(),
        "http://127.0.0.1:9002"
    );
    let secret = credentials.secret.resolve(&manifest.root).unwrap();
    assert_eq!(secret.expose(), "s3cret");
    assert_eq!(
        manifest
            .system("dv")
            .unwrap()
            .base_url(&manifest.root)
            .unwrap(),
        "https://contoso.crm4.dynamics.com"
    );
}

#[test]
fn a_secret_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    fs::write(folder.path().join("secrets/fno"), "s3cret").unwrap();
    let manifest = Manifest::parse(&folder.path().join("dwmap.toml"), WHOLE, None).unwrap();
    let Auth::ClientCredentials(credentials) = &manifest.system("fno").unwrap().auth else {
        panic!("signs in")
    };
    let secret = credentials.secret.resolve(&manifest.root).unwrap();
    assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
    assert!(!format!("{manifest:?}").contains("s3cret"));
}

#[test]
fn map_files_come_in_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("maps")).unwrap();
    for file in ["maps/b.dwmap", "maps/a.dwmap"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    let text = WHOLE.replace("\"maps/*.dwmap\"", "\"maps/b.dwmap\", \"maps/*.dwmap\"");
    let manifest = Manifest::parse(&folder.path().join("dwmap.toml"), &text, None).unwrap();
    let files = manifest.map_files().unwrap();
    let names: Vec<_> = files
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["b.dwmap", "a.dwmap"]);
}

#[test]
fn a_postgres_state_keeps_its_password() {
    let text = WHOLE.replace("sqlite:.dwmap/state.db", "postgres://dwmap:pw@db/state");
    let manifest = Manifest::parse(Path::new("dwmap.toml"), &text, None).unwrap();
    let location = manifest.state.location(&manifest.root).unwrap();
    assert_eq!(format!("{location:?}"), "Postgres(***)");
    assert!(
        matches!(location, StateLocation::Postgres(url) if url.expose() == "postgres://dwmap:pw@db/state")
    );
}

//! Every mistake in a manifest has its place, its reason and a way out. One case a mistake: what is put in place of what
//! in a good manifest, and the message.

use std::{fs, path::Path};

use dwmap_config::{ConfigError, Manifest};

const GOOD: &str = r#"[project]
name = "contoso"
maps = ["maps/*.dwmap"]

[systems.fno]
kind = "finops"
schema = "std.fno"
url = "https://contoso.operations.dynamics.com"
auth = { kind = "client-credentials", tenant = "t", client_id = "c", secret = "env:SECRET" }
changes = { via = "dv" }

[systems.dv]
kind = "dataverse"
schema = "std.dataverse"
url = "https://contoso.crm4.dynamics.com"
auth = { kind = "none" }

[policy]
overflow = "reject"

[env.test.systems.dv]
url = "http://127.0.0.1:9001"
"#;

const CASES: &[(&str, &str, &str)] = &[
    (
        "name = \"contoso\"",
        "name = ",
        "dwmap.toml:2:8: this isn't TOML: string values must be quoted, expected literal string",
    ),
    (
        "name = \"contoso\"",
        "nome = \"contoso\"",
        "dwmap.toml:2:1: unknown key `nome` in [project]; did you mean `name`?",
    ),
    (
        "name = \"contoso\"",
        "name = \"contoso\"\ncolour = 1",
        "dwmap.toml:3:1: unknown key `colour` in [project]; there are `name`, `maps`",
    ),
    (
        "[policy]",
        "[polices]",
        "dwmap.toml:18:2: unknown key `polices` in the manifest; did you mean `policy`?",
    ),
    (
        "tenant = \"t\"",
        "tennant = \"t\"",
        "dwmap.toml:9:39: unknown key `tennant` in [systems.fno.auth]; did you mean `tenant`?",
    ),
    (
        "auth = { kind = \"none\" }",
        "auth = { kind = \"none\", secret = \"env:S\" }",
        "dwmap.toml:16:25: unknown key `secret` in [systems.dv.auth]; there is only `kind`",
    ),
    (
        "[env.test.systems.dv]\nurl",
        "[env.test.systems.dv]\nurll",
        "dwmap.toml:22:1: unknown key `urll` in [systems.dv]; did you mean `url`?",
    ),
    (
        "[env.test.systems.dv]",
        "[env.test.system.dv]",
        "dwmap.toml:21:11: unknown key `system` in [env.test]; did you mean `systems`?",
    ),
    (
        "[env.test.systems.dv]\nurl = \"http://127.0.0.1:9001\"",
        "[env]\ntest = 1",
        "dwmap.toml:22:8: `test` is a number, and must be a table",
    ),
    (
        "schema = \"std.fno\"",
        "",
        "dwmap.toml:5:10: [systems.fno] has no `schema`; add `schema = \"std.fno\"`",
    ),
    (
        "name = \"contoso\"",
        "",
        "dwmap.toml:1:2: [project] has no `name`; add `name = \"contoso\"`",
    ),
    (
        "maps = [\"maps/*.dwmap\"]",
        "maps = []",
        "dwmap.toml:1:2: [project] has no `maps`; add `maps = [\"maps/*.dwmap\", \"std.customers\"]`",
    ),
    (
        "[project]\nname = \"contoso\"\nmaps = [\"maps/*.dwmap\"]",
        "",
        "dwmap.toml:1:1: the manifest has no `project`; add a table `[project]`",
    ),
    (
        "auth = { kind = \"none\" }",
        "",
        "dwmap.toml:12:10: [systems.dv] has no `auth`; add `auth = { kind = \"client-credentials\", tenant = \"env:TENANT\", client_id = \"env:CLIENT_ID\", secret = \"env:CLIENT_SECRET\" }`",
    ),
    (
        "auth = { kind = \"none\" }",
        "auth = { kind = \"none\" }\nhooks = { listen = \"0.0.0.0:80\" }",
        "dwmap.toml:17:1: [systems.dv.hooks] has no `key`; add `key = \"env:HOOK_KEY\"`",
    ),
    (
        "name = \"contoso\"",
        "name = 7",
        "dwmap.toml:2:8: `name` is a number, and must be a text",
    ),
    (
        "maps = [\"maps/*.dwmap\"]",
        "maps = \"maps/*.dwmap\"",
        "dwmap.toml:3:8: `maps` is a text, and must be a list of texts",
    ),
    (
        "overflow = \"reject\"",
        "delete_max = 1.5",
        "dwmap.toml:19:14: `delete_max` is a number with a fraction, and must be a whole number",
    ),
    (
        "overflow = \"reject\"",
        "delete_max = 99999999999999999999",
        "dwmap.toml:19:14: `delete_max` is a number that is far too large, and must be a whole number",
    ),
    (
        "changes = { via = \"dv\" }",
        "poll = 5",
        "dwmap.toml:10:8: `poll` is a number, and must be a length of time in quotes, such as \"30s\"",
    ),
    (
        "auth = { kind = \"none\" }",
        "auth = \"none\"",
        "dwmap.toml:16:8: `auth` is a text, and must be a table",
    ),
    (
        "kind = \"finops\"",
        "kind = \"finop\"",
        "dwmap.toml:6:8: `kind` can't be \"finop\"; did you mean `finops`?",
    ),
    (
        "kind = \"finops\"",
        "kind = \"sap\"",
        "dwmap.toml:6:8: `kind` can't be \"sap\"; there are `dataverse`, `finops`",
    ),
    (
        "kind = \"finops\"",
        "kind = \"postgres\"",
        "dwmap.toml:6:8: systems of kind \"postgres\" aren't supported yet; this version joins dataverse and finops",
    ),
    (
        "overflow = \"reject\"",
        "overflow = \"cut\"",
        "dwmap.toml:19:12: `overflow` can't be \"cut\"; there are `reject`, `truncate`",
    ),
    (
        "via = \"dv\"",
        "via = \"dw\"",
        "dwmap.toml:10:19: `via` can't be \"dw\"; did you mean `dv`?",
    ),
    (
        "via = \"dv\"",
        "via = \"fno\"",
        "dwmap.toml:10:19: changes can't be read through `fno`, which isn't of kind \"dataverse\"; name the linked Dataverse environment",
    ),
    (
        "auth = { kind = \"none\" }",
        "auth = { kind = \"none\" }\nchanges = { via = \"dv\" }",
        "dwmap.toml:17:19: `via` is \"dv\", which is for systems of kind \"finops\": Dataverse tells its changes itself",
    ),
    (
        "name = \"contoso\"",
        "name = \"  \"",
        "dwmap.toml:2:8: `name` is \"  \", which says nothing",
    ),
    (
        "name = \"contoso\"",
        "name = \"a/b\"",
        "dwmap.toml:2:8: `name` is \"a/b\", which can't name a file everywhere; write letters, digits, `-` and `_`",
    ),
    (
        "\"maps/*.dwmap\"",
        "\"../maps/*.dwmap\"",
        "dwmap.toml:3:9: `maps` is \"../maps/*.dwmap\", which doesn't stay in the project; write a path below the manifest's folder, such as \"maps/*.dwmap\"",
    ),
    (
        "overflow = \"reject\"",
        "companies = [\"usmf\", \"USMF\"]",
        "dwmap.toml:19:22: `companies` is \"USMF\", which stands there twice; codes compare without case",
    ),
    (
        "overflow = \"reject\"",
        "companies = [\"\"]",
        "dwmap.toml:19:14: `companies` is \"\", which is no company code, such as \"usmf\"",
    ),
    (
        "overflow = \"reject\"",
        "delete_max = -1",
        "dwmap.toml:19:14: `delete_max` is \"-1\", which is below 0; it counts something",
    ),
    (
        "changes = { via = \"dv\" }",
        "lag_max = \"5 seconds\"",
        "dwmap.toml:10:11: `lag_max` is \"5 seconds\", which is no length of time; write a whole number and a unit: \"500ms\", \"30s\", \"5m\", \"1h\", \"90d\"",
    ),
    (
        "[policy]",
        "[state]\nurl = \"sqlite:s.db\"\nkeep_log_size = \"much\"\n[policy]",
        "dwmap.toml:20:17: `keep_log_size` is \"much\", which is no size; write a whole number and a unit: \"500MB\", \"1GB\", \"1GiB\"",
    ),
    (
        "[policy]",
        "[state]\nurl = \"sqlite:s.db\"\nkeep_log_size = 5\n[policy]",
        "dwmap.toml:20:17: `keep_log_size` is a number, and must be a size in quotes, such as \"500MB\"",
    ),
    (
        "changes = { via = \"dv\" }",
        "poll = \"0s\"",
        "dwmap.toml:10:8: `poll` is \"0s\", which would never rest; write at least \"1ms\"",
    ),
    (
        "auth = { kind = \"none\" }",
        "auth = { kind = \"none\" }\nhooks = { listen = \"7341\" }",
        "dwmap.toml:17:20: `listen` is \"7341\", which is no address to listen at; write an IP address and a port: \"127.0.0.1:7341\"",
    ),
    (
        "secret = \"env:SECRET\"",
        "secret = \"hunter2\"",
        "dwmap.toml:9:79: `secret` holds a secret in plain text; say where it is found instead: \"env:NAME\" or \"file:PATH\"",
    ),
];

fn parse(text: &str, env: Option<&str>) -> Result<Manifest, ConfigError> {
    Manifest::parse(Path::new("dwmap.toml"), text, env)
}

#[test]
fn each_mistake_has_its_message() {
    parse(GOOD, None).unwrap();
    let mut wrong = Vec::new();
    for (good, bad, message) in CASES {
        assert!(GOOD.contains(good), "{good}");
        let text = GOOD.replacen(good, bad, 1);
        match parse(&text, None) {
            Ok(_) => wrong.push(format!("accepted: {bad}")),
            Err(error) if error.to_string() == *message => assert!(error.place().is_some()),
            Err(error) => wrong.push(format!("wanted: {message}\n   got: {error}")),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn columns_count_characters() {
    let error = parse("project = { name = \"é\", \"nämé\" = 2 }", None).unwrap_err();
    assert_eq!(
        error.place().map(|place| (place.line, place.column)),
        Some((1, 25))
    );
}

#[test]
fn a_file_that_is_not_there() {
    let error = Manifest::load(Path::new("nowhere/dwmap.toml"), None).unwrap_err();
    assert!(error.place().is_none());
    let message = error.to_string();
    assert!(
        message.starts_with("nowhere/dwmap.toml: can't be read (")
            && message.ends_with("`dwmap new` makes one"),
        "{message}"
    );
}

#[test]
fn an_environment_that_is_not_there() {
    let message = parse(GOOD, Some("tests")).unwrap_err().to_string();
    assert_eq!(
        message,
        "dwmap.toml: no environment is called \"tests\"; did you mean `test`?"
    );
    let message = parse(GOOD, Some("production")).unwrap_err().to_string();
    assert_eq!(
        message,
        "dwmap.toml: no environment is called \"production\"; there is only `test`"
    );
}

#[test]
fn a_mistake_in_an_environment_shows_where_it_was_written() {
    let text = GOOD.replace(
        "[env.test.systems.dv]",
        "[env.test.policy]\noverflow = \"cut\"\n[env.test.systems.dv]",
    );
    for env in [None, Some("test")] {
        let message = parse(&text, env).unwrap_err().to_string();
        assert_eq!(
            message,
            "dwmap.toml:22:12: `overflow` can't be \"cut\"; there are `reject`, `truncate`"
        );
    }
}

#[test]
fn a_reference_that_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let text = GOOD
        .replace("tenant = \"t\"", "tenant = \"file:no-such-file\"")
        .replace(
            "https://contoso.operations.dynamics.com",
            "env:DWMAP_SURELY_NOT_SET",
        );
    let manifest = parse(&text, None).unwrap();
    let fno = manifest.system("fno").unwrap();
    assert_eq!(
        fno.base_url(folder.path()).unwrap_err().to_string(),
        "dwmap.toml:8:7: `url` refers to the environment variable DWMAP_SURELY_NOT_SET, which isn't set; set it where dwmap runs"
    );
    let dwmap_config::Auth::ClientCredentials(credentials) = &fno.auth else {
        panic!("signs in")
    };
    let message = credentials
        .tenant
        .resolve(folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("dwmap.toml:9:48: `tenant` refers to the file ")
            && message.contains("no-such-file, which can't be read: "),
        "{message}"
    );
}

#[test]
fn an_address_that_is_none() {
    let text = GOOD.replace(
        "https://contoso.crm4.dynamics.com",
        "contoso.crm4.dynamics.com",
    );
    let manifest = parse(&text, None).unwrap();
    assert_eq!(
        manifest
            .system("dv")
            .unwrap()
            .base_url(Path::new("."))
            .unwrap_err()
            .to_string(),
        "dwmap.toml:15:7: `url` is \"contoso.crm4.dynamics.com\", which is no address of a service; write \"https://contoso.crm4.dynamics.com\""
    );
}

#[test]
fn a_store_of_state_that_is_none() {
    let text = GOOD.replace(
        "[policy]",
        "[state]\nurl = \"mysql://root:hunter2@db\"\n[policy]",
    );
    let manifest = parse(&text, None).unwrap();
    let message = manifest
        .state
        .location(Path::new("."))
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "dwmap.toml:19:7: `url` is \"mysql\", which names no store of state; write \"sqlite:PATH\" or \"postgres://…\""
    );
}

#[test]
fn a_pattern_without_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dwmap.toml"), GOOD).unwrap();
    let manifest = Manifest::load(&folder.path().join("dwmap.toml"), None).unwrap();
    let message = manifest.map_files().unwrap_err().to_string();
    assert!(
        message.ends_with("dwmap.toml:3:9: no file matches \"maps/*.dwmap\"; patterns are relative to the folder of the manifest"),
        "{message}"
    );
}

#[test]
fn alerts_that_nobody_gets() {
    for (alerts, expected) in [
        (
            "every = \"1h\"",
            "[alerts] has no `webhook`; add `webhook = \"env:ALERT_URL\"`",
        ),
        ("command = [\"\"]", "names no program"),
        ("webhook = \"http://h\"\ntoken = \"abc\"", "token"),
    ] {
        let text = format!("{GOOD}\n[alerts]\n{alerts}\n");
        let message = parse(&text, None).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

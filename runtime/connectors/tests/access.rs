//! Tokens and limits of the sandbox systems, which are those of the services.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::bed::{Systems, systems_with};
use common::{accounts, create, customers, id};
use dwmap_connect::{ConnectError, Connector, Keys, Outcome, WriteMode};
use dwmap_connectors::{Auth, Dataverse, DataverseConfig, Finops, FinopsConfig, Limits, Secret};
use futures_util::future::join_all;
use reqwest::Method;

const SECRET: &str = "sandbox-secret";

fn auth(systems: &Systems, secret: &str) -> Auth {
    Auth::ClientCredentials {
        authority: systems.dataverse(),
        tenant: "contoso".to_owned(),
        client_id: "dwmap".to_owned(),
        secret: Secret::new(secret),
    }
}

fn dataverse(systems: &Systems, secret: &str) -> Arc<Dataverse> {
    Dataverse::connect(DataverseConfig {
        auth: auth(systems, secret),
        ..DataverseConfig::new("dv", systems.dataverse())
    })
    .unwrap()
}

#[tokio::test]
async fn a_token_is_had_and_renewed() {
    let systems = systems_with(|config| config.secret = SECRET.to_owned()).await;
    let dataverse = dataverse(&systems, SECRET);
    let finops = Finops::connect(FinopsConfig {
        auth: auth(&systems, SECRET),
        ..FinopsConfig::new("fno", systems.finops())
    })
    .unwrap();
    for _ in 0..2 {
        dataverse.scan(&accounts(), None, None).await.unwrap();
        finops.scan(&customers(), None, None).await.unwrap();
        let outcomes = dataverse
            .write(&accounts(), &[create(r#"{"name":"x"}"#)], WriteMode::Live)
            .await;
        assert!(
            matches!(outcomes[0], Outcome::Applied { .. }),
            "{outcomes:?}"
        );
        let expire = format!("{}/sandbox/expire-tokens", systems.dataverse());
        systems.send(Method::POST, expire, None).await;
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_nothing_is_written() {
    let systems = systems_with(|config| config.secret = SECRET.to_owned()).await;
    let dataverse = dataverse(&systems, "another");
    let error = dataverse.scan(&accounts(), None, None).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Unauthorised { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("[systems.dv]"), "{error}");
    let outcomes = dataverse
        .write(&accounts(), &[create(r#"{"name":"x"}"#)], WriteMode::Live)
        .await;
    assert!(
        matches!(outcomes[0], Outcome::Transient { .. }),
        "{outcomes:?}"
    );
}

/// Many callers, and a system that takes ten requests a second: all are served, none is told of it.
#[tokio::test]
async fn a_throttling_system_is_worked_with() {
    let systems = systems_with(|config| {
        config.open = true;
        config.limits = Some(dwmap_sandbox::Limits {
            requests: 10,
            window: Duration::from_secs(1),
            ..dwmap_sandbox::Limits::PUBLISHED
        });
    })
    .await;
    let dataverse = Dataverse::connect(DataverseConfig {
        limits: Limits {
            attempts: 20,
            ..Limits::dataverse()
        },
        ..DataverseConfig::new("dv", systems.dataverse())
    })
    .unwrap();
    let (query, keys) = (accounts(), Keys::Record(vec![id(1)]));
    let fetches = (0..25).map(|_| dataverse.fetch(&query, &keys));
    let began = tokio::time::Instant::now();
    for fetched in join_all(fetches).await {
        assert!(fetched.unwrap().is_empty());
    }
    // Not a measure of speed: nobody can have been served faster than the system allows.
    assert!(began.elapsed() >= Duration::from_secs(1));
}

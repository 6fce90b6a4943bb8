//! What happens on both sides while the runtime keeps them in step.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::http::{Key, Systems, arrival};
use super::{Teller, Watcher};
use crate::exit::Failure;
use crate::output;

/// A scene, and how it ended.
#[derive(Debug, Serialize)]
pub(crate) struct Scene {
    /// What was done.
    what: String,
    /// What came of it.
    outcome: String,
    /// How long it took to be seen on the other side.
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u128>,
}

/// Plays all scenes, one after the other.
pub(crate) async fn play(
    teller: Teller,
    systems: &Systems,
    watcher: &Watcher,
) -> Result<Vec<Scene>, Failure> {
    let mut scenes = Vec::new();
    let mut show = |what: &str, outcome: String, took: Option<Duration>| {
        let time = took.map_or_else(String::new, output::duration);
        teller.say(&format!("  {what:<52} {time:>8}  {outcome}"));
        scenes.push(Scene {
            what: what.to_owned(),
            outcome,
            ms: took.map(|t| t.as_millis()),
        });
    };
    let stage = Cast { systems };

    let born = stage.born_in_the_erp().await?;
    show(
        "ERP: a new customer, DEMO-1",
        arrived(born, "is an account of the CRM"),
        born,
    );

    let limit = stage.limit_raised().await?;
    show(
        "ERP: its credit limit becomes 75000.005",
        arrived(limit, "the CRM holds 75000.00, and the ERP keeps its own"),
        limit,
    );

    let renamed = stage.renamed_in_the_crm().await?;
    show(
        "CRM: its name becomes Northwind Harbour",
        arrived(renamed, "the ERP has the name"),
        renamed,
    );

    let born = stage.born_in_the_crm().await?;
    show(
        "CRM: a new account, DEMO-2",
        arrived(born, "is a customer of the ERP, in its company"),
        born,
    );

    let (took, winner) = stage.both_at_once().await?;
    show("Both: the city of DEMO-1, at the same moment", winner, took);

    let refused = stage.too_long(watcher).await?;
    show(
        "CRM: a country that the ERP has no room for",
        refused.1,
        refused.0,
    );

    let gone = stage.deleted_in_the_erp().await?;
    show(
        "ERP: a customer is deleted, DEMO-3",
        arrived(gone, "the account is set inactive, as the map says"),
        gone,
    );
    Ok(scenes)
}

fn arrived(took: Option<Duration>, what: &str) -> String {
    if took.is_some() {
        what.to_owned()
    } else {
        format!("not seen within 20 s: {what}")
    }
}

struct Cast<'a> {
    systems: &'a Systems,
}

fn key(account: &str) -> Key {
    Key {
        company: "usmf".to_owned(),
        account: account.to_owned(),
    }
}

fn id(account: &Value) -> String {
    account["accountid"].as_str().unwrap_or_default().to_owned()
}

impl Cast<'_> {
    async fn create_customer(&self, account: &str, name: &str) -> Result<(), Failure> {
        let group = self.group_of_the_erp().await?;
        let body = json!({
            "dataAreaId": "usmf", "CustomerAccount": account, "PartyType": "Organization", "OrganizationName": name,
            "CustomerGroupId": group, "SalesCurrencyCode": "USD", "DeliveryAddressCity": "Seattle",
        });
        let answer = self
            .systems
            .finops(Method::POST, "CustomersV3", Some(body))
            .await?;
        accepted(answer.status, &answer.body, "a new customer")
    }

    async fn group_of_the_erp(&self) -> Result<String, Failure> {
        let path = "CustomerGroups?$filter=dataAreaId%20eq%20'usmf'&$top=1";
        let answer = self.systems.finops(Method::GET, path, None).await?;
        let group = answer.body["value"][0]["CustomerGroupId"].as_str();
        Ok(group.unwrap_or("10").to_owned())
    }

    async fn account(&self, number: &str) -> Result<Option<Value>, Failure> {
        Ok(self.systems.accounts(number).await?.pop())
    }

    async fn change_account(&self, number: &str, fields: Value) -> Result<(), Failure> {
        let Some(account) = self.account(number).await? else {
            return Ok(());
        };
        let path = format!("accounts({})", id(&account));
        let answer = self
            .systems
            .dataverse(Method::PATCH, &path, Some(fields))
            .await?;
        accepted(answer.status, &answer.body, "a change of an account")
    }

    async fn change_customer(&self, account: &str, fields: Value) -> Result<(), Failure> {
        let path = key(account).path();
        let answer = self
            .systems
            .finops(Method::PATCH, &path, Some(fields))
            .await?;
        accepted(answer.status, &answer.body, "a change of a customer")
    }

    async fn born_in_the_erp(&self) -> Result<Option<Duration>, Failure> {
        self.create_customer("DEMO-1", "Northwind Harbor").await?;
        arrival(|| async { Ok(self.account("DEMO-1").await?.is_some()) }).await
    }

    async fn limit_raised(&self) -> Result<Option<Duration>, Failure> {
        let limit: Value = serde_json::from_str("75000.005").unwrap_or_default();
        self.change_customer("DEMO-1", json!({ "CreditLimit": limit }))
            .await?;
        arrival(|| async {
            let account = self.account("DEMO-1").await?;
            Ok(account.is_some_and(|a| a["creditlimit"].as_f64() == Some(75_000.0)))
        })
        .await
    }

    async fn renamed_in_the_crm(&self) -> Result<Option<Duration>, Failure> {
        self.change_account("DEMO-1", json!({ "name": "Northwind Harbour" }))
            .await?;
        arrival(|| async {
            let customer = self.systems.customer(&key("DEMO-1")).await?;
            Ok(customer.is_some_and(|c| c["OrganizationName"] == "Northwind Harbour"))
        })
        .await
    }

    async fn born_in_the_crm(&self) -> Result<Option<Duration>, Failure> {
        let Some(like) = self.account("DEMO-1").await? else {
            return Ok(None);
        };
        let bind = |set: &str, column: &str| match like[column].as_str() {
            Some(id) => json!(format!("/{set}({id})")),
            None => Value::Null,
        };
        let body = json!({
            "accountnumber": "DEMO-2", "name": "Lakeside Tools", "customertypecode": 3,
            "msdyn_company@odata.bind": bind("cdm_companies", "_msdyn_company_value"),
            "msdyn_customergroupid@odata.bind": bind("msdyn_customergroups", "_msdyn_customergroupid_value"),
            "transactioncurrencyid@odata.bind": bind("transactioncurrencies", "_transactioncurrencyid_value"),
        });
        let answer = self
            .systems
            .dataverse(Method::POST, "accounts", Some(body))
            .await?;
        accepted(answer.status, &answer.body, "a new account")?;
        arrival(|| async { Ok(self.systems.customer(&key("DEMO-2")).await?.is_some()) }).await
    }

    async fn both_at_once(&self) -> Result<(Option<Duration>, String), Failure> {
        let (crm, erp) = tokio::join!(
            self.change_account("DEMO-1", json!({ "address1_city": "Portland" })),
            self.change_customer("DEMO-1", json!({ "DeliveryAddressCity": "Tacoma" }))
        );
        crm?;
        erp?;
        let cities = async || -> Result<Option<[Value; 2]>, Failure> {
            let customer = self.systems.customer(&key("DEMO-1")).await?;
            let account = self.account("DEMO-1").await?;
            Ok(customer
                .zip(account)
                .map(|(c, a)| [c["DeliveryAddressCity"].clone(), a["address1_city"].clone()]))
        };
        let took = arrival(|| async { Ok(cities().await?.is_some_and(|[a, b]| a == b)) }).await?;
        let city = cities().await?.map_or(Value::Null, |[a, _]| a);
        let told = match (took, city.as_str()) {
            (None, _) => "not settled within 20 s".to_owned(),
            (_, Some("Tacoma")) => {
                "the ERP's Tacoma stands on both sides: `conflict prefer fno`".to_owned()
            }
            (_, other) => format!("both hold {}: the later edit", other.unwrap_or("nothing")),
        };
        Ok((took, told))
    }

    async fn too_long(&self, watcher: &Watcher) -> Result<(Option<Duration>, String), Failure> {
        let long = "Kingdom of the Northern Isles";
        self.change_account("DEMO-2", json!({ "address1_country": long }))
            .await?;
        let took = arrival(|| async { Ok(watcher.refusal("DEMO-2").is_some()) }).await?;
        let told = watcher.refusal("DEMO-2").map_or_else(
            || "not refused within 20 s".to_owned(),
            |report| format!("refused: {} ({})", report.message, report.code),
        );
        Ok((took, told))
    }

    async fn deleted_in_the_erp(&self) -> Result<Option<Duration>, Failure> {
        self.create_customer("DEMO-3", "Short-lived Ltd").await?;
        if arrival(|| async { Ok(self.account("DEMO-3").await?.is_some()) })
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let answer = self
            .systems
            .finops(Method::DELETE, &key("DEMO-3").path(), None)
            .await?;
        accepted(answer.status, &answer.body, "a deletion")?;
        arrival(|| async {
            let account = self.account("DEMO-3").await?;
            Ok(account.is_some_and(|a| a["statecode"] == 1))
        })
        .await
    }
}

/// The demo's own edits are right ones: a refusal of them is a mistake of ours.
fn accepted(status: u16, body: &Value, what: &str) -> Result<(), Failure> {
    if (200..300).contains(&status) {
        Ok(())
    } else {
        Err(Failure::Internal(format!(
            "{what} was refused by the sandbox: {status} {body}"
        )))
    }
}

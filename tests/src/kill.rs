//! The loop that kills processes at random moments while people keep changing records on both sides.
//!
//! Whatever is killed and whenever: in the end both systems agree, no record is there twice, and no edit that a system
//! had accepted is lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::http::text;
use crate::{Dataverse, Finops, Project, Running, Sandbox};

/// The longest that a process lives before it is killed, in milliseconds: long enough to get into its work.
const LIFE_MAX: u64 = 3_000;
/// The longest that servers don't answer, in milliseconds.
const STALL_MAX: u64 = 2_000;
/// The plan that is run. It is built once, since a kill within the compiler proves nothing.
const PLAN: &str = "target/contoso.dwplan";

/// How hard it is to be.
#[derive(Debug, Clone, Copy)]
pub struct Kills {
    /// Customers that the sandbox begins with.
    pub customers: usize,
    /// How often the process that syncs is killed: `sync --once` and `run` in turn.
    pub of_sync: u32,
    /// How often the process of both servers is killed under `run`.
    pub of_sandbox: u32,
    /// How often that process stops answering in the midst of its work under `run`: it goes on later, or is killed.
    pub of_stalls: u32,
    /// What the moments and the edits are drawn from.
    pub seed: u64,
}

/// What was there in the end.
#[derive(Debug)]
pub struct Survived {
    /// Edits that the systems accepted meanwhile.
    pub edits: usize,
    /// The differences that `verify` found.
    pub differences: u64,
    /// Records in the error queue.
    pub refused: u64,
    /// Numbers that stand more than once in one system.
    pub doubled: Vec<String>,
    /// Edits that are not on both sides.
    pub lost: Vec<String>,
}

impl Kills {
    /// Runs the whole loop, and says what is there afterwards.
    pub async fn run(self) -> Survived {
        let mut sandbox = Sandbox::start(self.customers);
        // The sandbox is done with a write within moments, so what became of one whose answer was lost is known soon.
        let more = "hooks = { listen = \"127.0.0.1:0\" }\nexecution_max = \"2s\"";
        let project = Project::new(&sandbox, [more; 2]);
        let built = project.run(&["build"]);
        assert!(built.status.success(), "{built:?}");

        let mut dice = StdRng::seed_from_u64(self.seed);
        let mut people = People::new(&sandbox).await;
        let mut killed = 0;
        while killed < self.of_sync {
            if killed == self.of_sync / 2 {
                people.load_ends(&project);
            }
            let command: &[&str] = if killed % 2 == 0 {
                &["sync", "--once", "--plan", PLAN]
            } else {
                &["run", "--plan", PLAN]
            };
            let mut process = project.start(command);
            people.work(&mut dice, Some(&mut process)).await;
            // One that had ended by itself was not killed: it is started anew.
            if process.is_running() {
                process.kill();
                killed += 1;
            }
        }
        people.load_ends(&project);
        for _ in 0..self.of_sandbox {
            let mut process = project.start(&["run", "--plan", PLAN]);
            people.work(&mut dice, Some(&mut process)).await;
            sandbox.restart();
            people.meet(&sandbox);
            people.work(&mut dice, Some(&mut process)).await;
            assert!(process.is_running(), "`run` outlives its systems");
            process.terminate();
        }
        for _ in 0..self.of_stalls {
            let mut process = project.start(&["run", "--plan", PLAN]);
            people.work(&mut dice, Some(&mut process)).await;
            sandbox.process().signal("STOP");
            tokio::time::sleep(Duration::from_millis(dice.random_range(0..STALL_MAX))).await;
            if dice.random() {
                sandbox.process().signal("CONT");
            } else {
                sandbox.restart();
                people.meet(&sandbox);
            }
            people.work(&mut dice, Some(&mut process)).await;
            assert!(process.is_running(), "`run` outlives its systems");
            process.terminate();
        }

        let synced = project.run(&["sync", "--once", "--plan", PLAN]);
        assert!(synced.status.success(), "{synced:?}");
        let (_, verified) = project.json(&["verify", "--json", "--plan", PLAN]);
        let maps = verified["maps"].as_array().expect("a list of maps");
        Survived {
            edits: people.edits,
            differences: verified["differences"].as_u64().expect("a number"),
            refused: maps
                .iter()
                .filter_map(|m| m["in_error_queue"].as_u64())
                .sum(),
            doubled: people.doubled().await,
            lost: people.lost().await,
        }
    }
}

/// A customer that one system's people alone edit, so that what stands in the end is known.
struct Customer {
    company: String,
    number: String,
    /// The account's id where the CRM's people edit it.
    account: Option<String>,
}

/// Who edits records on both sides.
struct People {
    dataverse: Dataverse,
    finops: Finops,
    customers: Vec<Customer>,
    /// A customer of the ERP and an account of the CRM to make others like.
    like: [Value; 2],
    /// The city that was last given to a customer, by its number.
    cities: BTreeMap<String, String>,
    edits: usize,
    /// Whether all records have met. Until then `initial prefer fno` may set an account back, and rightly.
    loaded: bool,
}

impl People {
    async fn new(sandbox: &Sandbox) -> Self {
        let (dataverse, finops) = (sandbox.dataverse(), sandbox.finops());
        let erp = finops
            .customers("dataAreaId,CustomerAccount,CustomerGroupId,SalesCurrencyCode")
            .await;
        let crm = dataverse
            .rows(
                "accounts",
                "accountnumber,_msdyn_company_value,_msdyn_customergroupid_value,_transactioncurrencyid_value",
            )
            .await;
        let like = [erp[0].clone(), crm[0].clone()];
        let accounts: BTreeMap<String, String> = crm
            .iter()
            .map(|row| (text(row, "accountnumber"), text(row, "accountid")))
            .collect();
        let customers = erp
            .iter()
            .enumerate()
            .map(|(n, row)| {
                let number = text(row, "CustomerAccount");
                Customer {
                    company: text(row, "dataAreaId"),
                    account: accounts.get(&number).filter(|_| n % 2 == 0).cloned(),
                    number,
                }
            })
            .collect();
        Self {
            dataverse,
            finops,
            customers,
            like,
            cities: BTreeMap::new(),
            edits: 0,
            loaded: false,
        }
    }

    /// Lets the load come to its end.
    fn load_ends(&mut self, project: &Project) {
        let synced = project.run(&["sync", "--once", "--plan", PLAN]);
        assert!(synced.status.success(), "{synced:?}");
        self.loaded = true;
    }

    /// Takes up new connections: the old ones ended with the servers.
    fn meet(&mut self, sandbox: &Sandbox) {
        self.dataverse = sandbox.dataverse();
        self.finops = sandbox.finops();
    }

    /// Edits records until a random moment, or until the process has ended.
    async fn work(&mut self, dice: &mut StdRng, mut process: Option<&mut Running>) {
        let life = Duration::from_millis(dice.random_range(0..LIFE_MAX));
        let started = Instant::now();
        while started.elapsed() < life {
            if process.as_mut().is_some_and(|p| !p.is_running()) {
                break;
            }
            self.edit(dice).await;
        }
    }

    /// One edit: of ten, eight change a customer, and one makes a new one on each side.
    async fn edit(&mut self, dice: &mut StdRng) {
        self.edits += 1;
        let city = format!("City {}", self.edits);
        match dice.random_range(0..10) {
            0 => self.create_customer().await,
            1 => self.create_account().await,
            _ => {
                let chosen = dice.random_range(0..self.customers.len());
                let customer = &self.customers[chosen];
                if let Some(id) = &customer.account {
                    let fields = json!({ "address1_city": city });
                    self.dataverse.change_account(id, fields).await;
                } else {
                    let fields = json!({ "DeliveryAddressCity": city });
                    self.finops
                        .change_customer(&customer.company, &customer.number, fields)
                        .await;
                }
                if self.loaded || customer.account.is_none() {
                    self.cities.insert(customer.number.clone(), city);
                }
            }
        }
    }

    async fn create_customer(&mut self) {
        let number = format!("ERP-{}", self.edits);
        let like = &self.like[0];
        let fields = json!({
            "dataAreaId": like["dataAreaId"], "CustomerAccount": number, "PartyType": "Organization",
            "OrganizationName": format!("New in the ERP {number}"), "CustomerGroupId": like["CustomerGroupId"],
            "SalesCurrencyCode": like["SalesCurrencyCode"], "DeliveryAddressCity": number,
        });
        let (status, answer) = self.finops.create("CustomersV3", fields).await;
        assert_eq!(status, 201, "{answer}");
        self.cities.insert(number.clone(), number);
    }

    async fn create_account(&mut self) {
        let number = format!("CRM-{}", self.edits);
        let bind = |set: &str, column: &str| format!("/{set}({})", text(&self.like[1], column));
        let fields = json!({
            "accountnumber": number, "name": format!("New in the CRM {number}"), "customertypecode": 3,
            "address1_city": number,
            "msdyn_company@odata.bind": bind("cdm_companies", "_msdyn_company_value"),
            "msdyn_customergroupid@odata.bind": bind("msdyn_customergroups", "_msdyn_customergroupid_value"),
            "transactioncurrencyid@odata.bind": bind("transactioncurrencies", "_transactioncurrencyid_value"),
        });
        let (status, answer) = self.dataverse.create("accounts", fields).await;
        assert!(status == 201 || status == 204, "{status}: {answer}");
        self.cities.insert(number.clone(), number);
    }

    /// Numbers that stand more than once on a side. The seeded ones are different in each company.
    async fn doubled(&self) -> Vec<String> {
        let mut times: BTreeMap<String, [u32; 2]> = BTreeMap::new();
        for row in self.finops.customers("CustomerAccount").await {
            times.entry(text(&row, "CustomerAccount")).or_default()[0] += 1;
        }
        for row in self.dataverse.rows("accounts", "accountnumber").await {
            times.entry(text(&row, "accountnumber")).or_default()[1] += 1;
        }
        let wrong = times
            .into_iter()
            .filter(|(_, times)| times.iter().any(|n| *n > 1));
        wrong
            .map(|(number, [erp, crm])| format!("{number}: {erp} in the ERP, {crm} in the CRM"))
            .collect()
    }

    /// The edits that don't stand on both sides. A seeded record that a map's filter leaves out stands on one alone:
    /// `verify` tells those from missing ones.
    async fn lost(&self) -> Vec<String> {
        let mut found: BTreeMap<String, [Value; 2]> = BTreeMap::new();
        for mut row in self
            .finops
            .customers("CustomerAccount,DeliveryAddressCity")
            .await
        {
            let city = row["DeliveryAddressCity"].take();
            found.entry(text(&row, "CustomerAccount")).or_default()[0] = city;
        }
        for mut row in self
            .dataverse
            .rows("accounts", "accountnumber,address1_city")
            .await
        {
            let city = row["address1_city"].take();
            found.entry(text(&row, "accountnumber")).or_default()[1] = city;
        }
        let is_new = |number: &str| number.starts_with("ERP-") || number.starts_with("CRM-");
        let on_both = |number: &str, city: &str| {
            let stands = found.get(number);
            stands.is_some_and(|cities| {
                cities
                    .iter()
                    .all(|c| c == city || (c.is_null() && !is_new(number)))
            })
        };
        let lost = self
            .cities
            .iter()
            .filter(|(number, city)| !on_both(number, city));
        lost.map(|(number, city)| format!("{number}: {city} became {:?}", found.get(number)))
            .collect()
    }
}

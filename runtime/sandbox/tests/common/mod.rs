//! What the tests share: small schemas, a sandbox on free ports, and a client.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a helper's failure is the test's"
)]

use dwmap_plan::{
    Access, AlternateKey, Decimal, Dialect, Entity, EnumDef, Field, KeyPart, Member, Nav, NullForm,
    Requirement, Schema, Type, Value,
};
use dwmap_sandbox::{Config, Sandbox};
use reqwest::{Method, RequestBuilder};
use serde_json::Value as Json;

/// A field in the making.
pub fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.to_owned(),
        wire: None,
        ty,
        nullable: true,
        access: Access::ReadWrite,
        computed: false,
        requirement: Requirement::Optional,
        sensitive: false,
        one_of: Vec::new(),
        min: None,
        max: None,
        inferred: false,
        null: NullForm::default(),
    }
}

fn with(mut field: Field, change: impl FnOnce(&mut Field)) -> Field {
    change(&mut field);
    field
}

fn text(n: u32) -> Type {
    Type::Text(Some(n))
}

fn option_set(name: &str, boolean: bool, members: &[(&str, i64)]) -> EnumDef {
    EnumDef {
        name: name.to_owned(),
        boolean,
        members: members
            .iter()
            .map(|(name, value)| Member {
                name: (*name).to_owned(),
                value: *value,
            })
            .collect(),
    }
}

fn entity(name: &str, physical: &str, key: &[&str], fields: Vec<Field>) -> Entity {
    Entity {
        name: name.to_owned(),
        display: None,
        wire: None,
        physical: Some(physical.to_owned()),
        fields,
        key: key
            .iter()
            .map(|k| KeyPart::Field((*k).to_owned()))
            .collect(),
        alternate_keys: Vec::new(),
        navs: Vec::new(),
        striped_by: None,
        identity: None,
        modified: None,
    }
}

fn nav(name: &str, target: &str) -> Nav {
    Nav {
        name: name.to_owned(),
        targets: vec![target.to_owned()],
        via: vec![format!("_{name}_value")],
    }
}

/// Accounts with a company, a currency and a payer, as the stock schema has them, and fewer columns.
pub fn dataverse() -> Schema {
    let filled = |name: &str, ty| with(field(name, ty), |f| f.requirement = Requirement::Filled);
    let mut accounts = entity(
        "accounts",
        "account",
        &["accountid"],
        vec![
            filled("accountid", Type::Guid),
            field("accountnumber", text(20)),
            field("name", text(160)),
            field("description", Type::Text(None)),
            with(field("creditlimit", Type::Decimal(19, 2)), |f| {
                f.min = Some(Value::Decimal(Decimal::ZERO));
            }),
            field("numberofemployees", Type::Int32),
            field("donotemail", Type::Bool),
            field(
                "customertypecode",
                Type::Enum("customertypecode".to_owned()),
            ),
            filled("statecode", Type::Enum("statecode".to_owned())),
            field("birthday", Type::Date),
            with(field("merged", Type::Bool), |f| f.access = Access::ReadOnly),
            filled("modifiedon", Type::DateTime),
        ],
    );
    accounts.modified = Some("modifiedon".to_owned());
    accounts.navs = vec![
        nav("msdyn_company", "cdm_companies"),
        nav("transactioncurrencyid", "transactioncurrencies"),
        nav("msdyn_billingaccount", "accounts"),
    ];
    accounts.alternate_keys = vec![AlternateKey {
        name: "byNumber".to_owned(),
        parts: vec![
            KeyPart::Field("accountnumber".to_owned()),
            KeyPart::Nav("msdyn_company".to_owned()),
        ],
    }];
    let mut companies = entity(
        "cdm_companies",
        "cdm_company",
        &["cdm_companyid"],
        vec![
            filled("cdm_companyid", Type::Guid),
            field("cdm_companycode", text(4)),
            field("cdm_name", text(100)),
        ],
    );
    companies.alternate_keys = vec![AlternateKey {
        name: "byCode".to_owned(),
        parts: vec![KeyPart::Field("cdm_companycode".to_owned())],
    }];
    let currencies = entity(
        "transactioncurrencies",
        "transactioncurrency",
        &["transactioncurrencyid"],
        vec![
            filled("transactioncurrencyid", Type::Guid),
            with(field("isocurrencycode", text(5)), |f| {
                f.requirement = Requirement::Required;
            }),
        ],
    );
    Schema {
        name: "dataverse".to_owned(),
        dialect: Dialect::Dataverse,
        case_insensitive: true,
        enums: vec![
            option_set(
                "customertypecode",
                false,
                &[("Competitor", 1), ("Customer", 3)],
            ),
            option_set("statecode", false, &[("Active", 0), ("Inactive", 1)]),
        ],
        entities: vec![accounts, companies, currencies],
    }
}

/// Customers and their groups, as the stock schema has them, and fewer fields.
pub fn finops() -> Schema {
    let mut customers = entity(
        "CustomersV3",
        "CustCustomerV3Entity",
        &["dataAreaId", "CustomerAccount"],
        vec![
            field("dataAreaId", text(4)),
            field("CustomerAccount", text(20)),
            field("OrganizationName", text(100)),
            field("CreditLimit", Type::Decimal(32, 6)),
            field("OrganizationNumberOfEmployees", Type::Int32),
            with(field("CustomerGroupId", text(10)), |f| {
                f.requirement = Requirement::Required;
            }),
            field("InvoiceAccount", text(20)),
            field("LanguageId", text(7)),
            field("PaymentTerms", text(10)),
            field("OnHoldStatus", Type::Enum("CustVendorBlocked".to_owned())),
            field("IsOneTimeCustomer", Type::Enum("NoYes".to_owned())),
            with(field("PartyType", text(60)), |f| {
                f.one_of = vec!["Person".to_owned(), "Organization".to_owned()];
            }),
            field("ReleaseDate", Type::DateTime),
            field("BirthDate", Type::Date),
        ],
    );
    customers.striped_by = Some(vec!["dataAreaId".to_owned()]);
    let mut groups = entity(
        "CustomerGroups",
        "CustCustomerGroupEntity",
        &["dataAreaId", "CustomerGroupId"],
        vec![
            field("dataAreaId", text(4)),
            field("CustomerGroupId", text(10)),
            field("Description", text(60)),
            field("PaymentTermId", text(10)),
        ],
    );
    groups.striped_by = Some(vec!["dataAreaId".to_owned()]);
    Schema {
        name: "fno".to_owned(),
        dialect: Dialect::Finops,
        case_insensitive: true,
        enums: vec![
            option_set(
                "CustVendorBlocked",
                false,
                &[("No", 0), ("Invoice", 1), ("All", 2), ("Never", 5)],
            ),
            option_set("NoYes", true, &[("No", 0), ("Yes", 1)]),
        ],
        entities: vec![customers, groups],
    }
}

/// A running sandbox with its client.
pub struct Bench {
    pub sandbox: Sandbox,
    pub client: reqwest::Client,
    dir: Option<tempfile::TempDir>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .to_str()
            .unwrap()
    }

    /// The rows of a collection.
    pub fn rows(&self) -> Vec<Json> {
        self.json()["value"]
            .as_array()
            .unwrap_or_else(|| panic!("no rows in {}", self.text))
            .clone()
    }

    /// The value of one column in each row.
    pub fn column(&self, name: &str) -> Vec<Json> {
        self.rows().iter().map(|row| row[name].clone()).collect()
    }

    pub fn error(&self) -> (u16, String, String) {
        let error = dwmap_odata::ErrorBody::parse(self.text.as_bytes())
            .unwrap_or_else(|e| panic!("{} {e}", self.status));
        (self.status, error.code.clone(), error.reason().to_owned())
    }

    /// Fails unless the status is this one.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl Bench {
    /// An empty sandbox that wants no token.
    pub async fn open() -> Self {
        Self::with(|config| config.open = true).await
    }

    /// An empty sandbox of the small schemas.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path(), dataverse(), finops());
        change(&mut config);
        let sandbox = dwmap_sandbox::start(config).await.unwrap();
        Self {
            sandbox,
            client: reqwest::Client::new(),
            dir: Some(dir),
        }
    }

    /// Stops, and starts again over the same files.
    pub async fn restart(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let dir = self.dir.take().unwrap();
        self.sandbox.stop().await;
        let mut config = Config::new(dir.path(), dataverse(), finops());
        config.open = true;
        change(&mut config);
        let sandbox = dwmap_sandbox::start(config).await.unwrap();
        Self {
            sandbox,
            client: reqwest::Client::new(),
            dir: Some(dir),
        }
    }

    pub fn dv_url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("http://{}/api/data/v9.2/{path}", self.sandbox.dataverse())
        }
    }

    pub fn fo_url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("http://{}/data/{path}", self.sandbox.finops())
        }
    }

    pub fn dv(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(
            Method::from_bytes(method.as_bytes()).unwrap(),
            self.dv_url(path),
        )
    }

    pub fn fo(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(
            Method::from_bytes(method.as_bytes()).unwrap(),
            self.fo_url(path),
        )
    }

    /// A company's row in Dataverse; gives its id.
    pub async fn company(&self, code: &str) -> String {
        let answer = send(
            self.dv("POST", "cdm_companies")
                .json(&serde_json::json!({ "cdm_companycode": code })),
        )
        .await;
        id_of(&answer.expect(204))
    }

    /// An account with this number and name; gives its id.
    pub async fn account(&self, number: &str, name: &str) -> String {
        let body = serde_json::json!({ "accountnumber": number, "name": name });
        id_of(
            &send(self.dv("POST", "accounts").json(&body))
                .await
                .expect(204),
        )
    }

    /// A customer of company usmf in a group that is made with it.
    pub async fn customer(&self, account: &str, more: Json) -> Answer {
        let group = serde_json::json!({ "dataAreaId": "usmf", "CustomerGroupId": "30" });
        send(self.fo("POST", "CustomerGroups").json(&group)).await;
        let mut body = serde_json::json!({ "dataAreaId": "usmf", "CustomerAccount": account, "CustomerGroupId": "30" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        send(self.fo("POST", "CustomersV3").json(&body)).await
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

/// The id in an answer's `OData-EntityId`.
pub fn id_of(answer: &Answer) -> String {
    let url = answer.header("OData-EntityId");
    url[url.find('(').unwrap() + 1..url.len() - 1].to_owned()
}

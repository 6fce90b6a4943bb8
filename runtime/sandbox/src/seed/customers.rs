//! Customers: 40 of 100 in both systems and agreeing, 10 in both and differing in a field, 25 in the ERP only, 25 in
//! the CRM only. Of the latter, a few are persons and prospects, which the stock map passes over.

use serde_json::{Value as Json, json};

use super::dice::Dice;
use super::record::{Part, Record};
use super::reference::{CUSTOMER_GROUP_NAMES, METHOD_NAMES, TERM_NAMES};
use super::words::{COMPANIES, Company, FIRSTS, NOTES, TRADES, slug};
use Part::{Crm, Erp, Ref, Same};

/// Where a customer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    BothAgreeing,
    BothDiffering,
    ErpOnly,
    CrmOnly,
}

/// The customer of this number.
pub(super) fn record(seed: u64, number: usize) -> Record {
    let dice = &mut Dice::new(seed, "customer", number);
    let place = match dice.below(100) {
        0..40 => Place::BothAgreeing,
        40..50 => Place::BothDiffering,
        50..75 => Place::ErpOnly,
        _ => Place::CrmOnly,
    };
    let company = &COMPANIES[usize::from(dice.chance(40))];
    let account = format!("{}-{:06}", company.prefix, number + 1);
    let mut parts = identity(dice, company, place, &account, number);
    parts.extend(terms(dice, company, place, &account));
    parts.extend(contact(dice, company));
    if place == Place::BothDiffering {
        parts.push(difference(dice, company));
    }
    let mut record = Record::new(
        ("CustomersV3", "accounts"),
        Some(company.code),
        account,
        parts,
    );
    record.stands = (place != Place::CrmOnly, place != Place::ErpOnly);
    record
}

fn identity(
    dice: &mut Dice,
    company: &Company,
    place: Place,
    account: &str,
    number: usize,
) -> Vec<Part> {
    let name = format!(
        "{} {} {}",
        dice.pick(FIRSTS),
        dice.pick(TRADES),
        dice.pick(company.suffixes)
    );
    let unusual = dice.chance(4);
    let party = if unusual && place == Place::ErpOnly {
        "Person"
    } else {
        "Organization"
    };
    let kind = if unusual && place == Place::CrmOnly {
        "Prospect"
    } else {
        "Customer"
    };
    let site = slug(&name);
    let memo = if dice.chance(20) {
        Json::from(*dice.pick(NOTES))
    } else {
        Json::Null
    };
    let mut parts = vec![
        Same("CustomerAccount", "accountnumber", account.into()),
        Same("OrganizationName", "name", name.into()),
        Same(
            "OrganizationNumberOfEmployees",
            "numberofemployees",
            json!(5 + dice.below(500)),
        ),
        Same(
            "PrimaryContactEmail",
            "emailaddress1",
            format!("office@{site}.example.com").into(),
        ),
        Same(
            "PrimaryContactURL",
            "websiteurl",
            format!("https://{site}.example.com").into(),
        ),
        Same("SalesMemo", "description", memo),
        Erp("PartyType", party.into()),
        Erp("LanguageId", company.language.into()),
        Crm("customertypecode", kind.into()),
        Crm("address1_addresstypecode", "ShipTo".into()),
    ];
    if place != Place::CrmOnly {
        parts.push(Same(
            "PartyNumber",
            "msdyn_partynumber",
            format!("P-{:07}", number + 1).into(),
        ));
    }
    parts
}

fn terms(dice: &mut Dice, company: &Company, place: Place, account: &str) -> Vec<Part> {
    let terms = if dice.chance(90) {
        *dice.pick(TERM_NAMES)
    } else {
        "Net30"
    };
    let method = if dice.chance(50) {
        *dice.pick(METHOD_NAMES)
    } else {
        ""
    };
    let rare = |dice: &mut Dice, name: &'static str| if dice.chance(5) { name } else { "" };
    let hold = if dice.chance(3) {
        *dice.pick(&["Invoice", "All", "Payment"])
    } else {
        "No"
    };
    // What the ERP has made pays for itself; the CRM's own accounts are yet to be told who pays.
    let payer = if place == Place::CrmOnly { "" } else { account };
    vec![
        Ref(
            "CustomerGroupId",
            "_msdyn_customergroupid_value",
            "msdyn_customergroups",
            (*dice.pick(CUSTOMER_GROUP_NAMES)).to_owned(),
        ),
        Ref(
            "SalesCurrencyCode",
            "_transactioncurrencyid_value",
            "transactioncurrencies",
            company.currency.to_owned(),
        ),
        Ref(
            "PaymentTerms",
            "_msdyn_paymentterm_value",
            "msdyn_paymentterms",
            terms.to_owned(),
        ),
        Ref(
            "PaymentMethod",
            "_msdyn_customerpaymentmethod_value",
            "msdyn_customerpaymentmethods",
            method.to_owned(),
        ),
        Ref(
            "PaymentSchedule",
            "_msdyn_paymentschedule_value",
            "msdyn_paymentschedules",
            rare(dice, "Thirds").to_owned(),
        ),
        Ref(
            "PaymentDay",
            "_msdyn_paymentday_value",
            "msdyn_paymentdays",
            rare(dice, "15th").to_owned(),
        ),
        Ref(
            "InvoiceAccount",
            "_msdyn_billingaccount_value",
            "accounts",
            payer.to_owned(),
        ),
        Same("CreditLimit", "creditlimit", json!(dice.below(200) * 500)),
        Same(
            "CreditLimitIsMandatory",
            "msdyn_creditlimitismandatory",
            json!(dice.chance(30)),
        ),
        Same("IsOneTimeCustomer", "msdyn_onetimecustomer", json!(false)),
        Same("OnHoldStatus", "msdyn_onholdstatus", hold.into()),
        Same(
            "InvoiceAddress",
            "msdyn_invoiceaddress",
            "InvoiceAccount".into(),
        ),
        Same(
            "PaymentTermsBaseDays",
            "msdyn_paymenttermsbasedays",
            json!(0),
        ),
    ]
}

fn contact(dice: &mut Dice, company: &Company) -> Vec<Part> {
    let (city, state, code) = *dice.pick(company.cities);
    let postal = |dice: &mut Dice| {
        format!(
            "{code}{:0width$}",
            dice.below(10_usize.pow(5 - code.len() as u32)),
            width = 5 - code.len()
        )
    };
    let street = |dice: &mut Dice| {
        let (street, number) = (*dice.pick(company.streets), 1 + dice.below(300));
        if company.country == "DE" {
            format!("{street} {number}")
        } else {
            format!("{number} {street}")
        }
    };
    let (delivery, code) = (street(dice), postal(dice));
    let invoice = if dice.chance(25) {
        street(dice)
    } else {
        delivery.clone()
    };
    vec![
        Same(
            "PrimaryContactPhone",
            "telephone1",
            phone(dice, company).into(),
        ),
        Same("DeliveryAddressStreet", "address1_line1", delivery.into()),
        Same("DeliveryAddressCity", "address1_city", city.into()),
        Same(
            "DeliveryAddressState",
            "address1_stateorprovince",
            state.into(),
        ),
        Same(
            "DeliveryAddressZipCode",
            "address1_postalcode",
            code.as_str().into(),
        ),
        Same(
            "DeliveryAddressCountryRegionISOCode",
            "address1_country",
            company.country.into(),
        ),
        Same("InvoiceAddressStreet", "address2_line1", invoice.into()),
        Same("InvoiceAddressCity", "address2_city", city.into()),
        Same(
            "InvoiceAddressState",
            "address2_stateorprovince",
            state.into(),
        ),
        Same("InvoiceAddressZipCode", "address2_postalcode", code.into()),
        Same(
            "InvoiceAddressCountryRegionISOCode",
            "address2_country",
            company.country.into(),
        ),
        Crm("address1_latitude", json!(0)),
        Crm("address1_longitude", json!(0)),
        Crm("address2_latitude", json!(0)),
        Crm("address2_longitude", json!(0)),
    ]
}

fn phone(dice: &mut Dice, company: &Company) -> String {
    format!("{} {:04}", company.dial, 100 + dice.below(100))
}

/// One field in which the CRM holds something else: later parts stand over earlier ones.
fn difference(dice: &mut Dice, company: &Company) -> Part {
    match dice.below(3) {
        0 => Crm("telephone1", format!("{} 0200", company.dial).into()),
        1 => Crm("numberofemployees", json!(1_000 + dice.below(500))),
        _ => Crm("creditlimit", json!(200_000 + dice.below(100))),
    }
}

//! Vendors, each with a contact person, agreeing on both sides.

use serde_json::json;

use super::dice::Dice;
use super::record::{Part, Record};
use super::reference::{TERM_NAMES, VENDOR_GROUP_NAMES};
use super::words::{COMPANIES, FIRST_NAMES, FIRSTS, LAST_NAMES, TRADES, slug};
use Part::{Crm, Erp, Ref, Same};

/// One vendor for fifty customers, within reason.
pub(super) fn records(seed: u64, customers: usize) -> impl Iterator<Item = Record> {
    (0..(customers / 50).clamp(10, 500)).flat_map(move |n| vendor(seed, n))
}

fn vendor(seed: u64, number: usize) -> [Record; 2] {
    let dice = &mut Dice::new(seed, "vendor", number);
    let company = &COMPANIES[number % COMPANIES.len()];
    let account = format!("{}-V{:05}", company.prefix, number + 1);
    let name = format!(
        "{} {} {}",
        dice.pick(FIRSTS),
        dice.pick(TRADES),
        dice.pick(company.suffixes)
    );
    let mail = format!("sales@{}.example.com", slug(&name));
    let (city, state, _) = *dice.pick(company.cities);
    let contact = contact(dice, number, company.code, &account, city);
    let parts = vec![
        Same(
            "VendorAccountNumber",
            "msdyn_vendoraccountnumber",
            account.as_str().into(),
        ),
        Same("VendorOrganizationName", "msdyn_name", name.into()),
        Erp("VendorPartyType", "Organization".into()),
        Crm("msdyn_isperson", json!(false)),
        Same(
            "VendorPartyNumber",
            "msdyn_vendorpartynumber",
            format!("PV-{:06}", number + 1).into(),
        ),
        Same(
            "PrimaryEmailAddress",
            "msdyn_primaryemailaddress",
            mail.into(),
        ),
        Same("AddressCity", "msdyn_addresscity", city.into()),
        Same("AddressStateId", "msdyn_addressstateid", state.into()),
        Same(
            "AddressCountryRegionISOCode",
            "msdyn_addresscountryregionisocode",
            company.country.into(),
        ),
        Crm("msdyn_addresslatitude", json!(0)),
        Crm("msdyn_addresslongitude", json!(0)),
        Same("CreditLimit", "msdyn_vendorcreditlimit", json!(0)),
        Same("OnHoldStatus", "msdyn_onholdstatus", "No".into()),
        Ref(
            "VendorGroupId",
            "_msdyn_vendorgroupid_value",
            "msdyn_vendorgroups",
            (*dice.pick(VENDOR_GROUP_NAMES)).to_owned(),
        ),
        Ref(
            "CurrencyCode",
            "_msdyn_currencycode_value",
            "transactioncurrencies",
            company.currency.to_owned(),
        ),
        Ref(
            "DefaultPaymentTermsName",
            "_msdyn_paymentterms_value",
            "msdyn_paymentterms",
            (*dice.pick(TERM_NAMES)).to_owned(),
        ),
    ];
    [
        Record::new(
            ("VendorsV2", "msdyn_vendors"),
            Some(company.code),
            account,
            parts,
        ),
        contact,
    ]
}

fn contact(
    dice: &mut Dice,
    number: usize,
    company: &'static str,
    vendor: &str,
    city: &str,
) -> Record {
    let (first, last) = (*dice.pick(FIRST_NAMES), *dice.pick(LAST_NAMES));
    let id = format!("CP-{:06}", number + 1);
    let mail = format!("{}.{}@example.com", slug(first), slug(last));
    let parts = vec![
        Same(
            "ContactPersonPartyNumber",
            "msdyn_partynumber",
            format!("PC-{:06}", number + 1).into(),
        ),
        Same(
            "ContactPersonId",
            "msdyn_contactpersonid",
            id.as_str().into(),
        ),
        Ref(
            "AssociatedContactNumber",
            "_msdyn_vendorcontactid_value",
            "msdyn_vendors",
            vendor.to_owned(),
        ),
        Erp("AssociatedContactType", "Vendor".into()),
        Crm("msdyn_contactforvendor", json!(true)),
        Crm("msdyn_sellable", json!(false)),
        Same("FirstName", "firstname", first.into()),
        Same("LastName", "lastname", last.into()),
        Same("PrimaryAddressCity", "address1_city", city.into()),
        Same("PrimaryEmailAddress", "emailaddress1", mail.into()),
        Same("IsReceivingDirectMail", "donotemail", json!(false)),
    ];
    Record::new(
        ("CDSContactPersonsV2", "contacts"),
        Some(company),
        id,
        parts,
    )
}

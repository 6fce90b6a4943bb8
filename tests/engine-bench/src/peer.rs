//! The customers map from Finance & Operations to Dataverse as an engineer writes it by hand: typed structs that borrow,
//! serde_json, the same checks, the same bytes.

use std::borrow::Cow;
use std::fmt;

use dwmap_plan::{Decimal, Rounding};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::known::{Guid, Known};

#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(borrow, rename = "dataAreaId")]
    data_area_id: Cow<'a, str>,
    #[serde(borrow, rename = "CustomerAccount")]
    customer_account: Cow<'a, str>,
    #[serde(borrow, rename = "OrganizationName")]
    organization_name: Cow<'a, str>,
    #[serde(rename = "OrganizationNumberOfEmployees")]
    organization_number_of_employees: i32,
    #[serde(borrow, rename = "PartyNumber")]
    party_number: Cow<'a, str>,
    #[serde(borrow, rename = "PartyCountry")]
    party_country: Cow<'a, str>,
    #[serde(borrow, rename = "PartyState")]
    party_state: Cow<'a, str>,
    #[serde(borrow, rename = "IdentificationNumber")]
    identification_number: Cow<'a, str>,
    #[serde(borrow, rename = "SalesMemo")]
    sales_memo: Cow<'a, str>,
    #[serde(borrow, rename = "ContactPersonId")]
    contact_person_id: Cow<'a, str>,
    #[serde(borrow, rename = "VendorAccount")]
    vendor_account: Cow<'a, str>,
    #[serde(borrow, rename = "CustomerGroupId")]
    customer_group_id: Cow<'a, str>,
    #[serde(borrow, rename = "SalesCurrencyCode")]
    sales_currency_code: Cow<'a, str>,
    #[serde(borrow, rename = "CreditLimit")]
    credit_limit: &'a RawValue,
    #[serde(borrow, rename = "CreditLimitIsMandatory")]
    credit_limit_is_mandatory: &'a str,
    #[serde(borrow, rename = "CreditRating")]
    credit_rating: Cow<'a, str>,
    #[serde(borrow, rename = "OnHoldStatus")]
    on_hold_status: &'a str,
    #[serde(borrow, rename = "IsOneTimeCustomer")]
    is_one_time_customer: &'a str,
    #[serde(borrow, rename = "TaxExemptNumber")]
    tax_exempt_number: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAccount")]
    invoice_account: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddress")]
    invoice_address: &'a str,
    #[serde(borrow, rename = "PaymentTerms")]
    payment_terms: Cow<'a, str>,
    #[serde(rename = "PaymentTermsBaseDays")]
    payment_terms_base_days: i32,
    #[serde(borrow, rename = "PaymentSchedule")]
    payment_schedule: Cow<'a, str>,
    #[serde(borrow, rename = "PaymentDay")]
    payment_day: Cow<'a, str>,
    #[serde(borrow, rename = "PaymentMethod")]
    payment_method: Cow<'a, str>,
    #[serde(borrow, rename = "DeliveryAddressCity")]
    delivery_address_city: Cow<'a, str>,
    #[serde(borrow, rename = "DeliveryAddressCountryRegionISOCode")]
    delivery_address_country_region_iso_code: Cow<'a, str>,
    #[serde(borrow, rename = "DeliveryAddressCounty")]
    delivery_address_county: Cow<'a, str>,
    #[serde(borrow, rename = "DeliveryAddressLatitude")]
    delivery_address_latitude: &'a RawValue,
    #[serde(borrow, rename = "DeliveryAddressLongitude")]
    delivery_address_longitude: &'a RawValue,
    #[serde(borrow, rename = "DeliveryAddressZipCode")]
    delivery_address_zip_code: Cow<'a, str>,
    #[serde(borrow, rename = "DeliveryAddressStreet")]
    delivery_address_street: Cow<'a, str>,
    #[serde(borrow, rename = "DeliveryAddressState")]
    delivery_address_state: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddressCity")]
    invoice_address_city: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddressCountryRegionISOCode")]
    invoice_address_country_region_iso_code: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddressCounty")]
    invoice_address_county: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddressLatitude")]
    invoice_address_latitude: &'a RawValue,
    #[serde(borrow, rename = "InvoiceAddressLongitude")]
    invoice_address_longitude: &'a RawValue,
    #[serde(borrow, rename = "InvoiceAddressState")]
    invoice_address_state: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddressStreet")]
    invoice_address_street: Cow<'a, str>,
    #[serde(borrow, rename = "InvoiceAddressZipCode")]
    invoice_address_zip_code: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactEmail")]
    primary_contact_email: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactFax")]
    primary_contact_fax: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactPhone")]
    primary_contact_phone: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactTwitter")]
    primary_contact_twitter: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactURL")]
    primary_contact_url: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactFacebook")]
    primary_contact_facebook: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactFaxExtension")]
    primary_contact_fax_extension: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactLinkedIn")]
    primary_contact_linked_in: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactEmailDescription")]
    primary_contact_email_description: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactFacebookDescription")]
    primary_contact_facebook_description: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactFaxDescription")]
    primary_contact_fax_description: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactLinkedInDescription")]
    primary_contact_linked_in_description: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactPhoneDescription")]
    primary_contact_phone_description: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactPhoneExtension")]
    primary_contact_phone_extension: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactTwitterDescription")]
    primary_contact_twitter_description: Cow<'a, str>,
    #[serde(borrow, rename = "PrimaryContactURLDescription")]
    primary_contact_url_description: Cow<'a, str>,
    #[serde(borrow, rename = "PartyType")]
    party_type: Cow<'a, str>,
}

#[derive(Serialize)]
struct Account<'a> {
    #[serde(rename = "msdyn_company@odata.bind")]
    msdyn_company: Option<Bind>,
    accountnumber: Option<&'a str>,
    name: Option<&'a str>,
    numberofemployees: i32,
    msdyn_partynumber: Option<&'a str>,
    msdyn_partycountry: Option<&'a str>,
    msdyn_partystateprovince: Option<&'a str>,
    msdyn_identificationnumber: Option<&'a str>,
    description: Option<&'a str>,
    #[serde(rename = "primarycontactid@odata.bind")]
    primarycontactid: Option<Bind>,
    #[serde(rename = "msdyn_vendor@odata.bind")]
    msdyn_vendor: Option<Bind>,
    customertypecode: i64,
    #[serde(rename = "msdyn_customergroupid@odata.bind")]
    msdyn_customergroupid: Option<Bind>,
    #[serde(rename = "transactioncurrencyid@odata.bind")]
    transactioncurrencyid: Option<Bind>,
    creditlimit: Number,
    msdyn_creditlimitismandatory: bool,
    msdyn_creditrating: Option<&'a str>,
    msdyn_onholdstatus: i64,
    msdyn_onetimecustomer: bool,
    msdyn_taxexemptnumber: Option<&'a str>,
    #[serde(rename = "msdyn_billingaccount@odata.bind")]
    msdyn_billingaccount: Option<Bind>,
    msdyn_invoiceaddress: i64,
    #[serde(rename = "msdyn_paymentterm@odata.bind")]
    msdyn_paymentterm: Option<Bind>,
    msdyn_paymenttermsbasedays: i32,
    #[serde(rename = "msdyn_paymentschedule@odata.bind")]
    msdyn_paymentschedule: Option<Bind>,
    #[serde(rename = "msdyn_paymentday@odata.bind")]
    msdyn_paymentday: Option<Bind>,
    #[serde(rename = "msdyn_customerpaymentmethod@odata.bind")]
    msdyn_customerpaymentmethod: Option<Bind>,
    address1_city: Option<&'a str>,
    address1_country: Option<&'a str>,
    address1_county: Option<&'a str>,
    address1_latitude: Number,
    address1_longitude: Number,
    address1_postalcode: Option<&'a str>,
    address1_line1: Option<&'a str>,
    address1_stateorprovince: Option<&'a str>,
    address1_addresstypecode: i64,
    address2_city: Option<&'a str>,
    address2_country: Option<&'a str>,
    address2_county: Option<&'a str>,
    address2_latitude: Number,
    address2_longitude: Number,
    address2_stateorprovince: Option<&'a str>,
    address2_line1: Option<&'a str>,
    address2_postalcode: Option<&'a str>,
    emailaddress1: Option<&'a str>,
    fax: Option<&'a str>,
    telephone1: Option<&'a str>,
    primarytwitterid: Option<&'a str>,
    websiteurl: Option<&'a str>,
    msdyn_primaryfacebookid: Option<&'a str>,
    msdyn_faxextension: Option<&'a str>,
    msdyn_primarylinkedinid: Option<&'a str>,
    msdyn_emailaddress1description: Option<&'a str>,
    msdyn_primaryfacebookdescription: Option<&'a str>,
    msdyn_faxdescription: Option<&'a str>,
    msdyn_primarylinkedindescrption: Option<&'a str>,
    msdyn_telephone1description: Option<&'a str>,
    msdyn_telephone1extension: Option<&'a str>,
    msdyn_primarytwitteriddescription: Option<&'a str>,
    msdyn_websiteurldescription: Option<&'a str>,
}

/// `"/set(id)"`
struct Bind {
    set: &'static str,
    id: [u8; 16],
}

impl Serialize for Bind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}({})", self.set, Guid(self.id))
    }
}

/// A decimal, written exactly.
struct Number(Box<RawValue>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Known {
    fn bind(&self, reference: usize, set: &'static str, key: &str) -> Option<Option<Bind>> {
        if key.is_empty() {
            return Some(None);
        }
        let id = self.id(reference, key)?;
        Some(Some(Bind { set, id }))
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches(' ')
}

fn whole(text: &str, limit: usize) -> Option<Option<&str>> {
    let text = trimmed(text);
    if text.is_empty() {
        return Some(None);
    }
    let fits = text.len() <= limit || text.encode_utf16().count() <= limit;
    fits.then_some(Some(text))
}

#[allow(clippy::unnecessary_wraps, reason = "it stands where `whole` does")]
fn cut(text: &str, limit: usize) -> Option<Option<&str>> {
    let mut text = trimmed(text);
    if text.len() > limit {
        let mut left = limit;
        let end = text.char_indices().find(|(_, c)| {
            let fits = left >= c.len_utf16();
            left = left.saturating_sub(c.len_utf16());
            !fits
        });
        text = &text[..end.map_or(text.len(), |(at, _)| at)];
    }
    Some((!text.is_empty()).then_some(text))
}

fn decimal(raw: &RawValue, scale: u8, least: i128, most: i128) -> Option<Number> {
    let exact: Decimal = raw.get().parse().ok()?;
    let n = exact.rescale(scale, Rounding::HalfEven).ok()?;
    let inside = (least..=most).contains(&n.units());
    inside
        .then(|| RawValue::from_string(n.to_string()).ok().map(Number))
        .flatten()
}

fn yes(member: &str) -> Option<bool> {
    match member {
        "No" => Some(false),
        "Yes" => Some(true),
        _ => None,
    }
}

fn on_hold(member: &str) -> Option<i64> {
    let members = ["No", "Invoice", "All", "Payment", "Requisition", "Never"];
    let at = members.iter().position(|m| *m == member)?;
    Some(806_380_000 + at as i64)
}

fn invoice_address(member: &str) -> Option<i64> {
    match member {
        "InvoiceAccount" => Some(0),
        "OrderAccount" => Some(1),
        _ => None,
    }
}

fn employees(count: i32) -> Option<i32> {
    (0..=1_000_000_000).contains(&count).then_some(count)
}

impl<'a> Account<'a> {
    fn of(c: &'a Customer<'a>, known: &Known) -> Option<Self> {
        Some(Self {
            msdyn_company: known.bind(0, "cdm_companies", trimmed(&c.data_area_id))?,
            accountnumber: whole(&c.customer_account, 20)?,
            name: whole(&c.organization_name, 160)?,
            numberofemployees: employees(c.organization_number_of_employees)?,
            msdyn_partynumber: whole(&c.party_number, 100)?,
            msdyn_partycountry: whole(&c.party_country, 100)?,
            msdyn_partystateprovince: whole(&c.party_state, 100)?,
            msdyn_identificationnumber: whole(&c.identification_number, 100)?,
            description: cut(&c.sales_memo, 2000)?,
            primarycontactid: known.bind(1, "contacts", trimmed(&c.contact_person_id))?,
            msdyn_vendor: known.bind(2, "msdyn_vendors", trimmed(&c.vendor_account))?,
            customertypecode: 3,
            msdyn_customergroupid: known.bind(
                3,
                "msdyn_customergroups",
                trimmed(&c.customer_group_id),
            )?,
            transactioncurrencyid: known.bind(
                4,
                "transactioncurrencies",
                trimmed(&c.sales_currency_code),
            )?,
            creditlimit: decimal(c.credit_limit, 2, 0, 10_000_000_000_000_000)?,
            msdyn_creditlimitismandatory: yes(c.credit_limit_is_mandatory)?,
            msdyn_creditrating: whole(&c.credit_rating, 100)?,
            msdyn_onholdstatus: on_hold(c.on_hold_status)?,
            msdyn_onetimecustomer: yes(c.is_one_time_customer)?,
            msdyn_taxexemptnumber: whole(&c.tax_exempt_number, 100)?,
            msdyn_billingaccount: known.bind(5, "accounts", trimmed(&c.invoice_account))?,
            msdyn_invoiceaddress: invoice_address(c.invoice_address)?,
            msdyn_paymentterm: known.bind(6, "msdyn_paymentterms", trimmed(&c.payment_terms))?,
            msdyn_paymenttermsbasedays: c.payment_terms_base_days,
            msdyn_paymentschedule: known.bind(
                7,
                "msdyn_paymentschedules",
                trimmed(&c.payment_schedule),
            )?,
            msdyn_paymentday: known.bind(8, "msdyn_paymentdays", trimmed(&c.payment_day))?,
            msdyn_customerpaymentmethod: known.bind(
                9,
                "msdyn_customerpaymentmethods",
                trimmed(&c.payment_method),
            )?,
            address1_city: whole(&c.delivery_address_city, 80)?,
            address1_country: whole(&c.delivery_address_country_region_iso_code, 80)?,
            address1_county: whole(&c.delivery_address_county, 50)?,
            address1_latitude: decimal(c.delivery_address_latitude, 5, -9_000_000, 9_000_000)?,
            address1_longitude: decimal(c.delivery_address_longitude, 5, -18_000_000, 18_000_000)?,
            address1_postalcode: whole(&c.delivery_address_zip_code, 20)?,
            address1_line1: whole(&c.delivery_address_street, 250)?,
            address1_stateorprovince: whole(&c.delivery_address_state, 50)?,
            address1_addresstypecode: 2,
            address2_city: whole(&c.invoice_address_city, 80)?,
            address2_country: whole(&c.invoice_address_country_region_iso_code, 80)?,
            address2_county: whole(&c.invoice_address_county, 50)?,
            address2_latitude: decimal(c.invoice_address_latitude, 5, -9_000_000, 9_000_000)?,
            address2_longitude: decimal(c.invoice_address_longitude, 5, -18_000_000, 18_000_000)?,
            address2_stateorprovince: whole(&c.invoice_address_state, 50)?,
            address2_line1: whole(&c.invoice_address_street, 250)?,
            address2_postalcode: whole(&c.invoice_address_zip_code, 20)?,
            emailaddress1: cut(&c.primary_contact_email, 100)?,
            fax: cut(&c.primary_contact_fax, 50)?,
            telephone1: cut(&c.primary_contact_phone, 50)?,
            primarytwitterid: cut(&c.primary_contact_twitter, 128)?,
            websiteurl: cut(&c.primary_contact_url, 200)?,
            msdyn_primaryfacebookid: whole(&c.primary_contact_facebook, 255)?,
            msdyn_faxextension: whole(&c.primary_contact_fax_extension, 100)?,
            msdyn_primarylinkedinid: whole(&c.primary_contact_linked_in, 255)?,
            msdyn_emailaddress1description: whole(&c.primary_contact_email_description, 100)?,
            msdyn_primaryfacebookdescription: whole(&c.primary_contact_facebook_description, 100)?,
            msdyn_faxdescription: whole(&c.primary_contact_fax_description, 100)?,
            msdyn_primarylinkedindescrption: whole(&c.primary_contact_linked_in_description, 100)?,
            msdyn_telephone1description: whole(&c.primary_contact_phone_description, 100)?,
            msdyn_telephone1extension: whole(&c.primary_contact_phone_extension, 100)?,
            msdyn_primarytwitteriddescription: whole(&c.primary_contact_twitter_description, 100)?,
            msdyn_websiteurldescription: whole(&c.primary_contact_url_description, 255)?,
        })
    }
}

/// Appends the account's JSON; none where the customer is refused or isn't in the map.
pub fn transform(json: &[u8], known: &Known, out: &mut Vec<u8>) -> Option<()> {
    let customer: Customer<'_> = serde_json::from_slice(json).ok()?;
    if !customer.party_type.eq_ignore_ascii_case("Organization") {
        return None;
    }
    let account = Account::of(&customer, known)?;
    serde_json::to_writer(out, &account).ok()
}

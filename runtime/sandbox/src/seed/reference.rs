//! Companies, currencies, terms, groups: what customers and vendors refer to, agreeing on both sides.

use serde_json::{Value as Json, json};

use super::record::{Part, Record};
use super::words::COMPANIES;
use Part::{Crm, Ref, Same};

/// Code, name, symbol.
const CURRENCIES: &[(&str, &str, &str)] = &[
    ("USD", "US Dollar", "$"),
    ("EUR", "Euro", "€"),
    ("GBP", "Pound Sterling", "£"),
    ("CHF", "Swiss Franc", "CHF"),
];
/// Name, what it says, days, months, cash.
const TERMS: &[(&str, &str, i64, i64, bool)] = &[
    ("COD", "Cash on delivery", 0, 0, true),
    ("Net7", "Net 7 days", 7, 0, false),
    ("Net30", "Net 30 days", 30, 0, false),
    ("Net60", "Net 60 days", 60, 0, false),
    ("2Months", "Two months", 0, 2, false),
];
/// Group, what it says, its terms.
const CUSTOMER_GROUPS: &[(&str, &str, &str)] = &[
    ("10", "Wholesale customers", "Net30"),
    ("20", "Major customers", "Net60"),
    ("30", "Retail customers", "Net7"),
    ("80", "Other customers", "Net30"),
];
const VENDOR_GROUPS: &[(&str, &str, &str)] = &[
    ("10", "Parts vendors", "Net30"),
    ("20", "Service vendors", "Net7"),
    ("30", "Other vendors", "Net30"),
];
/// Method, what it says, its kind for customers and for vendors.
const METHODS: &[(&str, &str, &str, &str)] = &[
    ("CASH", "Cash", "Other", "Blank"),
    ("CHECK", "Check", "Check", "Check"),
    (
        "ELECTRONIC",
        "Electronic payment",
        "ElectronicPayment",
        "ElectronicPayment",
    ),
];

/// Groups and methods, by name, for those who refer to them.
pub(super) const CUSTOMER_GROUP_NAMES: &[&str] = &["10", "20", "30", "80"];
pub(super) const TERM_NAMES: &[&str] = &["Net7", "Net30", "Net60", "2Months"];
pub(super) const METHOD_NAMES: &[&str] = &["CASH", "CHECK", "ELECTRONIC"];
pub(super) const VENDOR_GROUP_NAMES: &[&str] = &["10", "20", "30"];

/// All of it, what is referred to first.
pub(super) fn records() -> Vec<Record> {
    let mut out = Vec::new();
    for company in &COMPANIES {
        let parts = vec![
            Same("LegalEntityId", "cdm_companycode", company.code.into()),
            Same("Name", "cdm_name", company.name.into()),
        ];
        out.push(Record::new(
            ("LegalEntities", "cdm_companies"),
            None,
            company.code,
            parts,
        ));
    }
    for (code, name, symbol) in CURRENCIES {
        let parts = vec![
            Same("CurrencyCode", "isocurrencycode", (*code).into()),
            Same("Name", "currencyname", (*name).into()),
            Same("Symbol", "currencysymbol", (*symbol).into()),
            Crm("exchangerate", json!(1)),
            Crm("currencyprecision", json!(2)),
        ];
        out.push(Record::new(
            ("Currencies", "transactioncurrencies"),
            None,
            *code,
            parts,
        ));
    }
    for company in &COMPANIES {
        of_company(&mut out, company.code);
    }
    out
}

fn of_company(out: &mut Vec<Record>, company: &'static str) {
    let mut add = |sets, name: &str, parts| out.push(Record::new(sets, Some(company), name, parts));
    let named = |name: &str, what: &str| {
        [
            Same("Name", "msdyn_name", name.into()),
            Same("Description", "msdyn_description", what.into()),
        ]
    };
    let zero = || Json::from(0);

    add(
        ("PaymentDaysCds", "msdyn_paymentdays"),
        "15th",
        named("15th", "The 15th of each month").into(),
    );
    let line = vec![
        Ref(
            "Name",
            "_msdyn_paymentday_value",
            "msdyn_paymentdays",
            "15th".to_owned(),
        ),
        Same("LineNumber", "msdyn_linenumber", json!(1)),
        Same("Frequency", "msdyn_frequency", "Month".into()),
        Same("DayOfWeek", "msdyn_dayofweek", "None".into()),
        Same("DayOfMonth", "msdyn_dayofmonth", json!(15)),
    ];
    add(
        ("PaymentDayLinesCdsV2", "msdyn_paymentdaylines"),
        "15th/1",
        line,
    );

    let mut schedule: Vec<Part> = named("Thirds", "Three equal payments").into();
    schedule.extend([
        Same(
            "AllocationMethod",
            "msdyn_allocationmethod",
            "NumOfPayment".into(),
        ),
        Same(
            "PaymentFrequencyUnits",
            "msdyn_paymentfrequencyunit",
            "Month".into(),
        ),
        Same("PaymentFrequency", "msdyn_paymentfrequency", json!(1)),
        Same("NumberOfPayments", "msdyn_numberofpayments", json!(3)),
        Same("FixedPaymentAmount", "msdyn_fixedpaymentamount", zero()),
        Same("MinimumPaymentAmount", "msdyn_minimumpaymentamount", zero()),
        Same(
            "SalesTaxAllocationMethod",
            "msdyn_salestaxallocationmethod",
            "Proportional".into(),
        ),
    ]);
    add(
        ("PaymentSchedules", "msdyn_paymentschedules"),
        "Thirds",
        schedule,
    );
    for number in 1..=3 {
        let line = vec![
            Ref(
                "PaymentScheduleName",
                "_msdyn_paymentschedule_value",
                "msdyn_paymentschedules",
                "Thirds".to_owned(),
            ),
            Same("LineNumber", "msdyn_linenumber", json!(number)),
            Same(
                "PeriodsAfterDueDate",
                "msdyn_periodsafterduedate",
                json!(number - 1),
            ),
            Same("PercentOrAmount", "msdyn_percentoramount", "Percent".into()),
            Same(
                "PercentOrAmountValue",
                "msdyn_percentoramountvalue",
                json!(if number == 3 { 34 } else { 33 }),
            ),
        ];
        add(
            ("PaymentScheduleLines", "msdyn_paymentschedulelines"),
            &format!("Thirds/{number}"),
            line,
        );
    }
    for (name, what, days, months, cash) in TERMS {
        let mut parts: Vec<Part> = named(name, what).into();
        parts.extend([
            Same("NumberOfDays", "msdyn_days", json!(days)),
            Same("NumberOfMonths", "msdyn_numberofmonth", json!(months)),
            Same("CutoffDayOfMonth", "msdyn_cutoffdayofmonth", zero()),
            Same("IsCashPayment", "msdyn_iscashpayment", json!(cash)),
            Same(
                "IsCertifiedCompanyCheck",
                "msdyn_iscertifiedcompanycheck",
                json!(false),
            ),
            Same(
                "IsDefaultPaymentTerm",
                "msdyn_isdefaultpaymentterm",
                json!(*name == "Net30"),
            ),
            Same(
                "CreditCardPaymentType",
                "msdyn_creditcardpaymenttype",
                "NA".into(),
            ),
            Same(
                "CreditCardCreditCheckType",
                "msdyn_creditcardcreditchecktype",
                "Normal".into(),
            ),
            Same("PaymentMethodType", "msdyn_paymentmethodtype", "Net".into()),
        ]);
        add(("PaymentTerms", "msdyn_paymentterms"), name, parts);
    }
    for (name, what, customers, vendors) in METHODS {
        let (for_customers, for_vendors) =
            methods(named(name, what), named(name, what), customers, vendors);
        add(
            ("CustomerPaymentMethods", "msdyn_customerpaymentmethods"),
            name,
            for_customers,
        );
        add(
            ("VendorPaymentMethods", "msdyn_vendorpaymentmethods"),
            name,
            for_vendors,
        );
    }
    let tax = vec![
        Same("TaxGroupCode", "msdyn_name", "STD".into()),
        Same("Description", "msdyn_description", "Standard rate".into()),
    ];
    add(("TaxGroups", "msdyn_taxgroups"), "STD", tax);
    for (group, what, terms) in CUSTOMER_GROUPS {
        let parts = vec![
            Same("CustomerGroupId", "msdyn_groupid", (*group).into()),
            Same("Description", "msdyn_description", (*what).into()),
            Same(
                "IsSalesTaxIncludedInPrice",
                "msdyn_issalestaxincludedinprice",
                json!(false),
            ),
            Ref(
                "PaymentTermId",
                "_msdyn_paymenttermid_value",
                "msdyn_paymentterms",
                (*terms).to_owned(),
            ),
        ];
        add(("CustomerGroups", "msdyn_customergroups"), group, parts);
    }
    for (group, what, terms) in VENDOR_GROUPS {
        let parts = vec![
            Same("VendorGroupId", "msdyn_vendorgroup", (*group).into()),
            Same("Description", "msdyn_description", (*what).into()),
            Ref(
                "DefaultPaymentTermName",
                "_msdyn_paymentterms_value",
                "msdyn_paymentterms",
                (*terms).to_owned(),
            ),
        ];
        add(("VendorGroups", "msdyn_vendorgroups"), group, parts);
    }
}

/// A method of payment as customers and as vendors have it.
fn methods(
    customers: [Part; 2],
    vendors: [Part; 2],
    customer_kind: &str,
    vendor_kind: &str,
) -> (Vec<Part>, Vec<Part>) {
    let common = || {
        vec![
            Same("AccountType", "msdyn_accounttype", "Ledger".into()),
            Same(
                "DiscountGracePeriodDays",
                "msdyn_discountgraceperioddays",
                json!(0),
            ),
            Same("LastFileNumber", "msdyn_lastfilenumber", json!(0)),
            Same("LastFileNumberToday", "msdyn_lastfilenumbertoday", json!(0)),
            Same("PaymentStatus", "msdyn_paymentstatus", "None".into()),
            Same("SumByPeriod", "msdyn_sumbyperiod", "Invoice".into()),
            Same("DirectDebit", "msdyn_directdebit", json!(false)),
        ]
    };
    let no = || json!(false);
    let mut for_customers: Vec<Part> = customers.into();
    for_customers.extend(common());
    for_customers.extend([
        Same("PaymentType", "msdyn_paymenttype", customer_kind.into()),
        Same(
            "BridgingPostingEnabled",
            "msdyn_bridgingpostingenabled",
            no(),
        ),
        Same("IsSEPA", "msdyn_issepa", no()),
        Same(
            "CreateAndDrawBillOfExchangeDuringInvoicePosting",
            "msdyn_invoiceupdate",
            no(),
        ),
        Same(
            "EnablePostdatedCheckClearingPosting",
            "msdyn_enablepostdatescheckclearingposting",
            no(),
        ),
        Same(
            "BillOfExchangeDraftType",
            "msdyn_billofexchangedrafttype",
            "NoDraft".into(),
        ),
    ]);
    let mut for_vendors: Vec<Part> = vendors.into();
    for_vendors.extend(common());
    for_vendors.extend([
        Same("PaymentType", "msdyn_paymenttype", vendor_kind.into()),
        Same("AllowPaymentCopies", "msdyn_allowpaymentcopies", no()),
        Same("BridgingPostingEnabled", "msdyn_bridgingposting", no()),
        Same(
            "EnablePostdatedCheckClearingPosting",
            "msdyn_postdatedcheckclearingposting",
            no(),
        ),
        Same(
            "PromissoryNoteDraftType",
            "msdyn_promissorynotedrafttype",
            "NoDraft".into(),
        ),
    ]);
    (for_customers, for_vendors)
}

//! The system query options of a request.

use crate::filter::{self, Expr, Refused};
use crate::model::Service;

/// One term of `$orderby`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub path: Vec<String>,
    pub descending: bool,
}

/// One navigation of `$expand`, with what of its row is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expand {
    pub nav: String,
    pub select: Option<Vec<String>>,
}

/// The options.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options {
    pub select: Option<Vec<String>>,
    pub filter: Option<Expr>,
    pub order: Vec<Order>,
    pub expand: Vec<Expand>,
    pub top: Option<u64>,
    pub skip: Option<u64>,
    pub count: bool,
    pub skip_token: Option<String>,
    pub delta_token: Option<String>,
    pub cross_company: bool,
}

impl Options {
    /// Reads decoded options. Options without `$` are not the service's concern, but for `cross-company`.
    pub(crate) fn parse(service: Service, query: &[(String, String)]) -> Result<Self, Refused> {
        let mut options = Self::default();
        for (name, value) in query {
            match name.as_str() {
                "$select" => options.select = names(value),
                "$filter" => options.filter = Some(filter::parse(service, value)?),
                "$orderby" => options.order = orders(value)?,
                "$expand" => options.expand = expands(value)?,
                "$top" => options.top = Some(number(name, value)?),
                "$skip" => options.skip = Some(number(name, value)?),
                "$count" => options.count = value == "true",
                "$skiptoken" => options.skip_token = Some(value.clone()),
                "$deltatoken" => options.delta_token = Some(value.clone()),
                "cross-company" => options.cross_company = value.eq_ignore_ascii_case("true"),
                unknown if unknown.starts_with('$') => {
                    return Err(Refused(format!(
                        "The query parameter '{unknown}' is not supported."
                    )));
                }
                _ => {}
            }
        }
        Ok(options)
    }
}

fn number(name: &str, value: &str) -> Result<u64, Refused> {
    value.parse().map_err(|_| Refused(format!("Invalid value '{value}' for {name} query option found. The {name} query option requires a non-negative integer value.")))
}

fn names(value: &str) -> Option<Vec<String>> {
    let names: Vec<String> = value
        .split(',')
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty())
        .collect();
    (!names.is_empty() && !names.iter().any(|n| n == "*")).then_some(names)
}

fn orders(value: &str) -> Result<Vec<Order>, Refused> {
    value
        .split(',')
        .map(str::trim)
        .filter(|term| !term.is_empty())
        .map(|term| {
            let mut words = term.split_whitespace();
            let path = words
                .next()
                .unwrap_or_default()
                .split('/')
                .map(str::to_owned)
                .collect();
            let descending = match words.next() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(other) => {
                    return Err(Refused(format!(
                        "Syntax error: '{other}' in '{term}'; expected asc or desc."
                    )));
                }
            };
            Ok(Order { path, descending })
        })
        .collect()
}

/// `a($select=x,y),b`.
fn expands(value: &str) -> Result<Vec<Expand>, Refused> {
    let mut out = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let end = rest.find(['(', ',']).unwrap_or(rest.len());
        let nav = rest[..end].trim().to_owned();
        let mut select = None;
        rest = &rest[end..];
        if let Some(inner) = rest.strip_prefix('(') {
            let close = inner.find(')').ok_or_else(|| {
                Refused(format!(
                    "Found an unbalanced bracket expression in '{value}'."
                ))
            })?;
            for option in inner[..close]
                .split(';')
                .map(str::trim)
                .filter(|o| !o.is_empty())
            {
                match option.split_once('=') {
                    Some(("$select", value)) => select = names(value),
                    _ => {
                        return Err(Refused(format!(
                            "The expand option '{option}' is not supported."
                        )));
                    }
                }
            }
            rest = inner[close + 1..].trim_start();
        }
        rest = match rest.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(Refused(format!("Syntax error in '{value}'."))),
        };
        if nav.is_empty() {
            return Err(Refused(format!("Syntax error in '{value}'.")));
        }
        out.push(Expand { nav, select });
    }
    Ok(out)
}

//! Error answers, of both services and of the token endpoint, and answers that are none.

use serde::{Deserialize, Serialize};

/// What a service says about a request that it refused.
///
/// Dataverse: `{"error":{"code":"0x80040217","message":"…"}}`. Finance & Operations puts the reason in
/// `innererror.message`. The token endpoint: `{"error":"invalid_client","error_description":"AADSTS…"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// The service's code; may be empty.
    pub code: String,
    /// The message.
    pub message: String,
    /// The innermost message, where the service gives one: the true reason in Finance & Operations.
    pub inner: Option<String>,
}

/// An answer that isn't the service's JSON: a login page, a proxy's error, a truncated body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// Nothing at all.
    #[error("the answer was empty; check that the address is the service's own")]
    Empty,
    /// A web page.
    #[error(
        "the answer was a web page instead of JSON (`{first_line}`); check the address, and whether a proxy or a login page stands before the service"
    )]
    Html {
        /// Its first line, shortened.
        first_line: String,
    },
    /// Anything else.
    #[error(
        "the answer was not the JSON that was expected ({problem}; it begins `{first_line}`); check that the address is the service's own"
    )]
    Other {
        /// Its first line, shortened.
        first_line: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Nonsense {
    /// Describes a body that couldn't be read, with the reason.
    pub fn of(body: &[u8], problem: impl std::fmt::Display) -> Self {
        let text = String::from_utf8_lossy(&body[..body.len().min(512)]);
        let Some(line) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
            return Self::Empty;
        };
        let first_line: String = line.chars().filter(|c| !c.is_control()).take(120).collect();
        let start = line.trim_start_matches('\u{feff}').to_ascii_lowercase();
        if ["<!doctype", "<html", "<head", "<body"]
            .iter()
            .any(|tag| start.starts_with(tag))
        {
            return Self::Html { first_line };
        }
        Self::Other {
            first_line,
            problem: problem.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    error: Either,
    #[serde(default)]
    error_description: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Object(Wire),
    Name(String),
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    innererror: Option<Inner>,
}

/// OData v2 services, and some layers before v4 ones, give the message as an object with its language.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Localised { value: String },
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    internalexception: Option<Box<Inner>>,
}

impl Inner {
    /// The message of the innermost exception that has one, since outer ones only say that there is an inner one.
    fn innermost(self) -> Option<String> {
        let deeper = self.internalexception.and_then(|inner| inner.innermost());
        deeper.or(self.message.filter(|m| !m.is_empty()))
    }
}

#[derive(Serialize)]
struct Rendered<'a> {
    error: RenderedBody<'a>,
}

#[derive(Serialize)]
struct RenderedBody<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    innererror: Option<RenderedInner<'a>>,
}

#[derive(Serialize)]
struct RenderedInner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    stacktrace: &'a str,
}

impl ErrorBody {
    /// An error without inner message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            inner: None,
        }
    }

    /// Reads the body of an answer with an error status.
    ///
    /// ```
    /// use dwmap_odata::ErrorBody;
    /// let body = br#"{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"Infolog: Error: no group"}}}"#;
    /// assert_eq!(ErrorBody::parse(body).unwrap().reason(), "Infolog: Error: no group");
    /// let page = ErrorBody::parse(b"<html><body>Bad gateway").unwrap_err();
    /// assert!(page.to_string().contains("<html>"));
    /// ```
    pub fn parse(body: &[u8]) -> Result<Self, Nonsense> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|e| Nonsense::of(body, e))?;
        Ok(match envelope.error {
            Either::Name(code) => Self::new(code, envelope.error_description.unwrap_or_default()),
            Either::Object(wire) => Self {
                code: wire.code.unwrap_or_default(),
                message: match wire.message {
                    Some(Message::Text(text) | Message::Localised { value: text }) => text,
                    None => String::new(),
                },
                inner: wire.innererror.and_then(Inner::innermost),
            },
        })
    }

    /// What to show: the innermost message, else the message, else the code.
    pub fn reason(&self) -> &str {
        let message = if self.message.is_empty() {
            &self.code
        } else {
            &self.message
        };
        self.inner.as_deref().unwrap_or(message)
    }

    /// The services' JSON.
    pub fn render(&self) -> String {
        let rendered = Rendered {
            error: RenderedBody {
                code: &self.code,
                message: &self.message,
                innererror: self.inner.as_deref().map(|message| RenderedInner {
                    message,
                    kind: "Microsoft.Dynamics.Platform.Integration.Services.OData.ODataException",
                    stacktrace: "",
                }),
            },
        };
        // Strings alone: there is nothing in it that JSON can't hold.
        serde_json::to_string(&rendered).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_token_endpoint() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
        let error = ErrorBody::parse(body).unwrap();
        assert_eq!(error.code, "invalid_client");
        assert!(error.reason().starts_with("AADSTS7000215"));
    }

    #[test]
    fn takes_the_innermost_message() {
        let body = br#"{"error":{"code":"","message":"An error has occurred.","innererror":{"message":"outer","type":"T",
            "internalexception":{"message":"Write failed for table row of type 'X'."}}}}"#;
        assert_eq!(
            ErrorBody::parse(body).unwrap().reason(),
            "Write failed for table row of type 'X'."
        );
    }

    #[test]
    fn says_what_nonsense_it_got() {
        assert_eq!(ErrorBody::parse(b" \r\n"), Err(Nonsense::Empty));
        let page = ErrorBody::parse(b"\n<!DOCTYPE html>\n<html>").unwrap_err();
        assert_eq!(
            page,
            Nonsense::Html {
                first_line: "<!DOCTYPE html>".to_owned()
            }
        );
        let cut = ErrorBody::parse(br#"{"error":{"code":"0x8"#).unwrap_err();
        assert!(matches!(cut, Nonsense::Other { .. }), "{cut}");
    }

    proptest! {
        #[test]
        fn round_trips(code in any::<String>(), message in any::<String>(), inner in proptest::option::of(".+")) {
            let error = ErrorBody { code, message, inner };
            prop_assert_eq!(ErrorBody::parse(error.render().as_bytes()), Ok(error));
        }

        #[test]
        fn any_bytes_are_read_or_described(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(nonsense) = ErrorBody::parse(&body) {
                prop_assert!(nonsense.to_string().len() < 1000);
            }
        }
    }
}

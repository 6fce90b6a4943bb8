//! The framed, hashed file around a plan.
//!
//! ```text
//! offset  bytes
//!  0       8      magic "DWMPLAN\n"
//!  8       2      format, major (little endian)
//! 10       2      format, minor
//! 12      32      content hash: blake3 of the body
//! 44      32      semantic hash: blake3 of the body with all places in sources left out
//! 76       8      length of the body
//! 84       …      body: the plan in postcard's encoding
//! ```

use serde::{Deserialize, Serialize};

use crate::{Plan, SourcePlace, verify};

const MAGIC: &[u8; 8] = b"DWMPLAN\n";
const HEADER_LEN: usize = 84;

/// The format that this version writes. A reader refuses a newer major.
pub const FORMAT_MAJOR: u16 = 1;
/// Minor versions only add what older readers can leave unread.
pub const FORMAT_MINOR: u16 = 0;

/// A blake3 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What stands in front of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The format's major and minor version.
    pub format: (u16, u16),
    /// The hash of the body.
    pub content: Hash,
    /// The hash of what the plan means: moving a line in its file doesn't change it.
    pub semantic: Hash,
}

/// Why bytes are not a plan that can be run.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Some other file.
    #[error("this is not a compiled plan (it doesn't begin as one); make one with `dwmap build`")]
    NotAPlan,
    /// Written by a newer version.
    #[error(
        "the plan has format {major}.{minor}, and this version reads up to {FORMAT_MAJOR}.x; upgrade dwmap, or build the plan anew with this version"
    )]
    Newer {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// Bytes are missing at the end, or some are too many.
    #[error(
        "the plan is {found} bytes long where its header says {expected}: it was cut or added to; build or copy it again"
    )]
    Length {
        /// What the header says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// A byte was changed.
    #[error(
        "the plan's content doesn't match its hash: it was altered or damaged; build or copy it again"
    )]
    Altered,
    /// The body isn't readable although its hash fits: made by something else than the compiler.
    #[error("the plan's body can't be read ({0}); build it again")]
    Malformed(String),
    /// The body is readable and makes no sense.
    #[error("the plan was refused: {0}; build it again")]
    Refused(#[from] verify::VerifyError),
}

/// Encodes a plan. Equal plans give equal bytes.
pub fn encode(plan: &Plan) -> Result<Vec<u8>, DecodeError> {
    let body = body_of(plan)?;
    let mut bytes = Vec::with_capacity(HEADER_LEN + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_MAJOR.to_le_bytes());
    bytes.extend_from_slice(&FORMAT_MINOR.to_le_bytes());
    bytes.extend_from_slice(blake3::hash(&body).as_bytes());
    bytes.extend_from_slice(blake3::hash(&body_of(&without_places(plan))?).as_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

fn body_of(plan: &Plan) -> Result<Vec<u8>, DecodeError> {
    postcard::to_stdvec(plan).map_err(|e| DecodeError::Malformed(e.to_string()))
}

/// The plan without anything that only tells where it came from.
fn without_places(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.compiler.clear();
    for map in &mut plan.maps {
        map.place = SourcePlace::default();
        map.doc.clear();
        for line in &mut map.lines {
            line.place = SourcePlace::default();
            line.text.clear();
        }
    }
    plan
}

/// Reads the header alone.
pub fn peek(bytes: &[u8]) -> Result<Header, DecodeError> {
    let magic = bytes.get(..MAGIC.len()).ok_or(DecodeError::NotAPlan)?;
    if magic != MAGIC {
        return Err(DecodeError::NotAPlan);
    }
    let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(DecodeError::Length {
        expected: HEADER_LEN as u64,
        found: bytes.len() as u64,
    })?;
    let (major, minor) = (
        u16::from_le_bytes([header[8], header[9]]),
        u16::from_le_bytes([header[10], header[11]]),
    );
    if major > FORMAT_MAJOR {
        return Err(DecodeError::Newer { major, minor });
    }
    let hash_at = |at: usize| {
        let mut hash = [0; 32];
        hash.copy_from_slice(&header[at..at + 32]);
        Hash(hash)
    };
    Ok(Header {
        format: (major, minor),
        content: hash_at(12),
        semantic: hash_at(44),
    })
}

/// Decodes and verifies a plan. Bytes are untrusted: any damage is an error that says what to do.
pub fn decode(bytes: &[u8]) -> Result<(Header, Plan), DecodeError> {
    let header = peek(bytes)?;
    let mut length = [0; 8];
    length.copy_from_slice(&bytes[76..84]);
    let (expected, body) = (u64::from_le_bytes(length), &bytes[HEADER_LEN..]);
    if expected != body.len() as u64 {
        return Err(DecodeError::Length {
            expected: expected.saturating_add(HEADER_LEN as u64),
            found: bytes.len() as u64,
        });
    }
    if blake3::hash(body).as_bytes() != &header.content.0 {
        return Err(DecodeError::Altered);
    }
    let (plan, rest): (Plan, _) =
        postcard::take_from_bytes(body).map_err(|e| DecodeError::Malformed(e.to_string()))?;
    if !rest.is_empty() {
        return Err(DecodeError::Malformed(format!(
            "{} bytes are left over",
            rest.len()
        )));
    }
    verify::plan(&plan)?;
    Ok((header, plan))
}

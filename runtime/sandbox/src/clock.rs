//! Time and new ids.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
pub(crate) fn now_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_micros() as i64)
}

/// The same, cut to whole seconds, as Dataverse keeps its times.
pub(crate) fn now_seconds_micros() -> i64 {
    let now = now_micros();
    now - now.rem_euclid(1_000_000)
}

/// A GUID that no row has yet: the time first, so that new rows go to the end of the index.
/// Source: RFC 9562, version 7.
pub(crate) fn new_id() -> [u8; 16] {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let noise = RandomState::new().hash_one(count);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&((now_micros() as u64 / 1000) << 16 | (count & 0xfff)).to_be_bytes());
    id[8..].copy_from_slice(&noise.to_be_bytes());
    id[6] = 0x70 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    id
}

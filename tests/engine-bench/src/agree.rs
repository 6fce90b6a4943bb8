//! Whether all have made the same of a record.

use serde_json::Value;

/// The one column with numbers that stand between two of its units.
const MONEY: &str = "creditlimit";

/// The bodies of `serde_json`, VRL and the engine: the exact ones are equal byte for byte, and VRL's, whose members stand
/// in another order, as JSON. Its money may be a cent off; how often it is, is counted.
pub fn check([by_hand, vrl, fused, encoded]: &[Vec<u8>; 4]) -> Result<usize, String> {
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    for exact in [fused, encoded] {
        if exact != by_hand {
            return Err(format!("{}\n{}", text(by_hand), text(exact)));
        }
    }
    let parse = |body: &[u8]| serde_json::from_slice::<Value>(body).map_err(|e| e.to_string());
    let (mut exact, mut binary) = (parse(by_hand)?, parse(vrl)?);
    let money = [&mut exact, &mut binary].map(|body| body[MONEY].take().as_f64());
    let [Some(cents), Some(rounded)] = money.map(|m| m.map(|m| (m * 100.0).round() as i64)) else {
        return Err(format!("no {MONEY}: {money:?}"));
    };
    if exact != binary || cents.abs_diff(rounded) > 1 {
        return Err(format!("{}\n{}", text(by_hand), text(vrl)));
    }
    Ok(usize::from(cents != rounded))
}

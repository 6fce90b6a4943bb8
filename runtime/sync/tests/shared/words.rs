//! The runtime's state in words, for stories of failing runs.

use dwmap_sync::state::{Change, LinkState, MarkId};
use dwmap_sync::{PairKey, RecordId};

use super::wire::key_text;

/// A pair's key as stories write it.
pub(crate) fn pair_text(pair: &PairKey) -> String {
    pair.values()
        .map_or_else(|e| e.to_string(), |v| key_text(&v))
}

/// The pair of a change by which every line of it has been in order once.
pub(crate) fn met(change: &Change) -> Option<String> {
    let Change::PutLink(link) = change else {
        return None;
    };
    let mut bases = link.bases.iter();
    let whole = bases.all(|(_, base)| base.sides.iter().all(Option::is_some));
    (link.state == LinkState::Linked && whole).then(|| pair_text(&link.pair))
}

/// A change of the state in a few words; none for those that say nothing about a record.
pub(crate) fn describe(change: &Change) -> Option<String> {
    let record = |r: &RecordId| r.values().map_or_else(|e| e.to_string(), |v| key_text(&v));
    let mark = |id: &MarkId| format!("{:?} {}", id.side, record(&id.record));
    Some(match change {
        Change::PutLink(link) => {
            let versions = link
                .sides
                .each_ref()
                .map(|s| s.version.as_ref().map_or("-", |v| v.0.as_str()).to_owned());
            format!(
                "link {} {:?} at {} | {}, moved {}",
                pair_text(&link.pair),
                link.state,
                versions[0],
                versions[1],
                link.moved
            )
        }
        Change::DropLink(_, pair) => format!("no link {}", pair_text(pair)),
        Change::Mark { id, generation, .. } => format!("mark {} ({generation})", mark(id)),
        Change::Clear { id, seen } => format!("clear {} (seen {seen})", mark(id)),
        Change::Settle { mark: m, seen } => format!(
            "mark {} becomes {:?} (seen {seen}){}",
            mark(&m.id),
            m.cause,
            m.error
                .as_ref()
                .map_or_else(String::new, |e| format!(": {}", e.message))
        ),
        Change::PutIntent(intent) => format!(
            "intent {:?} {} on {:?}",
            intent.kind,
            pair_text(&intent.pair),
            intent.side
        ),
        Change::Say(m) => format!("a person says {:?} of {}", m.word, mark(&m.id)),
        Change::DropIntent(_, pair, side) => format!("intent {} on {side:?} done", pair_text(pair)),
        Change::SetCursor(set, cursor) => {
            let at = cursor.0.lines().last().unwrap_or_default();
            format!("cursor of {} {at}", set.set)
        }
        Change::DropCursor(set) => format!("no cursor of {}", set.set),
        Change::SetStatus(_, status) => format!("map {:?} {}", status.mode, status.reason),
        Change::Log(activity) => format!(
            "log: {:?} {} {}",
            activity.kind, activity.record, activity.detail
        ),
        Change::Adopt { .. }
        | Change::Wait { .. }
        | Change::Wake { .. }
        | Change::Release { .. }
        | Change::Discard(_)
        | Change::SetReadonly(_)
        | Change::ForgetRequests(_)
        | Change::TakeUp(_)
        | Change::Answer(..)
        | Change::Know(..)
        | Change::Forget(..) => {
            return None;
        }
    })
}

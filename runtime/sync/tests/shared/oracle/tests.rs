//! The oracle is tested too: what it lets pass, and what it doesn't.

use dwmap_plan::Side::{self, Left, Right};
use serde_json::json;

use super::{Broken, Landed, Oracle, Promise, Rules, Standing};
use crate::shared::lines::{Groups, LINES};
use crate::shared::wire::Fields;

struct NoGroups;

impl Groups for NoGroups {
    fn code(&self, _: &str) -> String {
        String::new()
    }

    fn exists(&self, _: &str, _: &str) -> bool {
        false
    }
}

const KEY: &str = "usmf/c0";

fn oracle() -> Oracle {
    Oracle::new(Rules {
        prefer: Left,
        deletes: [true; 2],
        fight: false,
        delete_max: 100,
    })
}

fn row(side: Side, name: &str) -> Fields {
    let row = match side {
        Left => {
            json!({ "Name": name, "PartyType": "Organization", "CreditLimit": 0, "OnHold": "No" })
        }
        Right => json!({ "name": name, "onhold": false }),
    };
    row.as_object().unwrap().clone()
}

/// A user's edit of the name over what stood there. The row afterwards.
fn edit(oracle: &mut Oracle, side: Side, over: &Fields) -> Fields {
    let tag = oracle.next_tag();
    oracle.edited(side, KEY, 0, Some(over));
    row(side, &format!("Acme t{tag}"))
}

/// A write of the runtime.
fn carry(
    oracle: &mut Oracle,
    side: Side,
    before: &Fields,
    after: &Fields,
    guarded: bool,
    seen: &Fields,
) {
    oracle.landed(&Landed {
        side,
        key: KEY,
        before: Some(before),
        after: Some(after),
        columns: &[LINES[0].column(side).to_owned()],
        guarded,
        seen: Some(seen),
    });
    oracle.acknowledged(side, KEY, true);
}

fn judge(oracle: &mut Oracle, left: Option<&Fields>, right: Option<&Fields>) -> Option<Broken> {
    oracle.judge(|_| Standing {
        rows: [left, right],
        in_errors: false,
        waits: false,
        held: false,
        neighbours: [true; 2],
        groups: &NoGroups,
    });
    oracle.broken().cloned()
}

/// Both sides have one record, which a user made at the left and the runtime carried over.
fn joined(oracle: &mut Oracle) -> [Fields; 2] {
    oracle.created(Left, KEY);
    oracle.edited(Left, KEY, 0, None);
    [row(Left, "Acme t1"), row(Right, "Acme t1")]
}

#[test]
fn an_edit_that_goes_across_is_fine() {
    let mut oracle = oracle();
    let [left, right] = joined(&mut oracle);
    let edited = edit(&mut oracle, Right, &right);
    let arrived = row(Left, "Acme t2");
    carry(&mut oracle, Left, &left, &arrived, true, &left);
    assert_eq!(judge(&mut oracle, Some(&arrived), Some(&edited)), None);
}

#[test]
fn an_edit_that_is_turned_back_breaks_order() {
    let mut oracle = oracle();
    let [left, right] = joined(&mut oracle);
    let edited = edit(&mut oracle, Right, &right);
    carry(&mut oracle, Right, &edited, &right, true, &edited);
    assert_eq!(oracle.broken().unwrap().promise, Promise::Order);
    let _ = left;
}

#[test]
fn a_conflict_is_decided_by_the_policy_and_not_against_it() {
    for (wins, promise) in [(Left, None), (Right, Some(Promise::NothingLost))] {
        let mut oracle = oracle();
        let [left, right] = joined(&mut oracle);
        let at_left = edit(&mut oracle, Left, &left);
        let at_right = edit(&mut oracle, Right, &right);
        let [left, right] = match wins {
            Left => {
                let after = row(Right, "Acme t2");
                carry(&mut oracle, Right, &at_right, &after, true, &at_right);
                [at_left, after]
            }
            Right => {
                let after = row(Left, "Acme t3");
                carry(&mut oracle, Left, &at_left, &after, true, &at_left);
                [after, at_right]
            }
        };
        let broken = judge(&mut oracle, Some(&left), Some(&right));
        assert_eq!(broken.map(|b| b.promise), promise);
    }
}

#[test]
fn only_an_unguarded_write_is_excused_for_what_it_overwrites_unseen() {
    for (guarded, promise) in [(false, None), (true, Some(Promise::NothingLost))] {
        let mut oracle = oracle();
        let [left, right] = joined(&mut oracle);
        let at_right = edit(&mut oracle, Right, &right);
        // A user of the preferred side edits between our look at the row and our write.
        let at_left = edit(&mut oracle, Left, &left);
        let after = row(Left, "Acme t2");
        carry(&mut oracle, Left, &at_left, &after, guarded, &left);
        let broken = judge(&mut oracle, Some(&after), Some(&at_right));
        assert_eq!(broken.map(|b| b.promise), promise);
    }
}

#[test]
fn an_edit_over_our_write_is_excused_only_if_the_answer_was_lost() {
    for (answered, promise) in [(false, None), (true, Some(Promise::Order))] {
        let mut oracle = oracle();
        let [left, right] = joined(&mut oracle);
        let at_left = edit(&mut oracle, Left, &left);
        let after = row(Right, "Acme t2");
        oracle.landed(&Landed {
            side: Right,
            key: KEY,
            before: Some(&right),
            after: Some(&after),
            columns: &["name".to_owned()],
            guarded: true,
            seen: Some(&right),
        });
        // A user edits over it before the runtime knows, and loses.
        let at_right = edit(&mut oracle, Right, &after);
        oracle.acknowledged(Right, KEY, answered);
        carry(&mut oracle, Right, &at_right, &after, true, &at_right);
        let broken = judge(&mut oracle, Some(&at_left), Some(&after));
        assert_eq!(broken.map(|b| b.promise), promise);
    }
}

#[test]
fn sides_that_disagree_at_rest_have_not_converged() {
    let mut oracle = oracle();
    let [left, right] = joined(&mut oracle);
    let edited = edit(&mut oracle, Right, &right);
    let broken = judge(&mut oracle, Some(&left), Some(&edited));
    assert_eq!(broken.unwrap().promise, Promise::Convergence);
}

#[test]
fn a_delete_that_no_user_made_is_damage() {
    let mut oracle = oracle();
    let [_, right] = joined(&mut oracle);
    oracle.landed(&Landed {
        side: Right,
        key: KEY,
        before: Some(&right),
        after: None,
        columns: &[],
        guarded: true,
        seen: Some(&right),
    });
    assert_eq!(oracle.broken().unwrap().promise, Promise::NoMassDamage);
}

#[test]
fn a_delete_may_not_swallow_an_edit_of_the_preferred_side() {
    let mut oracle = oracle();
    let [left, right] = joined(&mut oracle);
    let _ = edit(&mut oracle, Left, &left);
    oracle.deleted(Right, KEY, &right);
    let broken = judge(&mut oracle, None, None);
    assert_eq!(broken.unwrap().promise, Promise::NothingLost);
}

#[test]
fn a_write_at_rest_breaks_stillness() {
    let mut oracle = oracle();
    let [_, right] = joined(&mut oracle);
    oracle.hold_still();
    carry(&mut oracle, Right, &right, &right, true, &right);
    assert_eq!(oracle.broken().unwrap().promise, Promise::Stillness);
}

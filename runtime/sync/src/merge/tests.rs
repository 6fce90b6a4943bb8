//! The merge against a plain model: two records, edited at will, and merged now and then.

use dwmap_engine::testing::customer_groups;
use dwmap_plan::{ConflictPolicy, InitialPolicy, Line, LineId, MapPlan, Policies, Side, Value};
use proptest::prelude::*;

use super::*;
use crate::code::Cell;
use crate::key::PairKey;
use crate::state::{Base, Bases, GIVEN_UP, LinkState, MapId};

/// How many lines the map has: two both ways, one each way.
const LINES: usize = 4;

fn map(preferred: Side) -> MapPlan {
    let mut map = customer_groups();
    let template = map.lines[0].clone();
    let line = |i: usize, to_right, to_left| Line {
        id: LineId(i as u64),
        to_right,
        to_left,
        key: false,
        on_create: false,
        normalise: false,
        references: [None, None],
        conflict: None,
        ..template.clone()
    };
    map.lines = vec![
        line(0, true, true),
        line(1, true, true),
        line(2, true, false),
        line(3, false, true),
    ];
    for side in &mut map.sides {
        let column = side.write.columns[0].clone();
        let columns = (0..LINES as u16).map(|line| dwmap_plan::WriteColumn {
            line,
            create_only: false,
            ..column.clone()
        });
        side.write.columns = columns.collect();
    }
    map.policies = Policies {
        conflict: ConflictPolicy::Prefer(preferred),
        initial: InitialPolicy::Prefer(preferred),
        delete: [const { dwmap_plan::DeletePolicy::Delete }; 2],
        leave: [const { dwmap_plan::DeletePolicy::Ignore }; 2],
        creates: [true, true],
    };
    map
}

/// The first line upper-cases on its way to the right; the others go as they are.
fn out(line: usize, side: Side, value: &str) -> Cell {
    let flows = match line {
        2 => side == Side::Left,
        3 => side == Side::Right,
        _ => true,
    };
    match (flows, line, side) {
        (false, ..) => Cell::None,
        (true, 0, Side::Left) => Cell::Value(Value::Text(value.to_uppercase())),
        (true, ..) => Cell::Value(Value::from(value)),
    }
}

fn row(side: Side, values: &[String; LINES]) -> EvalRow {
    EvalRow {
        filter: Ok(true),
        pair_key: Ok(vec!["k".into()]),
        record_key: Ok(vec!["k".into()]),
        company: Ok(None),
        identity: None,
        modified: None,
        own: values
            .iter()
            .map(|v| Cell::Value(v.as_str().into()))
            .collect(),
        out: (0..LINES).map(|i| out(i, side, &values[i])).collect(),
    }
}

/// Two records and their link.
struct World {
    map: MapPlan,
    rows: [[String; LINES]; 2],
    link: Option<Link>,
}

impl World {
    fn new(preferred: Side) -> Self {
        let row = |text: &str| std::array::from_fn(|_| text.to_owned());
        Self {
            map: map(preferred),
            rows: [row("left"), row("right")],
            link: None,
        }
    }

    fn decide(&self) -> Decision {
        let rows = Side::BOTH.map(|side| row(side, &self.rows[side.index()]));
        let input = Input {
            map: &self.map,
            link: self.link.as_ref(),
            seen: [Seen::Row(&rows[0]), Seen::Row(&rows[1])],
            word: None,
            key_from: None,
            rules: crate::Rules::default(),
        };
        merge(&input).unwrap()
    }

    /// Merges, writes, and moves the bases as apply does; says how many lines were written.
    fn pass(&mut self) -> usize {
        let decision = self.decide();
        let mut link = self.link.take().unwrap_or_else(|| {
            let mut link = Link::new(MapId(1), PairKey(vec![1]), LinkState::Linked);
            let lines = self.map.lines.iter().map(|l| (l.id, Base::default()));
            link.bases = Bases::new(lines.collect());
            link
        });
        let mut written = 0;
        let mut base = |line: u16, sides: [Value; 2]| {
            let base = Base {
                sides: sides.map(Some),
                ..Base::default()
            };
            link.bases
                .put(usize::from(line), LineId(u64::from(line)), base);
        };
        for (line, values) in decision.settled {
            base(line, values);
        }
        for (side, write) in Side::BOTH.into_iter().zip(decision.writes) {
            for line in write.into_iter().flat_map(|w| w.lines) {
                written += 1;
                let mut sides = [line.source.clone(), line.source];
                sides[side.index()] = line.written.clone();
                base(line.line, sides);
                let Value::Text(text) = line.written else {
                    panic!("all values are texts")
                };
                self.rows[side.index()][usize::from(line.line)] = text;
            }
        }
        self.link = Some(link);
        written
    }

    fn agrees(&self, line: usize) -> bool {
        let [left, right] = &self.rows;
        let (l, r) = (&left[line], &right[line]);
        match line {
            0 => l.to_uppercase() == *r || l == r,
            _ => l == r,
        }
    }
}

/// An edit of a line of a side, or a pass.
#[derive(Debug, Clone)]
enum Step {
    Edit(Side, usize, String),
    Pass,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Left), Just(Side::Right)];
    let edit = (side, 0..LINES, "[abAB]{1,2}").prop_map(|(s, l, v)| Step::Edit(s, l, v));
    proptest::collection::vec(prop_oneof![3 => edit, 1 => Just(Step::Pass)], 0..24)
}

proptest! {
    /// Whatever is edited in whatever order: a line changed on one side since the last pass goes across, one changed
    /// on both is decided by the policy, and a pass after a pass writes nothing.
    #[test]
    fn any_interleaving_of_edits_settles_as_the_model_says(
        preferred in prop_oneof![Just(Side::Left), Just(Side::Right)],
        steps in steps(),
    ) {
        let mut world = World::new(preferred);
        world.pass();
        let mut before = world.rows.clone();
        for step in steps.into_iter().chain([Step::Pass]) {
            match step {
                Step::Edit(side, line, value) => world.rows[side.index()][line] = value,
                Step::Pass => {
                    let edited = world.rows.clone();
                    world.pass();
                    for line in 0..2 {
                        prop_assert!(world.agrees(line), "line {line}: {:?}", world.rows);
                        let changed = Side::BOTH.map(|s| edited[s.index()][line] != before[s.index()][line]);
                        let winner = match changed {
                            [true, false] => Side::Left,
                            [false, true] => Side::Right,
                            _ => preferred,
                        };
                        prop_assert_eq!(&world.rows[winner.index()][line], &edited[winner.index()][line]);
                    }
                    // A line in one direction carries its source's change, and leaves the target's own alone.
                    for (line, source) in [(2, Side::Left), (3, Side::Right)] {
                        let (s, t) = (source.index(), source.other().index());
                        prop_assert_eq!(&world.rows[s][line], &edited[s][line]);
                        let expected = if edited[s][line] == before[s][line] {
                            &edited[t][line]
                        } else {
                            &edited[s][line]
                        };
                        prop_assert_eq!(&world.rows[t][line], expected);
                    }
                    prop_assert_eq!(world.pass(), 0);
                    before = world.rows.clone();
                }
            }
        }
    }

    /// Records that agree when they meet are linked, and nothing is written.
    #[test]
    fn an_agreeing_pair_is_left_alone(values in proptest::array::uniform4("[abAB]{1,2}")) {
        let mut world = World::new(Side::Left);
        let mut right = values.clone();
        right[0] = right[0].to_uppercase();
        world.rows = [values, right];
        prop_assert_eq!(world.pass(), 0);
    }
}

fn decide(world: &World, seen: [Seen<'_>; 2]) -> Decision {
    merge(&Input {
        map: &world.map,
        link: world.link.as_ref(),
        seen,
        word: None,
        key_from: None,
        rules: crate::Rules::default(),
    })
    .unwrap()
}

#[test]
fn a_delete_goes_across_unless_the_preferred_side_changed_the_record() {
    let mut world = World::new(Side::Left);
    world.pass();
    let left = row(Side::Left, &world.rows[0]);
    let gone = decide(&world, [Seen::Row(&left), Seen::Absent]);
    assert_eq!(gone.writes[0].as_ref().unwrap().kind, IntentKind::Delete);
    assert_eq!(gone.next, Next::Drop);

    world.rows[0][1] = "changed".to_owned();
    let left = row(Side::Left, &world.rows[0]);
    let born_again = decide(&world, [Seen::Row(&left), Seen::Absent]);
    assert_eq!(
        born_again.writes[1].as_ref().unwrap().kind,
        IntentKind::Create
    );
    assert_eq!(born_again.notes[0].kind, ActivityKind::Conflict);
}

#[test]
fn what_left_the_filter_is_not_written_to() {
    let mut world = World::new(Side::Left);
    world.pass();
    world.rows[1][1] = "changed".to_owned();
    let mut left = row(Side::Left, &world.rows[0]);
    left.filter = Ok(false);
    let right = row(Side::Right, &world.rows[1]);
    let decision = decide(&world, [Seen::Row(&left), Seen::Row(&right)]);
    assert!(!decision.writes_anything());
    assert_eq!(decision.next, Next::Is(LinkState::Left));
}

#[test]
fn a_side_that_is_not_read_is_taken_by_its_base() {
    let mut world = World::new(Side::Left);
    world.pass();
    world.rows[0][1] = "changed".to_owned();
    let left = row(Side::Left, &world.rows[0]);
    let decision = decide(&world, [Seen::Row(&left), Seen::Base]);
    let write = decision.writes[1].as_ref().unwrap();
    assert_eq!(write.lines.len(), 1);
    assert_eq!(write.lines[0].written, Value::from("changed"));
}

#[test]
fn a_system_that_rewrites_what_it_is_sent_is_given_up_after_two_bounces() {
    let mut world = World::new(Side::Left);
    world.pass();
    let link = world.link.as_mut().unwrap();
    let written = |bounces| Base {
        sides: [Some("sent".into()), Some("sent".into())],
        written: Some(Side::Right),
        bounces,
        ..Base::default()
    };
    link.bases.put(1, LineId(1), written(1));
    world.rows = [0, 1].map(|_| std::array::from_fn(|_| "sent".to_owned()));
    world.rows[1][1] = "rewritten".to_owned();
    let back = world.decide();
    let write = back.writes[0].as_ref().unwrap();
    assert_eq!(write.lines[0].bounces, 2);

    world
        .link
        .as_mut()
        .unwrap()
        .bases
        .put(1, LineId(1), written(2));
    let given_up = world.decide();
    assert_eq!(given_up.unsettled, [1]);
    assert!(!given_up.writes_anything());
}

#[test]
fn what_a_user_changes_in_another_line_than_was_written_is_no_bounce() {
    let mut world = World::new(Side::Left);
    world.pass();
    let link = world.link.as_mut().unwrap();
    let line = LineId(1);
    let written = Base {
        written: Some(Side::Right),
        bounces: 2,
        ..link.bases.get(line).unwrap().clone()
    };
    link.bases.put(1, line, written);
    world.rows[1][0] = "A USER'S".to_owned();
    let decision = world.decide();
    assert!(decision.unsettled.is_empty());
    assert_eq!(decision.writes[0].as_ref().unwrap().lines[0].bounces, 0);
}

#[test]
fn a_line_that_was_given_up_flows_again_once_a_user_changes_it() {
    let mut world = World::new(Side::Left);
    world.pass();
    let values = ["theirs", "ours"].map(|v| Some(v.into()));
    let given_up = Base {
        sides: values,
        bounces: GIVEN_UP,
        ..Base::default()
    };
    world
        .link
        .as_mut()
        .unwrap()
        .bases
        .put(1, LineId(1), given_up);
    world.rows[0][1] = "theirs".to_owned();
    world.rows[1][1] = "ours".to_owned();
    assert_eq!(world.decide().unsettled, [1]);

    world.rows[1][1] = "a user's".to_owned();
    let decision = world.decide();
    assert!(decision.unsettled.is_empty());
    assert_eq!(
        decision.writes[0].as_ref().unwrap().lines[0].written,
        Value::from("a user's")
    );
}

/// Merges what stands after both sides changed the two-way lines, with a person's word.
fn contested(policy: ConflictPolicy, word: Option<Word>) -> Result<Decision, Halt> {
    let mut world = World::new(Side::Left);
    world.pass();
    world.map.policies.conflict = policy;
    world.rows[0][1] = "here".to_owned();
    world.rows[1][1] = "there".to_owned();
    // Only the left side changed this one.
    world.rows[0][2] = "more".to_owned();
    merge_by(&world, word)
}

fn merge_by(world: &World, word: Option<Word>) -> Result<Decision, Halt> {
    let rows = Side::BOTH.map(|side| row(side, &world.rows[side.index()]));
    merge(&Input {
        map: &world.map,
        link: world.link.as_ref(),
        seen: [Seen::Row(&rows[0]), Seen::Row(&rows[1])],
        word,
        key_from: None,
        rules: crate::Rules::default(),
    })
}

/// The lines that are written on a side.
fn written(decision: &Decision, side: Side) -> Vec<u16> {
    let write = decision.writes[side.index()].iter();
    write.flat_map(|w| &w.lines).map(|l| l.line).collect()
}

#[test]
fn a_line_that_a_person_decides_keeps_no_other_from_going() {
    let decision = contested(ConflictPolicy::Manual, None).unwrap();
    assert_eq!(decision.undecided, [1]);
    assert_eq!(written(&decision, Side::Right), [2]);
    assert_eq!(written(&decision, Side::Left), [0_u16; 0]);
}

#[test]
fn a_persons_word_goes_before_the_policy() {
    for policy in [ConflictPolicy::Manual, ConflictPolicy::Prefer(Side::Left)] {
        let decision = contested(policy, Some(Word::From(Side::Right))).unwrap();
        assert_eq!(decision.undecided, [0_u16; 0]);
        assert_eq!(written(&decision, Side::Left), [1]);
        // A line in one direction goes in its direction.
        assert_eq!(written(&decision, Side::Right), [2]);
    }
}

#[test]
fn what_differs_though_nobody_changed_it_is_mended_by_the_policy() {
    let mut world = World::new(Side::Left);
    world.pass();
    // As if a base had been wrong: both stand as they stood, and don't agree.
    world.rows[1][2] = "astray".to_owned();
    let base = world.link.as_mut().unwrap().bases.entry(LineId(2));
    base.sides[1] = Some("astray".into());
    let untouched = merge_by(&world, None).unwrap();
    assert!(!untouched.writes_anything());
    let mended = merge_by(&world, Some(Word::Mend)).unwrap();
    assert_eq!(written(&mended, Side::Right), [2]);
}

#[test]
fn a_delete_that_a_person_leaves_alone_stays_here_and_may_be_called_back() {
    let mut world = World::new(Side::Left);
    world.pass();
    let left = row(Side::Left, &world.rows[0]);
    let by = |world: &World, word| {
        merge(&Input {
            map: &world.map,
            link: world.link.as_ref(),
            seen: [Seen::Row(&left), Seen::Absent],
            word: Some(word),
            key_from: None,
            rules: crate::Rules::default(),
        })
        .unwrap()
    };
    let alone = by(&world, Word::LeaveAlone);
    assert!(!alone.writes_anything());
    assert_eq!(alone.next, Next::Is(LinkState::Deleted));
    let from_left = by(&world, Word::From(Side::Left));
    assert_eq!(
        from_left.writes[1].as_ref().unwrap().kind,
        IntentKind::Create
    );
    let from_right = by(&world, Word::From(Side::Right));
    assert_eq!(
        from_right.writes[0].as_ref().unwrap().kind,
        IntentKind::Delete
    );

    world.link.as_mut().unwrap().state = LinkState::Deleted;
    let back = by(&world, Word::From(Side::Left));
    assert_eq!(back.writes[1].as_ref().unwrap().kind, IntentKind::Create);
}

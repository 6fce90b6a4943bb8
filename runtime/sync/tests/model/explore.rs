//! The explorer: every state that can be reached, breadth first, so that the first trace to a broken promise is a
//! shortest one.
//!
//! Besides looking at each state it looks at the whole graph: from every state the system must be able to come to rest
//! by steps of its own, whatever users and faults did before. A branching property like that (AG EF) is beyond what
//! checkers as libraries offer, which is why this one is our own.

use std::collections::HashMap;
use std::fmt::{self, Display};

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The runtime, the systems, the network or the clock: it will happen some time.
    Itself,
    /// A user or a fault: it may never happen.
    Chance,
}

/// A state as it was found.
pub(crate) struct Found<M: Model + ?Sized> {
    /// What is needed to come back to it.
    pub(crate) point: M::Point,
    /// Equal for states that behave alike.
    pub(crate) fingerprint: u64,
    /// The steps that may be taken.
    pub(crate) steps: Vec<(M::Step, By)>,
    /// A promise that is broken here.
    pub(crate) broken: Option<String>,
}

/// Something with states and steps.
pub(crate) trait Model {
    /// A state, or a way to come back to it.
    type Point;
    /// A step.
    type Step: Clone + Display;

    /// The first state.
    fn begin(&self) -> Found<Self>;
    /// The state after a step.
    fn step(&self, from: &Self::Point, step: &Self::Step) -> Found<Self>;
    /// What happens along a way, line by line.
    fn story(&self, way: &[Self::Step]) -> Vec<String> {
        way.iter().map(ToString::to_string).collect()
    }
}

/// How an exploration went.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    pub(crate) depth: usize,
    /// States in which nothing is left to do.
    pub(crate) rests: usize,
    /// All states were reached.
    pub(crate) complete: bool,
    /// The first broken promise: how, and the shortest way to it.
    pub(crate) broken: Option<(String, Vec<String>)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            states,
            steps,
            depth,
            rests,
            ..
        } = self;
        write!(
            f,
            "{states} states, {steps} steps, {depth} deep, {rests} at rest"
        )
    }
}

/// Where a state was reached from, and by which step.
struct Reached<S> {
    from: usize,
    step: Option<S>,
}

/// Explores all states, or the first `limit`.
pub(crate) fn explore<M: Model>(model: &M, limit: usize) -> Report {
    let begin = model.begin();
    let mut known = HashMap::from([(begin.fingerprint, 0)]);
    let mut reached = vec![Reached {
        from: 0,
        step: None,
    }];
    let mut rests = vec![];
    let mut own_steps: Vec<(usize, usize)> = vec![];
    let mut report = Report {
        states: 1,
        steps: 0,
        depth: 0,
        rests: 0,
        complete: true,
        broken: None,
    };
    let mut ring = vec![(0, begin)];
    while !ring.is_empty() && report.complete {
        let mut next = vec![];
        for (id, found) in ring {
            if let Some(what) = found.broken {
                let way = way_to(&reached, id);
                report.broken = Some((what, model.story(&way)));
                report.complete = false;
                return report;
            }
            if found.steps.iter().all(|(_, by)| *by == By::Chance) {
                rests.push(id);
            }
            for (step, by) in found.steps {
                let after = model.step(&found.point, &step);
                report.steps += 1;
                let at = *known.entry(after.fingerprint).or_insert(reached.len());
                if by == By::Itself {
                    own_steps.push((at, id));
                }
                if at == reached.len() {
                    reached.push(Reached {
                        from: id,
                        step: Some(step),
                    });
                    next.push((at, after));
                }
            }
            if reached.len() >= limit {
                report.complete = false;
                break;
            }
        }
        report.depth += 1;
        ring = next;
    }
    report.states = reached.len();
    report.rests = rests.len();
    if report.complete
        && let Some(id) = restless(reached.len(), &rests, own_steps)
    {
        let what = "Convergence: from here it never comes to rest by itself".to_owned();
        report.broken = Some((what, model.story(&way_to(&reached, id))));
    }
    report
}

fn way_to<S: Clone>(reached: &[Reached<S>], mut id: usize) -> Vec<S> {
    let mut way = vec![];
    while let Some(step) = &reached[id].step {
        way.push(step.clone());
        id = reached[id].from;
    }
    way.reverse();
    way
}

/// The first state from which no rest can be reached by own steps; `steps` are (to, from).
fn restless(states: usize, rests: &[usize], mut steps: Vec<(usize, usize)>) -> Option<usize> {
    steps.sort_unstable();
    let mut settles = vec![false; states];
    let mut open = rests.to_vec();
    for id in &open {
        settles[*id] = true;
    }
    while let Some(id) = open.pop() {
        let first = steps.partition_point(|(to, _)| *to < id);
        for (_, from) in steps[first..].iter().take_while(|(to, _)| *to == id) {
            if !std::mem::replace(&mut settles[*from], true) {
                open.push(*from);
            }
        }
    }
    settles.iter().position(|s| !s)
}

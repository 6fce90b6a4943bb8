//! The order of loading: a reference's target before its users, in both directions, rings tolerated.

use std::collections::BTreeSet;

use dwmap_plan::{MapPlan, MissingPolicy};

/// Which map brings the records of an entity: the first by name that has it as a side and writes to it.
pub(crate) fn brought_by(maps: &[MapPlan], system: u16, entity: &str) -> Option<u16> {
    let has = |map: &MapPlan| {
        dwmap_plan::Side::BOTH.into_iter().any(|side| {
            let plan = map.side(side);
            plan.system == system && plan.entity == entity && map.flows_from(side.other())
        })
    };
    maps.iter().position(has).map(|at| at as u16)
}

/// A map that refers to records of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: usize,
    to: usize,
    /// The reference has to be there before its record is written.
    hard: bool,
}

/// Fills in what brings each reference's target, ranks the maps, and puts them in the order of ranks and names.
pub(crate) fn order(maps: &mut [MapPlan]) {
    maps.sort_by(|a, b| a.name.cmp(&b.name));
    fill_brought_by(maps);
    let ranks = ranks(maps.len(), &edges(maps));
    for (map, rank) in maps.iter_mut().zip(ranks) {
        map.rank = rank;
    }
    maps.sort_by(|a, b| (a.rank, &a.name).cmp(&(b.rank, &b.name)));
    fill_brought_by(maps);
}

fn fill_brought_by(maps: &mut [MapPlan]) {
    let found: Vec<Vec<Option<u16>>> = maps
        .iter()
        .map(|map| {
            let references = map.references.iter();
            references
                .map(|r| brought_by(maps, map.side(r.side).system, &r.entity))
                .collect()
        })
        .collect();
    for (map, found) in maps.iter_mut().zip(found) {
        for (reference, by) in map.references.iter_mut().zip(found) {
            reference.brought_by = by;
        }
    }
}

fn edges(maps: &[MapPlan]) -> Vec<Edge> {
    let mut edges = BTreeSet::new();
    for (from, map) in maps.iter().enumerate() {
        for line in &map.lines {
            for at in line.references.iter().flatten() {
                let reference = map.references.get(usize::from(*at));
                let Some(to) = reference.and_then(|r| r.brought_by) else {
                    continue;
                };
                let to = usize::from(to);
                if to != from {
                    edges.insert(Edge {
                        from,
                        to,
                        hard: line.missing != MissingPolicy::Blank,
                    });
                }
            }
        }
    }
    edges.into_iter().collect()
}

/// Each map's rank: one more than the highest of those that it refers to. Within a ring only those references count
/// that have to be there first; what is a ring even so shares a rank.
fn ranks(count: usize, edges: &[Edge]) -> Vec<u16> {
    let rings = Components::of(count, edges).of;
    let kept: Vec<Edge> = edges
        .iter()
        .copied()
        .filter(|e| e.hard || rings[e.from] != rings[e.to])
        .collect();
    let groups = Components::of(count, &kept);
    // Components are numbered in the order in which they are finished: targets before their users.
    let mut ranks = vec![0_u16; groups.count];
    let mut by_group: Vec<Edge> = kept;
    by_group.sort_by_key(|e| groups.of[e.from]);
    for edge in by_group {
        let (from, to) = (groups.of[edge.from], groups.of[edge.to]);
        if from != to {
            ranks[from] = ranks[from].max(ranks[to] + 1);
        }
    }
    groups.of.iter().map(|group| ranks[*group]).collect()
}

/// Strongly connected components, by Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972).
struct Components {
    /// For each map the component that it belongs to.
    of: Vec<usize>,
    count: usize,
}

impl Components {
    fn of(count: usize, edges: &[Edge]) -> Self {
        let mut targets = vec![Vec::new(); count];
        for edge in edges {
            targets[edge.from].push(edge.to);
        }
        let mut search = Search {
            targets,
            index: vec![None; count],
            low: vec![0; count],
            open: Vec::new(),
            on_stack: vec![false; count],
            next: 0,
            found: Self {
                of: vec![0; count],
                count: 0,
            },
        };
        for at in 0..count {
            if search.index[at].is_none() {
                search.visit(at);
            }
        }
        search.found
    }
}

/// The state of the search.
struct Search {
    targets: Vec<Vec<usize>>,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    open: Vec<usize>,
    on_stack: Vec<bool>,
    next: usize,
    found: Components,
}

impl Search {
    fn visit(&mut self, at: usize) {
        let own = self.next;
        self.next += 1;
        self.index[at] = Some(own);
        self.low[at] = own;
        self.open.push(at);
        self.on_stack[at] = true;
        for target in std::mem::take(&mut self.targets[at]) {
            match self.index[target] {
                None => {
                    self.visit(target);
                    self.low[at] = self.low[at].min(self.low[target]);
                }
                Some(index) if self.on_stack[target] => {
                    self.low[at] = self.low[at].min(index);
                }
                Some(_) => {}
            }
        }
        if self.low[at] == own {
            self.close(at);
        }
    }

    /// Everything opened since `at` is one component.
    fn close(&mut self, at: usize) {
        while let Some(member) = self.open.pop() {
            self.on_stack[member] = false;
            self.found.of[member] = self.found.count;
            if member == at {
                break;
            }
        }
        self.found.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: usize, to: usize, hard: bool) -> Edge {
        Edge { from, to, hard }
    }

    #[test]
    fn a_target_comes_before_its_users() {
        assert_eq!(ranks(3, &[edge(0, 1, true), edge(1, 2, false)]), [2, 1, 0]);
    }

    #[test]
    fn a_ring_is_opened_where_a_reference_can_wait() {
        // Vendors name their contact, and contacts need their vendor.
        assert_eq!(ranks(2, &[edge(0, 1, false), edge(1, 0, true)]), [0, 1]);
    }

    #[test]
    fn a_ring_that_cannot_be_opened_shares_a_rank() {
        let ring = [edge(0, 1, true), edge(1, 0, true), edge(2, 0, true)];
        assert_eq!(ranks(3, &ring), [0, 0, 1]);
    }
}

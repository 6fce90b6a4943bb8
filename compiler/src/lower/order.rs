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
    let rings = components(count, edges);
    let kept: Vec<Edge> = edges
        .iter()
        .copied()
        .filter(|e| e.hard || rings[e.from] != rings[e.to])
        .collect();
    let groups = components(count, &kept);
    let mut rank = vec![0_u16; count];
    // The longest chain has at most `count` links, so this settles; a ring's inner references don't count.
    for _ in 0..count {
        let mut settled = true;
        for edge in kept.iter().filter(|e| groups[e.from] != groups[e.to]) {
            if rank[edge.from] <= rank[edge.to] {
                rank[edge.from] = rank[edge.to] + 1;
                settled = false;
            }
        }
        for map in 0..count {
            let highest = (0..count).filter(|other| groups[*other] == groups[map]);
            let highest = highest.map(|other| rank[other]).max().unwrap_or(0);
            settled &= rank[map] == highest;
            rank[map] = highest;
        }
        if settled {
            break;
        }
    }
    rank
}

/// For each map the ring that it belongs to, by the lowest index in it.
fn components(count: usize, edges: &[Edge]) -> Vec<usize> {
    let reach: Vec<BTreeSet<usize>> = (0..count).map(|at| reachable(at, edges)).collect();
    (0..count)
        .map(|at| {
            let ring = reach[at]
                .iter()
                .filter(|other| reach[**other].contains(&at));
            ring.copied().min().map_or(at, |lowest| lowest.min(at))
        })
        .collect()
}

fn reachable(start: usize, edges: &[Edge]) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for edge in edges.iter().filter(|e| e.from == at) {
            if seen.insert(edge.to) {
                open.push(edge.to);
            }
        }
    }
    seen
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

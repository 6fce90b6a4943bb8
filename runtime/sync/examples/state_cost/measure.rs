//! One measurement: a state is filled, asked, marked and weighed.

use std::path::Path;
use std::time::Instant;

use dwmap_connect::Version;
use dwmap_plan::{LineId, Side, Value};
use dwmap_sync::state::{Base, Bases, Change, Link, LinkState, MapId, MarkId, Set};
use dwmap_sync::{Moment, PairKey, RecordId, SqliteStore, StateStore};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

/// Links of a commit, as a load makes them.
const BATCH: usize = 500;
/// Look-ups, marks and single commits that are timed.
const ASKED: usize = 100_000;
const SINGLE: usize = 2_000;

/// The order in which keys come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As a load that goes by key writes them.
    Insertion,
    /// As live work, and systems that sort otherwise, bring them.
    Random,
}

impl Order {
    pub(crate) const ALL: [Self; 2] = [Self::Insertion, Self::Random];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Insertion => "insertion",
            Self::Random => "random",
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) links: u64,
    pub(crate) order: Order,
    /// A second.
    pub(crate) linked: f64,
    /// Microseconds.
    pub(crate) by_pair: f64,
    /// Microseconds.
    pub(crate) by_record: f64,
    /// A second.
    pub(crate) marked: f64,
    /// A second.
    pub(crate) cleared: f64,
    /// A second.
    pub(crate) single: f64,
    /// Of a link.
    pub(crate) bytes: f64,
    /// Of a link.
    pub(crate) bases: f64,
    /// MB.
    pub(crate) peak: f64,
}

impl Measured {
    fn figures(&self) -> [f64; 9] {
        [
            self.linked,
            self.by_pair,
            self.by_record,
            self.marked,
            self.cleared,
            self.single,
            self.bytes,
            self.bases,
            self.peak,
        ]
    }

    /// For the process that prints all.
    pub(crate) fn to_line(self) -> String {
        let figures = self.figures().map(|figure| figure.to_string());
        format!("{} {} {}", self.links, self.order.name(), figures.join(" "))
    }

    pub(crate) fn of_line(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let links = words.next().unwrap().parse().unwrap();
        let name = words.next().unwrap();
        let order = Order::ALL.into_iter().find(|order| order.name() == name);
        let mut figure = || words.next().unwrap().parse().unwrap();
        Self {
            links,
            order: order.unwrap(),
            linked: figure(),
            by_pair: figure(),
            by_record: figure(),
            marked: figure(),
            cleared: figure(),
            single: figure(),
            bytes: figure(),
            bases: figure(),
            peak: figure(),
        }
    }
}

/// Fills a state with so many links, and measures what can be done with it.
pub(crate) fn measure(links: u64, order: Order) -> Measured {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut numbers: Vec<u32> = (0..u32::try_from(links).unwrap()).collect();
    if order == Order::Random {
        numbers.shuffle(&mut StdRng::seed_from_u64(links));
    }
    let linked = runtime.block_on(fill(&path, &numbers));
    // It is closed: what stood in the write-ahead log is in the file.
    let size = std::fs::metadata(&path).unwrap().len();
    let asked = runtime.block_on(ask(&path, &numbers));
    Measured {
        order,
        linked,
        bytes: size as f64 / links as f64,
        peak: peak(),
        ..asked
    }
}

/// Links records; gives how many a second.
async fn fill(path: &Path, numbers: &[u32]) -> f64 {
    let store = SqliteStore::open(path).unwrap();
    let map = store.map_id("customers").await.unwrap();
    let first = store.reserve_sequence(1 << 40).await.unwrap();
    let linked = Rate::begin();
    for batch in numbers.chunks(BATCH) {
        let changes = batch.iter().flat_map(|n| born(map, *n, first));
        store.commit(changes.collect()).await.unwrap();
    }
    linked.of(numbers.len())
}

/// Everything else that is measured.
async fn ask(path: &Path, numbers: &[u32]) -> Measured {
    let links = numbers.len() as u64;
    let mut dice = StdRng::seed_from_u64(links);
    let store = SqliteStore::open(path).unwrap();
    let map = store.map_id("customers").await.unwrap();
    let first = store.reserve_sequence(1).await.unwrap();
    let pages = numbers.chunks(BATCH).step_by(numbers.len().div_ceil(ASKED));
    let pages: Vec<Vec<u32>> = pages
        .map(|page| {
            page.iter()
                .map(|_| dice.random_range(0..links as u32))
                .collect()
        })
        .collect();
    let asked = pages.iter().map(Vec::len).sum();

    let by_pair = Rate::begin();
    for page in &pages {
        let pairs: Vec<PairKey> = page.iter().map(|n| pair(*n)).collect();
        let found = store.links_by_pair(map, &pairs).await.unwrap();
        assert!(found.iter().all(Option::is_some));
    }
    let by_pair = by_pair.of(asked);

    let by_record = Rate::begin();
    for page in &pages {
        let records: Vec<RecordId> = page.iter().map(|n| account(*n)).collect();
        let found = store.links_by_record(map, Side::Right, &records).await;
        assert!(found.unwrap().iter().all(Option::is_some));
    }
    let by_record = by_record.of(asked);

    let id = |n: u32| MarkId {
        map,
        side: Side::Right,
        record: account(n),
    };
    let mark = |n: &u32| Change::Mark {
        id: id(*n),
        generation: first + 5,
        not_before: Moment(0),
    };
    let marked = Rate::begin();
    for page in &pages {
        store.commit(page.iter().map(mark).collect()).await.unwrap();
    }
    let marked = marked.of(asked);

    let clear = |n: &u32| Change::Clear {
        id: id(*n),
        seen: first + 9,
    };
    let cleared = Rate::begin();
    for page in &pages {
        let changes = page.iter().map(clear).collect();
        store.commit(changes).await.unwrap();
    }
    let cleared = cleared.of(asked);

    let single = Rate::begin();
    for n in pages.iter().flatten().take(SINGLE) {
        let link = Change::PutLink(Box::new(link(map, *n, first)));
        store.commit(vec![link]).await.unwrap();
    }
    let single = single.of(SINGLE.min(asked));
    let sample = numbers.iter().step_by(numbers.len().div_ceil(1_000));
    let bases: Vec<usize> = sample.map(|n| bases_bytes(&link(map, *n, first))).collect();
    Measured {
        links,
        order: Order::Insertion,
        linked: 0.0,
        by_pair: 1e6 / by_pair,
        by_record: 1e6 / by_record,
        marked,
        cleared,
        single,
        bytes: 0.0,
        bases: bases.iter().sum::<usize>() as f64 / bases.len() as f64,
        peak: 0.0,
    }
}

struct Rate(Instant);

impl Rate {
    fn begin() -> Self {
        Self(Instant::now())
    }

    fn of(&self, n: usize) -> f64 {
        n as f64 / self.0.elapsed().as_secs_f64()
    }
}

/// A customer of a company, `US-00000017`.
fn pair(n: u32) -> PairKey {
    let number = format!("US-{n:08}");
    PairKey::new(&["usmf".into(), number.as_str().into()], &[true, true])
}

/// The account of a customer: ids are drawn, and come in no order.
fn account(n: u32) -> RecordId {
    let id = u128::from(StdRng::seed_from_u64(u64::from(n)).random::<u64>()) << 64 | u128::from(n);
    RecordId::new(&[Value::Guid(id.to_be_bytes())], false)
}

/// A link as a load leaves it, and the id by which the ERP's feed names its record: the CRM's names it by its key.
fn born(map: MapId, n: u32, first: u64) -> [Change; 2] {
    let set = Set {
        system: "fno".to_owned(),
        set: "CustomersV3".to_owned(),
    };
    let id = account(!n).0.split_off(1);
    [
        Change::PutLink(Box::new(link(map, n, first))),
        Change::Know(set, id, RecordId(pair(n).0)),
    ]
}

fn link(map: MapId, n: u32, first: u64) -> Link {
    let mut link = Link::new(map, pair(n), LinkState::Linked);
    link.sides[0].record = Some(RecordId(pair(n).0));
    link.sides[0].version = Some(Version(format!("W/\"JzAsNTYzNzE0{n:08}\"")));
    link.sides[1].record = Some(account(n));
    link.sides[1].version = Some(Version(format!("W/\"{}\"", 2_000_000 + n)));
    link.moved = first + u64::from(n);
    let same = |value: Value| Base {
        sides: [Some(value.clone()), Some(value)],
        pending: None,
        ..Base::default()
    };
    let texts = (0..12).map(|i| same(Value::from(format!("{i} Main street {n}").as_str())));
    let blanks = (0..40).map(|_| same(Value::Null));
    let numbers = (0..8).map(|i| same(Value::Int(i64::from(n % 1_000) * i)));
    let lines = texts.chain(blanks).chain(numbers).zip(1..);
    let lines = lines.map(|(base, id)| (LineId(id * 0x9e37_79b9_7f4a_7c15), base));
    link.bases = Bases::new(lines.collect());
    link
}

/// What the values of a link take, as they are kept: a byte for each line, and each value once, with its length.
fn bases_bytes(link: &Link) -> usize {
    let of_value = |value: &Value| match value {
        Value::Text(text) => 2 + text.len(),
        Value::Int(n) => {
            let zigzag = (n << 1) ^ (n >> 63);
            1 + (64 - zigzag.leading_zeros() as usize).div_ceil(7).max(1)
        }
        _ => 1,
    };
    let values = link
        .bases
        .iter()
        .filter_map(|(_, base)| base.sides[0].as_ref());
    values.map(|value| 1 + of_value(value)).sum()
}

/// The most memory that this process has held so far, in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    kilobytes.map_or(0.0, |kb| kb.trim().parse::<f64>().unwrap_or(0.0) / 1_000.0)
}

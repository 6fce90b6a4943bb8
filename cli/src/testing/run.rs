//! A test from beginning to end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dwmap_compiler::model::{TestModel, TestOutcome, TestRecord, TestStep};
use dwmap_connect::Connector;
use dwmap_plan::{MapPlan, Plan, Side, SourcePlace};
use dwmap_sync::{Event, Observer, Options, Runtime, SqliteStore, SystemClock};

use super::compare::{Bench, Difference};
use super::system::MemorySystem;

/// What became of a test.
#[derive(Debug, Clone)]
pub(crate) struct TestResult {
    /// The map.
    pub(crate) map: String,
    /// What the test shows.
    pub(crate) what: String,
    /// Where it stands.
    pub(crate) place: SourcePlace,
    /// Why it failed, if it did.
    pub(crate) failed: Option<Failed>,
}

/// Why a test failed, and at which of its steps.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    /// Where the step stands.
    pub(crate) place: SourcePlace,
    /// What is wrong, in a sentence.
    pub(crate) problem: String,
    /// The fields that differ.
    pub(crate) differences: Vec<Difference>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)?;
        let width = self
            .differences
            .iter()
            .map(|d| d.path.chars().count())
            .max();
        let width = width.unwrap_or(0);
        for d in &self.differences {
            write!(f, "\n    {:<width$}  expected {}\n", d.path, d.expected)?;
            write!(f, "    {:<width$}  found    {}", "", d.found)?;
        }
        Ok(())
    }
}

/// A record that waits for another one. Where its line says `on missing blank` it went without; else nothing went,
/// and the comparison says so.
const WAITS: &str = "R0402";

type Step<T> = Result<T, (String, Vec<Difference>)>;

fn problem<T>(text: impl Into<String>) -> Step<T> {
    Err((text.into(), Vec::new()))
}

/// Collects what was refused.
#[derive(Default)]
struct Refusals(Mutex<Vec<(String, String)>>);

impl Observer for Refusals {
    fn event(&self, event: &Event) {
        if let Event::Error { report, .. } = event {
            let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            list.push((report.code.clone(), report.message.clone()));
        }
    }
}

impl Refusals {
    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs a test between two empty systems of its own.
pub(crate) async fn run(plan: &Arc<Plan>, test: &TestModel) -> TestResult {
    let failed = match plan.maps.iter().find(|m| m.name == test.map) {
        Some(map) => steps(plan, map, test).await.err(),
        None => Some(Failed {
            place: test.place.clone(),
            problem: format!("the map {} isn't in the plan", test.map),
            differences: Vec::new(),
        }),
    };
    TestResult {
        map: test.map.clone(),
        what: test.what.clone(),
        place: test.place.clone(),
        failed,
    }
}

async fn steps(plan: &Arc<Plan>, map: &MapPlan, test: &TestModel) -> Result<(), Failed> {
    let at = |place: &SourcePlace, (problem, differences)| Failed {
        place: place.clone(),
        problem,
        differences,
    };
    let world = World::new(plan, map)
        .await
        .map_err(|e| at(&test.place, e))?;
    for step in &test.steps {
        world.step(step).await.map_err(|e| at(&step.place, e))?;
    }
    Ok(())
}

/// Two systems, a runtime between them, and the map that is tested.
struct World<'a> {
    plan: &'a Plan,
    map: &'a MapPlan,
    systems: Vec<Arc<MemorySystem>>,
    runtime: Runtime,
    refusals: Arc<Refusals>,
}

impl<'a> World<'a> {
    async fn new(plan: &'a Arc<Plan>, map: &'a MapPlan) -> Step<Self> {
        let systems: Vec<Arc<MemorySystem>> = (0..plan.systems.len())
            .map(|i| Arc::new(MemorySystem::new(plan, i)))
            .collect();
        let by_name: BTreeMap<String, Arc<dyn Connector>> = systems
            .iter()
            .map(|s| (s.name().to_owned(), Arc::clone(s) as Arc<dyn Connector>))
            .collect();
        let refusals = Arc::new(Refusals::default());
        let store = SqliteStore::in_memory().map_err(|e| (e.to_string(), vec![]))?;
        let options = Options {
            maps: vec![map.name.clone()],
            ..Options::default()
        };
        let runtime = Runtime::new(
            Arc::clone(plan),
            &by_name,
            Arc::new(store),
            Arc::new(SystemClock),
            Arc::clone(&refusals) as Arc<dyn Observer>,
            options,
        )
        .await
        .map_err(|e| (e.to_string(), vec![]))?;
        Ok(Self {
            plan,
            map,
            systems,
            runtime,
            refusals,
        })
    }

    fn bench(&self, side: Side) -> Bench<'_> {
        let system = usize::from(self.map.side(side).system);
        Bench {
            plan: self.plan,
            map: self.map,
            side,
            system: &self.systems[system],
        }
    }

    async fn sync(&self) -> Step<()> {
        let synced = self.runtime.sync_once().await;
        synced.map_err(|e| (e.to_string(), vec![]))
    }

    async fn step(&self, step: &TestStep) -> Step<()> {
        self.forget();
        let outcome = match &step.outcome {
            Some(TestOutcome::Record(record) | TestOutcome::Exactly(record)) => Some(record),
            _ => None,
        };
        for record in step.edits.iter().chain(outcome) {
            self.bench(record.side).miss(record);
        }
        for record in &step.edits {
            self.bench(record.side).edit(record);
        }
        self.sync().await?;
        let refused = self.refusals.take();
        match &step.outcome {
            Some(TestOutcome::Rejects(code)) => return rejected(&refused, code),
            Some(TestOutcome::Filtered) => return self.filtered(step, &refused),
            _ => {}
        }
        if let Some((code, message)) = refused.iter().find(|(code, _)| code != WAITS) {
            return problem(format!("the record was refused: {message} ({code})"));
        }
        match &step.outcome {
            Some(TestOutcome::Record(record)) => self.compare(record, false)?,
            Some(TestOutcome::Exactly(record)) => self.compare(record, true)?,
            _ => {}
        }
        match &step.roundtrip {
            Some(roundtrip) => self.roundtrip(roundtrip.after_edit.as_ref()).await,
            None => Ok(()),
        }
    }

    /// Nothing was written on the other side.
    fn filtered(&self, step: &TestStep, refused: &[(String, String)]) -> Step<()> {
        if let Some((code, message)) = refused.first() {
            return problem(format!(
                "the record should be outside the filter, and was refused: {message} ({code})"
            ));
        }
        for record in &step.edits {
            let other = self.bench(record.side.other());
            if !Self::written(&other).is_empty() {
                return problem(
                    "the record should be outside the filter, and reached the other side",
                );
            }
        }
        Ok(())
    }

    fn compare(&self, expected: &TestRecord, exactly: bool) -> Step<()> {
        let bench = self.bench(expected.side);
        let newest = Self::written(&bench).pop();
        let newest = newest.or_else(|| {
            let mut records = bench.system.records(bench.set());
            Some(records.pop()?.fields)
        });
        let Some(found) = newest else {
            return problem("nothing reached the other side");
        };
        let mut differences = bench.differences(expected, &found);
        if exactly {
            differences.extend(bench.unnamed(expected, &found));
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(("the record differs".to_owned(), differences))
        }
    }

    /// What was written comes back, and changes nothing where it came from.
    async fn roundtrip(&self, after_edit: Option<&TestRecord>) -> Step<()> {
        self.forget();
        if let Some(record) = after_edit {
            self.bench(record.side).edit(record);
        }
        self.sync().await?;
        if let Some((code, message)) = self.refusals.take().first() {
            return problem(format!("on the way back: {message} ({code})"));
        }
        let untouched = after_edit.map_or(Side::BOTH.to_vec(), |edit| vec![edit.side]);
        for side in untouched {
            let bench = self.bench(side);
            if let Some(fields) = Self::written(&bench).pop() {
                let schema = &self.plan.systems[usize::from(bench.side().system)].schema;
                let text = serde_json::Value::Object(fields).to_string();
                return problem(format!(
                    "on the way back the record in {} was written again, and is now {text}",
                    schema.name
                ));
            }
        }
        Ok(())
    }

    /// The writes to a side's set since the last look.
    fn written(bench: &Bench<'_>) -> Vec<serde_json::Map<String, serde_json::Value>> {
        let written = bench.system.take_written();
        let of_set = written.into_iter().filter(|(set, _)| set == bench.set());
        of_set.map(|(_, fields)| fields).collect()
    }

    fn forget(&self) {
        for system in &self.systems {
            system.take_written();
        }
        self.refusals.take();
    }
}

fn rejected(refused: &[(String, String)], code: &str) -> Step<()> {
    match refused.iter().find(|(c, _)| c == code) {
        Some(_) => Ok(()),
        None if refused.is_empty() => problem(format!(
            "the record should be refused with {code}, and went through"
        )),
        None => {
            let (found, message) = &refused[0];
            problem(format!(
                "the record should be refused with {code}, and was refused with {found}: {message}"
            ))
        }
    }
}

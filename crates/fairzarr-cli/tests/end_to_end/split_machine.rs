//! A split conversion as a machine with states: tasks of any split in any order, repeated, killed, commits too early. What
//! must come of each step is told by a model that knows units alone.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

use crate::support::tiff::{Blocks, Sample, Tiff};
use crate::support::{Outcome, arguments, assert_same_tree, convert, looks_complete, run, start};

const NOT_READY: i32 = 12;

#[derive(Clone, Debug)]
enum Step {
    /// Task `number` of `of`, to its end.
    Run {
        number: u64,
        of: u64,
    },
    /// The same, killed after so many milliseconds, if it has not ended by then.
    Kill {
        number: u64,
        of: u64,
        after: u64,
    },
    Commit,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let task = (1..6u64).prop_flat_map(|of| (1..=of, Just(of)));
    let step = prop_oneof![
        4 => task.clone().prop_map(|(number, of)| Step::Run { number, of }),
        2 => (task, 0..120u64).prop_map(|((number, of), after)| Step::Kill { number, of, after }),
        1 => Just(Step::Commit),
    ];
    proptest::collection::vec(step, 1..9)
}

proptest! {
    // Each case is a dozen processes.
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_tasks_makes_the_same_store(steps in steps(), page in any::<bool>()) {
        let job = Job::new(page);
        let mut machine = Machine::planned(&job);
        for step in &steps {
            if machine.step(step) {
                return Ok(());
            }
        }
        machine.step(&Step::Run { number: 1, of: 1 });
        prop_assert!(machine.step(&Step::Commit));
    }
}

struct Job {
    dir: TempDir,
    source: PathBuf,
    whole: PathBuf,
}

impl Job {
    /// One page whose upper levels are put together from several units, or a stack of pages that are units each.
    fn new(page: bool) -> Self {
        let dir = TempDir::new().unwrap();
        let (source, whole) = (dir.path().join("source.ome.tiff"), dir.path().join("whole.zarr"));
        let tiff = if page {
            Tiff { blocks: Blocks::Tiles(64, 64), ..Tiff::of(Sample::U16, [1, 1, 1, 900, 700]) }
        } else {
            Tiff::of(Sample::U8, [2, 2, 3, 150, 130])
        };
        tiff.write(&source);
        convert(&source, &whole, OPTIONS).done();
        Self { dir, source, whole }
    }
}

const OPTIONS: &[&str] = &["--chunk", "64"];

/// The store that is being made, and the model of it.
struct Machine<'a> {
    job: &'a Job,
    target: PathBuf,
    units: u64,
    /// Units that were done for certain.
    done: BTreeSet<u64>,
    /// Units that may have been done, by a task that was killed.
    perhaps: BTreeSet<u64>,
}

impl<'a> Machine<'a> {
    fn planned(job: &'a Job) -> Self {
        let target = job.dir.path().join("split.zarr");
        let told = run("plan", &job.source, &target, OPTIONS).done().out;
        let units = told.split(" units").next().and_then(|text| text.rsplit(' ').next()).unwrap();
        let units = units.parse().unwrap();
        Self { job, target, units, done: BTreeSet::new(), perhaps: BTreeSet::new() }
    }

    /// What README and `--help` promise of a task: an equal share, in the order of the plan.
    fn share(&self, number: u64, of: u64) -> Range<u64> {
        self.units * (number - 1) / of..self.units * number / of
    }

    /// Does a step, and compares what comes of it with the model. True when the store is complete.
    fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Run { number, of } => {
                self.command("run", &["--task", &format!("{number}/{of}")]).done();
                self.done.extend(self.share(*number, *of));
            }
            Step::Kill { number, of, after } => {
                let task = format!("{number}/{of}");
                let options = [OPTIONS, &["--task", &task]].concat();
                let mut child = start(arguments("run", &self.job.source, &self.target, &options));
                std::thread::sleep(Duration::from_millis(*after));
                let _ = child.kill();
                let ended = child.wait().unwrap();
                let share = self.share(*number, *of);
                if ended.success() { self.done.extend(share) } else { self.perhaps.extend(share) }
            }
            Step::Commit => return self.commit(),
        }
        assert!(!looks_complete(&self.target));
        false
    }

    fn commit(&self) -> bool {
        let outcome = self.command("commit", &[]);
        let all = |units: &BTreeSet<u64>| units.len() as u64 == self.units;
        let attempted = self.done.union(&self.perhaps).copied().collect();
        if outcome.code == Some(0) {
            assert!(all(&attempted), "complete, although there are units that nobody did: {outcome:?}");
            assert_same_tree(&self.target, &self.job.whole);
            return true;
        }
        assert!(!all(&self.done), "every unit was done: {outcome:?}");
        let outcome = outcome.ends_with(NOT_READY);
        let missing: u64 = number_before(outcome.message(), " of ");
        let certain = self.units - attempted.len() as u64;
        assert!((certain.max(1)..=self.units - self.done.len() as u64).contains(&missing), "{outcome:?}");
        assert!(!looks_complete(&self.target) && leftovers(&self.target) == 0);
        false
    }

    fn command(&self, name: &str, more: &[&str]) -> Outcome {
        run(name, &self.job.source, &self.target, &[OPTIONS, more].concat())
    }
}

/// The number that stands before the first `word` of a message.
fn number_before(message: &str, word: &str) -> u64 {
    message.split(word).next().and_then(|text| text.rsplit(' ').next()).unwrap().parse().unwrap()
}

/// Metadata documents above the arrays: there are none before the end.
fn leftovers(target: &Path) -> usize {
    let names = ["zarr.json", ".zgroup", ".zattrs"];
    names.iter().filter(|name| fs::exists(target.join(name)).unwrap()).count()
}

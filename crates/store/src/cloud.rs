//! Object stores and web servers, through the `object_store` client.
//!
//! The only place that knows of asynchronous code: every operation is a task on one small runtime of the process, and
//! the caller's thread waits for it.

mod address;
mod answer;
mod client;
mod connector;
mod failure;
mod login;
mod operations;
mod pace;
mod profile;
mod stream;
mod upload;
mod web;

use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, mpsc};

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use self::operations::Operations;
use self::pace::Pace;
use self::stream::CloudSink;
use self::upload::Uploads;
use crate::backend::{Backend, Children, Part, Version};
use crate::guard::Guard;
use crate::location::Location;
use crate::requests::Counters;
use crate::writer::Sink;
use crate::{Class, Error, RequestCounts, StoreOptions};

#[derive(Debug)]
pub(crate) struct Cloud {
    runtime: &'static Runtime,
    operations: Arc<Operations>,
    uploads: Arc<Uploads>,
    counters: Arc<Counters>,
    pace: Arc<Pace>,
}

impl Cloud {
    pub(crate) fn new(location: &Location, options: &StoreOptions) -> Result<Self, Error> {
        let counters = Arc::default();
        let place = location.root().unwrap_or_default().to_owned();
        let pace = Arc::new(Pace::new(place, options.retry_for, options.control.clone()));
        let client = client::build(location, options, &counters, &pace)?;
        Ok(Self {
            runtime: runtime()?,
            operations: Arc::new(Operations::new(client, location, options)?),
            uploads: Arc::new(Uploads::new(options.max_in_flight_bytes, options.control.clone())),
            counters,
            pace,
        })
    }

    fn run<T, F>(&self, operation: impl FnOnce(Arc<Operations>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        wait_for(self.runtime, &self.operations, operation)
    }
}

/// Runs an operation on the runtime and waits for it, from whatever thread.
fn wait_for<T, F>(
    runtime: &Runtime,
    operations: &Arc<Operations>,
    operation: impl FnOnce(Arc<Operations>) -> F,
) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let (sender, receiver) = mpsc::sync_channel(1);
    let task = operation(Arc::clone(operations));
    runtime.spawn(async move {
        // That nobody waits any more is nothing to report to nobody.
        let _ = sender.send(task.await);
    });
    receiver.recv().unwrap_or_else(|lost| Err(operations.failed("reach", "", Class::Other, lost)))
}

impl Backend for Cloud {
    fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        let key = key.to_owned();
        let cancelled = self.uploads.cancellation();
        self.run(|operations| async move { operations.put(&key, bytes, cancelled).await })
    }

    fn put_in_background(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        let size = bytes.len();
        let finished = self.uploads.begin(size)?;
        let key = key.to_owned();
        let uploads = Arc::clone(&self.uploads);
        let operations = Arc::clone(&self.operations);
        let cancelled = uploads.background_cancellation();
        self.runtime.spawn(async move {
            finished.with(operations.put(&key, bytes, cancelled).await);
        });
        Ok(())
    }

    fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        let key = key.to_owned();
        self.run(|operations| async move { operations.put_new(&key, bytes).await })
    }

    fn put_unseen(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        let key = key.to_owned();
        self.run(|operations| async move { operations.put_unseen(&key, bytes).await })
    }

    fn writer(&self, key: &str, expected: u64) -> Result<Option<Box<dyn Sink>>, Error> {
        let (operations, uploads) = (Arc::clone(&self.operations), Arc::clone(&self.uploads));
        Ok(Some(Box::new(CloudSink::new(self.runtime, operations, uploads, key, expected))))
    }

    fn read(&self, key: &str, part: Part) -> Result<Option<Bytes>, Error> {
        let key = key.to_owned();
        self.run(
            |operations| async move { Ok(operations.read(&key, part, None).await?.map(|(bytes, _)| bytes)) },
        )
    }

    fn read_ranges(
        &self,
        key: &str,
        ranges: &[Range<u64>],
        version: &Version,
    ) -> Result<Option<Vec<Bytes>>, Error> {
        let (key, ranges, etag) = (key.to_owned(), ranges.to_vec(), version.etag.clone());
        self.run(|operations| async move { operations.read_ranges(&key, &ranges, etag).await })
    }

    fn read_start(&self, key: &str, length: u64) -> Result<Option<(Bytes, Version)>, Error> {
        let key = key.to_owned();
        self.run(|operations| async move { operations.read_start(&key, length).await })
    }

    fn read_version(&self, key: &str, range: Range<u64>, version: &Version) -> Result<Option<Bytes>, Error> {
        let (key, version) = (key.to_owned(), version.clone());
        self.run(|operations| async move {
            let answer = operations.read(&key, Part::Range(range), version.etag).await?;
            Ok(answer.map(|(bytes, _)| bytes))
        })
    }

    fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        let key = key.to_owned();
        self.run(|operations| async move { operations.size(&key).await })
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let prefix = prefix.to_owned();
        self.run(|operations| async move { operations.list(&prefix).await })
    }

    fn list_each(&self, prefix: &str, each: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        let prefix = prefix.to_owned();
        // Whoever takes the names does little with them, so that few wait.
        let (into, listed) = mpsc::channel::<(String, u64)>();
        let operations = Arc::clone(&self.operations);
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let outcome = operations.list_into(&prefix, into).await;
            // That nobody waits any more is nothing to report to nobody.
            let _ = sender.send(outcome);
        });
        for (key, size) in listed {
            each(&key, size);
        }
        receiver.recv().unwrap_or_else(|lost| Err(self.operations.failed("list", "", Class::Other, lost)))
    }

    fn children(&self, prefix: &str) -> Result<Children, Error> {
        let prefix = prefix.to_owned();
        self.run(|operations| async move { operations.children(&prefix).await })
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        let key = key.to_owned();
        self.run(|operations| async move { operations.delete(&key).await })
    }

    fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        let prefix = prefix.to_owned();
        self.run(|operations| async move { operations.delete_prefix(&prefix).await })
    }

    fn flush(&self) -> Result<(), Error> {
        self.uploads.flush()
    }

    fn abort(&self) {
        self.uploads.abort();
    }

    fn set_guard(&self, guard: Option<Guard>, but: &str) {
        self.pace.set_guard(guard, but);
    }

    fn requests(&self) -> RequestCounts {
        self.counters.read()
    }
}

/// Uploads that nobody has waited for are given up, so that no parts of unfinished ones stay behind and cost money.
impl Drop for Cloud {
    fn drop(&mut self) {
        self.uploads.abort();
    }
}

/// How many of so many threads the system grants at the same time, at least one. The runtime panics over a thread that it is
/// refused, and then waits for ever for those that it has.
fn startable(threads: usize) -> std::io::Result<usize> {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let mut started = Vec::new();
    let mut refused = None;
    for _ in 0..threads {
        let wait = Arc::clone(&wait);
        let until_released = move || drop(wait.lock().map(|wait| wait.recv()));
        match std::thread::Builder::new().spawn(until_released) {
            Ok(thread) => started.push(thread),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let count = started.len();
    drop(release);
    for thread in started {
        // It does nothing that could panic.
        let _ = thread.join();
    }
    match refused {
        Some(error) if count == 0 => Err(error),
        _ => Ok(count),
    }
}

/// The process's runtime: a thread or two are enough, since no task computes anything.
fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(1, 4));
    let runtime = Builder::new_multi_thread()
        .worker_threads(startable(threads).map_err(Error::Thread)?)
        .thread_name("fairzarr-network")
        .enable_all()
        .build()
        .map_err(Error::Thread)?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

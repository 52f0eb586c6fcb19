//! An object that goes up while it is being written.

use std::io::{self, Write};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc as parts;

use super::operations::Operations;
use super::upload::{Cancellation, Uploads};
use crate::writer::Sink;
use crate::{Class, Error};

/// Collects parts and hands them to a task that sends them. An object of one part goes up with one request.
pub(crate) struct CloudSink {
    runtime: &'static Runtime,
    operations: Arc<Operations>,
    uploads: Arc<Uploads>,
    key: String,
    part: Vec<u8>,
    part_bytes: usize,
    task: Option<Task>,
}

/// The other side of the task.
struct Task {
    /// None says that there are no more.
    parts: parts::Sender<Option<Bytes>>,
    result: mpsc::Receiver<Result<(), Error>>,
}

impl CloudSink {
    pub(crate) fn new(
        runtime: &'static Runtime,
        operations: Arc<Operations>,
        uploads: Arc<Uploads>,
        key: &str,
        expected: u64,
    ) -> Self {
        let part_bytes = Operations::stream_part_bytes(expected);
        Self { runtime, operations, uploads, key: key.to_owned(), part: Vec::new(), part_bytes, task: None }
    }

    /// Hands the collected part over, and waits while too many are on their way.
    fn send(&mut self) -> Result<(), Error> {
        let part = std::mem::take(&mut self.part).into();
        if self.task.is_none() {
            self.task = Some(self.start()?);
        }
        match &self.task {
            Some(task) if task.parts.blocking_send(Some(part)).is_ok() => Ok(()),
            _ => self.outcome(),
        }
    }

    fn start(&self) -> Result<Task, Error> {
        let finished = self.uploads.begin(0)?;
        let (sender, receiver) = parts::channel(1);
        let (report, result) = mpsc::sync_channel(1);
        let (operations, uploads, key) =
            (Arc::clone(&self.operations), Arc::clone(&self.uploads), self.key.clone());
        let cancelled = uploads.cancellation();
        self.runtime.spawn(async move {
            let coming = stream::unfold((receiver, cancelled), async |(mut receiver, mut cancelled)| {
                let part = next(&mut receiver, &mut cancelled).await;
                let part = part.unwrap_or_else(|| Some(Err(operations.given_up(&key))))?;
                Some((part, (receiver, cancelled)))
            });
            let result = operations.put_stream(&key, coming).await;
            drop(finished);
            // That nobody waits any more is nothing to report to nobody.
            let _ = report.send(result);
        });
        Ok(Task { parts: sender, result })
    }

    /// What became of the task.
    fn outcome(&mut self) -> Result<(), Error> {
        match self.task.take().map(|task| task.result.recv()) {
            Some(Ok(result)) => result,
            _ => Err(self.operations.failed("write", &self.key, Class::Other, "its upload has ended")),
        }
    }
}

/// The next part, or none at the end; none at all if the writer is gone or the upload is not wanted any more.
async fn next(
    receiver: &mut parts::Receiver<Option<Bytes>>,
    cancelled: &mut Cancellation,
) -> Option<Option<Result<Bytes, Error>>> {
    match select(std::pin::pin!(receiver.recv()), std::pin::pin!(cancelled.cancelled())).await {
        Either::Left((Some(part), _)) => Some(part.map(Ok)),
        Either::Left((None, _)) | Either::Right(_) => None,
    }
}

impl Sink for CloudSink {
    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        if self.task.is_none() {
            let (key, part) = (self.key.clone(), std::mem::take(&mut self.part).into());
            let cancelled = self.uploads.cancellation();
            return super::wait_for(self.runtime, &self.operations, |operations| async move {
                operations.put(&key, part, cancelled).await
            });
        }
        if !self.part.is_empty() {
            self.send()?;
        }
        if let Some(task) = &self.task {
            // If the task has ended already, it tells why.
            let _ = task.parts.blocking_send(None);
        }
        self.outcome()
    }
}

impl Write for CloudSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.part_bytes - self.part.len());
        self.part.extend_from_slice(&bytes[..count]);
        if self.part.len() == self.part_bytes {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The task takes back what it has sent, and is waited for, so that a program that ends now leaves nothing.
impl Drop for CloudSink {
    fn drop(&mut self) {
        if let Some(Task { parts, result }) = self.task.take() {
            drop(parts);
            let _ = result.recv();
        }
    }
}

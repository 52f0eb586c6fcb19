//! Objects that go up in parts.

use std::pin::pin;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream::{self, FuturesUnordered};
use futures::{Stream, StreamExt};
use object_store::PutMultipartOptions;
use object_store::path::Path;

use super::Operations;
use crate::Error;
use crate::backend::Part;
use crate::cloud::connector::traced;
use crate::cloud::upload::Cancellation;

impl Operations {
    pub(super) async fn put_in_parts(
        &self,
        key: &str,
        path: &Path,
        bytes: Bytes,
        cancelled: Cancellation,
    ) -> Result<(), Error> {
        // All parts but the last of one size, which some servers demand.
        let part_bytes = self.part_bytes.max(bytes.len().div_ceil(MAX_PARTS));
        let parts = (0..bytes.len()).step_by(part_bytes).map(|start| {
            if cancelled.is_cancelled() {
                return Err(self.given_up(key));
            }
            Ok(bytes.slice(start..(start + part_bytes).min(bytes.len())))
        });
        self.put_parts(key, path, stream::iter(parts)).await
    }

    /// Uploads an object whose parts come one by one; the first error that comes instead ends it.
    pub(crate) async fn put_stream(
        &self,
        key: &str,
        parts: impl Stream<Item = Result<Bytes, Error>>,
    ) -> Result<(), Error> {
        self.writable()?;
        self.put_parts(key, &self.path(key)?, parts).await
    }

    async fn put_parts(
        &self,
        key: &str,
        path: &Path,
        parts: impl Stream<Item = Result<Bytes, Error>>,
    ) -> Result<(), Error> {
        let failed = |error, trace| self.client_failed("write", key, error, trace);
        let options = PutMultipartOptions {
            tags: self.tags.clone(),
            attributes: self.attributes(key),
            ..PutMultipartOptions::default()
        };
        let (opened, trace) = traced(self.client.put_multipart_opts(path, options)).await;
        let mut upload = opened.map_err(|error| failed(error, trace))?;

        // After a failure no more parts are sent, but those under way are waited for: a part that arrives after the
        // upload is aborted would stay.
        let mut parts = pin!(parts);
        let mut under_way = FuturesUnordered::new();
        let mut sums = Vec::new();
        let mut sent = Ok(());
        let mut more = true;
        loop {
            let wanted = more && sent.is_ok() && under_way.len() < PARTS_AT_ONCE;
            let event = match (wanted, under_way.is_empty()) {
                (true, true) => Either::Left(parts.next().await),
                (true, false) => match select(parts.next(), under_way.next()).await {
                    Either::Left((part, _)) => Either::Left(part),
                    Either::Right((result, _)) => Either::Right(result),
                },
                (false, false) => Either::Right(under_way.next().await),
                (false, true) => break,
            };
            match event {
                Either::Left(Some(Ok(part))) => {
                    sums.push(Sum::of(&part));
                    under_way.push(traced(self.permitted(upload.put_part(part.into()))));
                }
                Either::Left(Some(Err(error))) => sent = Err(error),
                Either::Left(None) => more = false,
                Either::Right(Some((Err(error), trace))) if sent.is_ok() => sent = Err(failed(error, trace)),
                Either::Right(_) => {}
            }
        }
        let completed = match sent {
            Ok(()) => {
                let (completed, trace) = traced(upload.complete()).await;
                match completed {
                    Ok(_) => return Ok(()),
                    // A first request may have completed the upload although its answer was lost.
                    Err(_) if trace.requests > 1 && self.holds(key, &sums).await => return Ok(()),
                    Err(error) => Err(failed(error, trace)),
                }
            }
            Err(error) => Err(error),
        };
        // What matters is the first error; this is only to leave nothing behind.
        let _ = upload.abort().await;
        completed
    }

    /// Whether the object is made of parts of these sums.
    async fn holds(&self, key: &str, parts: &[Sum]) -> bool {
        let mut start = 0;
        for part in parts {
            match self.read(key, Part::Range(start..start + part.length), None).await {
                Ok(Some((found, _))) if Sum::of(&found) == *part => start += part.length,
                _ => return false,
            }
        }
        matches!(self.size(key).await, Ok(Some(size)) if size == start)
    }

    /// Bytes of the parts of an object of about this size, so that there are not too many.
    pub(crate) fn stream_part_bytes(expected: u64) -> usize {
        let least = expected.div_ceil(MAX_PARTS as u64 * 9 / 10);
        usize::try_from(least).unwrap_or(usize::MAX).max(STREAM_PART_BYTES)
    }
}

/// What is remembered of bytes that were sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Sum {
    length: u64,
    crc32: u32,
}

impl Sum {
    fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, crc32: crc32fast::hash(bytes) }
    }
}

/// Parts of objects that are never held whole: smaller, since several wait in memory for each object.
const STREAM_PART_BYTES: usize = 8 << 20;
/// What S3 allows.
const MAX_PARTS: usize = 10_000;
/// Parts of one object under way at the same time.
const PARTS_AT_ONCE: usize = 4;

//! The operations of a store as asynchronous functions.

mod listing;

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::{Either, select};
use futures::stream::{self, FuturesUnordered};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error as ClientError, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, Result as ClientResult, coalesce_ranges,
};
use tokio::sync::Semaphore;

use super::connector::{Outcome, Trace, traced};
use super::failure;
use super::upload::Cancellation;
use crate::backend::{Part, Version};
use crate::location::{Location, Scheme};
use crate::{Class, Error, StoreOptions, content_type};

#[derive(Debug)]
pub(crate) struct Operations {
    client: Arc<dyn ObjectStore>,
    scheme: Scheme,
    location: String,
    /// Empty, or what every key begins with, closing `/` included.
    root: String,
    part_bytes: usize,
    retries: usize,
    /// One permit per upload request under way.
    requests: Semaphore,
}

impl Operations {
    pub(crate) fn new(client: Arc<dyn ObjectStore>, location: &Location, options: &StoreOptions) -> Self {
        Self {
            client,
            scheme: location.scheme(),
            location: location.to_string(),
            root: location
                .key()
                .filter(|key| !key.is_empty())
                .map_or_else(String::new, |key| format!("{key}/")),
            part_bytes: options.part_bytes.max(MIN_PART_BYTES),
            retries: options.retries,
            requests: Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
        }
    }

    pub(crate) async fn put(
        &self,
        key: &str,
        bytes: Bytes,
        mut cancelled: Cancellation,
    ) -> Result<(), Error> {
        self.writable()?;
        let path = self.path(key)?;
        if bytes.len() > self.part_bytes {
            return self.put_in_parts(key, &path, bytes, cancelled).await;
        }
        let options = PutOptions { attributes: attributes(key), ..PutOptions::default() };
        let upload = traced(self.permitted(self.client.put_opts(&path, bytes.into(), options)));
        match select(std::pin::pin!(upload), std::pin::pin!(cancelled.cancelled())).await {
            Either::Left(((result, trace), _)) => {
                result.map(drop).map_err(|error| self.client_failed("write", key, error, trace))
            }
            Either::Right(_) => Err(self.given_up(key)),
        }
    }

    async fn put_in_parts(
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
        let options = PutMultipartOptions { attributes: attributes(key), ..PutMultipartOptions::default() };
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

    /// Runs an upload request when fewer than the allowed number are under way.
    async fn permitted<T>(&self, request: impl Future<Output = T>) -> T {
        let _permit = self.requests.acquire().await;
        request.await
    }

    /// A conditional write whose answer is lost looks, when repeated, as if somebody else had been first; so after
    /// more than one request the object itself tells whose it is.
    pub(crate) async fn put_new(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        self.writable()?;
        let path = self.path(key)?;
        // Servers that do not know conditional writes ignore the condition. This stops all but simultaneous writers.
        if self.size(key).await?.is_some() {
            return Ok(false);
        }
        let mut requests = 0;
        for attempt in 0.. {
            let options =
                PutOptions { mode: PutMode::Create, attributes: attributes(key), ..PutOptions::default() };
            let (result, trace) = traced(self.client.put_opts(&path, bytes.clone().into(), options)).await;
            requests += trace.requests;
            match result {
                Ok(_) => return Ok(true),
                Err(ClientError::AlreadyExists { .. }) => {
                    return Ok(requests > 1 && self.is(key, &bytes).await);
                }
                Err(error) => {
                    let class = failure::class(&error, trace);
                    // 409: another conditional write of the same key is under way.
                    let again = matches!(class, Class::Transient | Class::Throttled | Class::Precondition);
                    if !again || attempt >= self.retries {
                        return Err(self.client_failed("create", key, error, trace));
                    }
                    pause(attempt).await;
                }
            }
        }
        Ok(false)
    }

    /// Whether the object is these bytes.
    async fn is(&self, key: &str, bytes: &Bytes) -> bool {
        matches!(self.read(key, Part::All, None).await, Ok(Some((found, _))) if found == bytes)
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

    /// Reads part of an object, of the version with that ETag if given.
    pub(crate) async fn read(
        &self,
        key: &str,
        part: Part,
        etag: Option<String>,
    ) -> Result<Option<(Bytes, Version)>, Error> {
        let path = self.path(key)?;
        let range = match part {
            Part::All => None,
            // What HTTP cannot ask for, and what Azure does not know, needs the size first.
            Part::Range(ref range) if range.end <= range.start => {
                return self.read_sized(key, &part, etag).await;
            }
            Part::Suffix(length) if length == 0 || self.scheme == Scheme::Azure => {
                return self.read_sized(key, &part, etag).await;
            }
            Part::Range(ref range) => Some(GetRange::Bounded(range.clone())),
            Part::Suffix(length) => Some(GetRange::Suffix(length)),
        };
        for attempt in 0.. {
            let options =
                GetOptions { range: range.clone(), if_match: etag.clone(), ..GetOptions::default() };
            let (answer, trace) = traced(self.fetch(&path, options)).await;
            match answer {
                Ok((bytes, version)) => {
                    let expected = part.resolve(version.size, &self.location, key)?;
                    if bytes.len() as u64 == expected.end - expected.start {
                        return Ok(Some((bytes, version)));
                    }
                    if attempt >= self.retries {
                        let size = expected.start + bytes.len() as u64;
                        return Err(Error::Range {
                            location: self.location.clone(),
                            key: key.to_owned(),
                            range: expected,
                            size,
                        });
                    }
                }
                Err(ClientError::NotFound { .. }) => return Ok(None),
                Err(error)
                    if failure::is_broken_answer(&error, trace, range.is_some())
                        && attempt < self.retries => {}
                // Perhaps the range is beyond the end, or a suffix of nothing; servers differ in how they say so.
                Err(error) if range.is_some() && matches!(trace.last, Outcome::Status(200 | 400 | 416)) => {
                    let size = self.size(key).await?.unwrap_or_default();
                    let wanted = part.resolve(size, &self.location, key)?;
                    return match part {
                        _ if wanted.is_empty() => Ok(Some((Bytes::new(), Version { size, etag }))),
                        Part::Suffix(_) => Box::pin(self.read(key, Part::Range(wanted), etag)).await,
                        _ => Err(self.client_failed("read", key, error, trace)),
                    };
                }
                Err(error) => return Err(self.client_failed("read", key, error, trace)),
            }
            pause(attempt).await;
        }
        Ok(None)
    }

    /// As [`Self::read`], for what needs the object's size first.
    async fn read_sized(
        &self,
        key: &str,
        part: &Part,
        etag: Option<String>,
    ) -> Result<Option<(Bytes, Version)>, Error> {
        let Some(size) = self.size(key).await? else {
            return Ok(None);
        };
        let range = part.resolve(size, &self.location, key)?;
        if range.is_empty() {
            return Ok(Some((Bytes::new(), Version { size, etag })));
        }
        Box::pin(self.read(key, Part::Range(range), etag)).await
    }

    async fn fetch(&self, path: &Path, options: GetOptions) -> ClientResult<(Bytes, Version)> {
        let answer = self.client.get_opts(path, options).await?;
        let version = Version {
            size: answer.meta.size,
            etag: answer.meta.e_tag.clone().filter(|etag| is_strong(etag)),
        };
        let announced = answer.range.end - answer.range.start;
        let mut stream = answer.into_stream();
        // The announced length is the server's word only: it may not decide what is reserved.
        let mut collected = BytesMut::new();
        while let Some(piece) = stream.try_next().await? {
            if collected.is_empty() {
                if piece.len() as u64 == announced {
                    return Ok((piece, version));
                }
                collected.reserve(announced.min(MAX_RESERVED) as usize);
            }
            collected.extend_from_slice(&piece);
        }
        Ok((collected.freeze(), version))
    }

    /// The first bytes of an object, its size and version, with one request; fewer bytes of a shorter object.
    pub(crate) async fn read_start(&self, key: &str, length: u64) -> Result<Option<(Bytes, Version)>, Error> {
        let path = self.path(key)?;
        for attempt in 0.. {
            let options =
                GetOptions { range: Some(GetRange::Bounded(0..length.max(1))), ..GetOptions::default() };
            let (answer, trace) = traced(self.fetch(&path, options)).await;
            match answer {
                Ok((bytes, version)) if bytes.len() as u64 == version.size.min(length.max(1)) => {
                    return Ok(Some((bytes, version)));
                }
                Ok((bytes, version)) if attempt >= self.retries => {
                    return Err(Error::Range {
                        location: self.location.clone(),
                        key: key.to_owned(),
                        range: 0..version.size.min(length),
                        size: bytes.len() as u64,
                    });
                }
                Ok(_) => {}
                Err(ClientError::NotFound { .. }) => return Ok(None),
                Err(error) if failure::is_broken_answer(&error, trace, true) && attempt < self.retries => {}
                // Only an empty object has no first byte.
                Err(_) if trace.last == Outcome::Status(416) => {
                    return Ok(Some((Bytes::new(), Version::default())));
                }
                Err(error) => return Err(self.client_failed("read", key, error, trace)),
            }
            pause(attempt).await;
        }
        Ok(None)
    }

    /// Ranges of an object, of the version with that ETag if given; near ones with one request.
    pub(crate) async fn read_ranges(
        &self,
        key: &str,
        ranges: &[Range<u64>],
        etag: Option<String>,
    ) -> Result<Option<Vec<Bytes>>, Error> {
        if let Some(inverted) = ranges.iter().find(|range| range.end < range.start) {
            let refused = self.read_sized(key, &Part::Range(inverted.clone()), etag).await?;
            return Ok(refused.map(|_| Vec::new()));
        }
        let fetch = |range| async {
            match self.read(key, Part::Range(range), etag.clone()).await {
                Ok(Some((bytes, _))) => Ok(bytes),
                Ok(None) => Err(None),
                Err(error) => Err(Some(error)),
            }
        };
        match coalesce_ranges(ranges, fetch, MAX_GAP).await {
            Ok(parts) => Ok(Some(parts)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    pub(crate) async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        let path = self.path(key)?;
        let (answer, trace) = traced(self.client.head(&path)).await;
        match answer {
            Ok(meta) => Ok(Some(meta.size)),
            Err(_) if self.scheme == Scheme::Http && trace.last != Outcome::Status(404) => {
                // Web servers, and signatures that allow GET alone, may refuse the question, but not the answer.
                Ok(self.read_start(key, 1).await?.map(|(_, version)| version.size))
            }
            Err(ClientError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.client_failed("look up", key, error, trace)),
        }
    }

    /// Bytes of the parts of an object of about this size, so that there are not too many.
    pub(crate) fn stream_part_bytes(expected: u64) -> usize {
        let least = expected.div_ceil(MAX_PARTS as u64 * 9 / 10);
        usize::try_from(least).unwrap_or(usize::MAX).max(STREAM_PART_BYTES)
    }

    fn writable(&self) -> Result<(), Error> {
        self.refuse_web("a web server can only be read")
    }

    fn listable(&self) -> Result<(), Error> {
        self.refuse_web("a web server cannot list what it holds")
    }

    fn refuse_web(&self, reason: &str) -> Result<(), Error> {
        match self.scheme {
            Scheme::Http => {
                Err(Error::Unsupported { location: self.location.clone(), reason: reason.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn path(&self, key: &str) -> Result<Path, Error> {
        Path::parse(format!("{}{key}", self.root))
            .map_err(|_| Error::Key { key: key.to_owned(), reason: "it contains a control character" })
    }

    fn prefix(&self, prefix: &str) -> Result<Option<Path>, Error> {
        let path = self.path(prefix)?;
        Ok((!path.as_ref().is_empty()).then_some(path))
    }

    fn key<'a>(&self, path: &'a Path) -> Option<&'a str> {
        path.as_ref().strip_prefix(&self.root)
    }

    pub(crate) fn given_up(&self, key: &str) -> Error {
        self.failed("write", key, Class::Other, "the upload was given up")
    }

    fn client_failed(&self, action: &'static str, key: &str, error: ClientError, trace: Trace) -> Error {
        if matches!(error, ClientError::NotSupported { .. }) && self.scheme == Scheme::Http {
            return Error::Unsupported {
                location: format!("{}/{key}", self.location),
                reason: "the web server does not answer requests for a part of a file".to_owned(),
            };
        }
        let class = failure::class(&error, trace);
        match trace.last {
            Outcome::NoCredentials => self.failed(action, key, class, NO_CREDENTIALS),
            _ => self.failed(action, key, class, error),
        }
    }

    pub(crate) fn failed(
        &self,
        action: &'static str,
        key: &str,
        class: Class,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error::Failed {
            action,
            key: key.to_owned(),
            location: self.location.clone(),
            class,
            source: source.into(),
        }
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

fn attributes(key: &str) -> Attributes {
    Attributes::from_iter([(Attribute::ContentType, content_type::of(key))])
}

/// Waits before another attempt, twice as long each time.
async fn pause(attempt: usize) {
    let factor = 1_u32 << attempt.min(7);
    tokio::time::sleep(FIRST_PAUSE * factor).await;
}

/// Only a strong ETag promises equal bytes.
fn is_strong(etag: &str) -> bool {
    !etag.starts_with("W/")
}

const NO_CREDENTIALS: &str = "no credentials were found in the options, the environment or the configuration files; \
    for public data, the option anonymous=true asks for none";
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// What S3 asks of all parts but the last.
const MIN_PART_BYTES: usize = 5 << 20;
/// Parts of objects that are never held whole: smaller, since several wait in memory for each object.
const STREAM_PART_BYTES: usize = 8 << 20;
/// What S3 allows.
const MAX_PARTS: usize = 10_000;
/// Parts of one object under way at the same time.
const PARTS_AT_ONCE: usize = 4;
/// Ranges that are nearer than this are read with one request: as long as skipping the bytes costs less than asking.
const MAX_GAP: u64 = 512 << 10;
/// What is reserved for an answer before its bytes arrive.
const MAX_RESERVED: u64 = 64 << 20;

//! The operations of a store as asynchronous functions.

mod listing;
mod parts;

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use futures::future::{Either, select};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error as ClientError, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, Result as ClientResult, TagSet, coalesce_ranges,
};
use tokio::sync::Semaphore;

use super::client::{STORAGE_CLASS, tags};
use super::connector::{Outcome, Trace, traced};
use super::failure;
use super::upload::Cancellation;
use crate::backend::{Part, Version};
use crate::location::{Location, Scheme};
use crate::{Class, Control, Error, StoreOptions, content_type};

#[derive(Debug)]
pub(crate) struct Operations {
    client: Arc<dyn ObjectStore>,
    scheme: Scheme,
    location: String,
    /// Empty, or what every key begins with, closing `/` included.
    root: String,
    part_bytes: usize,
    /// What objects are stored as, if not as the store does by itself.
    storage_class: Option<String>,
    tags: TagSet,
    control: Control,
    /// One permit per upload request under way.
    requests: Semaphore,
}

impl Operations {
    pub(crate) fn new(
        client: Arc<dyn ObjectStore>,
        location: &Location,
        options: &StoreOptions,
    ) -> Result<Self, Error> {
        Ok(Self {
            client,
            scheme: location.scheme(),
            location: location.to_string(),
            root: location
                .key()
                .filter(|key| !key.is_empty())
                .map_or_else(String::new, |key| format!("{key}/")),
            part_bytes: options.part_bytes.max(MIN_PART_BYTES),
            storage_class: options
                .options
                .iter()
                .rfind(|(key, _)| key.eq_ignore_ascii_case(STORAGE_CLASS))
                .map(|(_, class)| class.clone()),
            tags: tags(location, options)?,
            control: options.control.clone(),
            requests: Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
        })
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
        let options = self.put_options(key, PutMode::Overwrite);
        let request = self.client.put_opts(&path, bytes.into(), options);
        // Those of the queue may be held back until a lease is looked at: whoever waits for an upload, as the mark of the
        // lease itself, may not have to wait for them.
        let upload = if cancelled.is_of_queue() {
            Either::Left(self.permitted(request))
        } else {
            Either::Right(request)
        };
        let upload = traced(upload);
        match select(std::pin::pin!(upload), std::pin::pin!(cancelled.cancelled())).await {
            Either::Left(((result, trace), _)) => {
                result.map(drop).map_err(|error| self.client_failed("write", key, error, trace))
            }
            Either::Right(_) => Err(self.given_up(key)),
        }
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
        // Servers that do not know conditional writes ignore the condition. This stops all but simultaneous writers.
        if self.size(key).await?.is_some() {
            return Ok(false);
        }
        self.put_unseen(key, bytes).await
    }

    /// As [`Self::put_new`], where it was just seen that there is none.
    pub(crate) async fn put_unseen(&self, key: &str, bytes: Bytes) -> Result<bool, Error> {
        self.writable()?;
        let path = self.path(key)?;
        let options = self.put_options(key, PutMode::Create);
        let (result, trace) = traced(self.client.put_opts(&path, bytes.clone().into(), options)).await;
        match result {
            Ok(_) => Ok(true),
            Err(ClientError::AlreadyExists { .. }) => Ok(trace.requests > 1 && self.is(key, &bytes).await),
            Err(error) => Err(self.client_failed("create", key, error, trace)),
        }
    }

    /// Whether the object is these bytes.
    async fn is(&self, key: &str, bytes: &Bytes) -> bool {
        matches!(self.read(key, Part::All, None).await, Ok(Some((found, _))) if found == bytes)
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
        let options = GetOptions { range: range.clone(), if_match: etag.clone(), ..GetOptions::default() };
        let (answer, trace) = traced(self.fetch(&path, options)).await;
        match answer {
            Ok((bytes, version)) => {
                if etag.is_some() && version.etag.is_some() && version.etag != etag {
                    // Not every server heeds the condition.
                    return Err(self.failed(
                        "read",
                        key,
                        Class::Precondition,
                        "it has another ETag than before",
                    ));
                }
                let expected = part.resolve(version.size, &self.location, key)?;
                if bytes.len() as u64 == expected.end - expected.start {
                    return Ok(Some((bytes, version)));
                }
                let size = expected.start + bytes.len() as u64;
                Err(Error::Range {
                    location: self.location.clone(),
                    key: key.to_owned(),
                    range: expected,
                    size,
                })
            }
            Err(ClientError::NotFound { .. }) if !trace.no_place => Ok(None),
            // Perhaps the range is beyond the end, or a suffix of nothing; servers differ in how they say so.
            Err(error) if range.is_some() && matches!(trace.last, Outcome::Status(200 | 400 | 416)) => {
                let size = self.size(key).await?.unwrap_or_default();
                let wanted = part.resolve(size, &self.location, key)?;
                match part {
                    _ if wanted.is_empty() => Ok(Some((Bytes::new(), Version { size, etag }))),
                    Part::Suffix(_) => Box::pin(self.read(key, Part::Range(wanted), etag)).await,
                    _ => Err(self.client_failed("read", key, error, trace)),
                }
            }
            Err(error) => Err(self.client_failed("read", key, error, trace)),
        }
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
        let options =
            GetOptions { range: Some(GetRange::Bounded(0..length.max(1))), ..GetOptions::default() };
        let (answer, trace) = traced(self.fetch(&path, options)).await;
        match answer {
            Ok((bytes, version)) if bytes.len() as u64 == version.size.min(length.max(1)) => {
                Ok(Some((bytes, version)))
            }
            Ok((bytes, version)) => Err(Error::Range {
                location: self.location.clone(),
                key: key.to_owned(),
                range: 0..version.size.min(length),
                size: bytes.len() as u64,
            }),
            Err(ClientError::NotFound { .. }) if !trace.no_place => Ok(None),
            // Only an empty object has no first byte.
            Err(_) if trace.last == Outcome::Status(416) => Ok(Some((Bytes::new(), Version::default()))),
            Err(error) => Err(self.client_failed("read", key, error, trace)),
        }
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

    fn put_options(&self, key: &str, mode: PutMode) -> PutOptions {
        PutOptions {
            mode,
            tags: self.tags.clone(),
            attributes: self.attributes(key),
            ..PutOptions::default()
        }
    }

    fn attributes(&self, key: &str) -> Attributes {
        let mut attributes = Attributes::from_iter([(Attribute::ContentType, content_type::of(key))]);
        if let Some(class) = &self.storage_class {
            attributes.insert(Attribute::StorageClass, class.clone().into());
        }
        attributes
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
        let class = if self.control.is_cancelled() { Class::Cancelled } else { Class::Other };
        self.failed("write", key, class, "the upload was given up")
    }

    fn client_failed(&self, action: &'static str, key: &str, error: ClientError, trace: Trace) -> Error {
        if matches!(error, ClientError::NotSupported { .. }) && self.scheme == Scheme::Http {
            return Error::Unsupported {
                location: format!("{}/{key}", self.location),
                reason: "the web server does not answer requests for a part of a file".to_owned(),
            };
        }
        if trace.no_place {
            let kind = if self.scheme == Scheme::Azure { "container" } else { "bucket" };
            return self.failed(action, key, Class::NotFound, format!("the {kind} does not exist"));
        }
        let class = failure::class(&error, &trace);
        match (trace.last, trace.reason) {
            (Outcome::NoCredentials, _) => self.failed(action, key, class, NO_CREDENTIALS),
            // The client's own text names its parts and repeats the address; what was wrong is one sentence.
            (_, Some(reason)) => self.failed(action, key, class, reason),
            (_, None) => self.failed(action, key, class, error),
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

/// Only a strong ETag promises equal bytes.
fn is_strong(etag: &str) -> bool {
    !etag.starts_with("W/")
}

const NO_CREDENTIALS: &str = "no credentials were found in the options, the environment or the configuration files; \
    for public data, the option anonymous=true asks for none";
/// What S3 asks of all parts but the last.
const MIN_PART_BYTES: usize = 5 << 20;
/// Ranges that are nearer than this are read with one request: as long as skipping the bytes costs less than asking.
const MAX_GAP: u64 = 512 << 10;
/// What is reserved for an answer before its bytes arrive.
const MAX_RESERVED: u64 = 64 << 20;

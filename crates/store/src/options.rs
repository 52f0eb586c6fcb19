//! How a store is opened.

use std::time::Duration;

use crate::Control;

/// Settings of a [`Store`](crate::Store).
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Settings of the object store client, as `key=value` pairs in the client's own names, such as
    /// `aws_endpoint` or `azure_storage_account_name`. Local directories have none.
    pub options: Vec<(String, String)>,
    /// When written data has to have reached the disk. Object stores are always durable.
    pub durability: Durability,
    /// Bytes handed to [`put_in_background`](crate::Store::put_in_background) that may wait for their upload.
    pub max_in_flight_bytes: usize,
    /// Requests that may run at the same time.
    pub concurrency: usize,
    /// Objects larger than this are uploaded in parts of this many bytes.
    pub part_bytes: usize,
    /// Bytes of remote files that are kept for further reads: of all files of a store together.
    pub cache_bytes: usize,
    /// The largest remote file that is downloaded whole from a server that does not give parts of files.
    pub max_download_bytes: u64,
    /// How long a request is tried again that meets a passing failure: no connection, no answer, 429, 5xx. The time of a
    /// place counts, not that of each request. Zero means once; more than 14 minutes count as 14, since signatures
    /// expire.
    pub retry_for: Duration,
    /// Whether web servers may send requests on to other hosts and ports. To addresses of this machine or its link they never
    /// may, unless they are such themselves.
    pub follow_redirects: bool,
    /// Shows what the store waits for, and stops it.
    pub control: Control,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            options: Vec::new(),
            durability: Durability::End,
            max_in_flight_bytes: 64 << 20,
            concurrency: 32,
            part_bytes: 16 << 20,
            cache_bytes: 64 << 20,
            max_download_bytes: 256 << 20,
            retry_for: Duration::from_mins(5),
            follow_redirects: false,
            control: Control::new(),
        }
    }
}

/// When local files have to survive a power cut.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// Whenever the operating system gets to it.
    None,
    /// Once [`Store::sync`](crate::Store::sync) has returned.
    #[default]
    End,
    /// Once the call that wrote the object has returned.
    Each,
}

impl std::str::FromStr for Durability {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "end" => Ok(Self::End),
            "each" => Ok(Self::Each),
            _ => Err(crate::Error::Option {
                key: "durability".to_owned(),
                reason: format!("found {text:?}, expected none, end or each"),
            }),
        }
    }
}

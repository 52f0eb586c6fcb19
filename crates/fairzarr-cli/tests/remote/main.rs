//! The program against object stores and web servers that run in this process, behind a proxy that counts requests
//! and breaks them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the lints' exemption for tests does not reach the helpers of integration tests"
)]

mod archive;
mod convert;
mod copy;
mod faults;
#[path = "../pages/mod.rs"]
mod pages;
#[path = "../../../nbo/tests/support/plate.rs"]
mod plate;
mod read;
mod readme;
#[expect(dead_code, reason = "the store's own tests use all of it")]
#[path = "../../../store/tests/it/servers/mod.rs"]
mod servers;
#[expect(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../end_to_end/support/mod.rs"]
mod support;
mod tasks;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

use servers::proxy::{Fault, Proxy, Request};
use servers::s3::{ACCESS_KEY, S3, SECRET_KEY};
use support::Outcome;

/// An S3 server, a proxy in front of it, and a directory for what is local.
struct Site {
    server: S3,
    proxy: Proxy,
    dir: TempDir,
}

impl Site {
    /// A site whose network works.
    fn new() -> Self {
        Self::with_faults(|_| Fault::None)
    }

    /// A site where `choose` says what happens to each request.
    fn with_faults(choose: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        let server = S3::start();
        let proxy = Proxy::start(server.address, choose);
        Self { server, proxy, dir: TempDir::new().unwrap() }
    }

    fn local(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the program with this site's credentials.
    fn fairzarr<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        let output = command(self.proxy.address, args).output().unwrap();
        Outcome {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts the program with this site's credentials.
    fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Child {
        command(self.proxy.address, args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What the server stores under a key of its bucket.
    fn stored(&self, key: &str) -> PathBuf {
        self.server.file(&format!("bucket/{key}"))
    }

    /// Fails unless the server stores exactly the files of a local store.
    #[track_caller]
    fn assert_stored(&self, key: &str, local: &Path) {
        // This server keeps the directories of deleted objects; object stores have none.
        let files = |root: &Path| {
            let mut tree = support::tree(root);
            tree.retain(|name, _| !name.ends_with('/'));
            tree
        };
        let (stored, local) = (files(&self.stored(key)), files(local));
        assert!(!local.is_empty() && stored.keys().eq(local.keys()));
        for (name, bytes) in local {
            assert!(stored[&name] == bytes, "{name} differs");
        }
    }

    /// Requests with a method so far.
    fn requests(&self, method: &str) -> usize {
        self.proxy.seen().iter().filter(|request| request.method == method).count()
    }
}

fn command<A: AsRef<OsStr>>(address: SocketAddr, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairzarr"));
    command
        .args(args)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .env_remove("AWS_PROFILE")
        .stdin(Stdio::null());
    command
}

fn text(path: &Path) -> String {
    support::text(path)
}

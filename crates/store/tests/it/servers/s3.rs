//! An S3 server in this process: signatures are checked, a bucket is a directory, an object a file.

use std::net::SocketAddr;
use std::path::PathBuf;

use fairzarr_store::{Store, StoreOptions};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) const ACCESS_KEY: &str = "AKIATEST";
pub(crate) const SECRET_KEY: &str = "a secret for tests";

pub(crate) struct S3 {
    pub(crate) address: SocketAddr,
    data: TempDir,
    _runtime: Runtime,
}

impl S3 {
    /// Starts a server with the bucket `bucket`, which only the test's key opens.
    pub(crate) fn start() -> Self {
        Self::with_auth(true)
    }

    /// Starts a server that asks nobody for a signature.
    pub(crate) fn open_to_all() -> Self {
        Self::with_auth(false)
    }

    fn with_auth(auth: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join("bucket")).unwrap();
        let service = {
            let mut builder = S3ServiceBuilder::new(FileSystem::new(data.path()).unwrap());
            if auth {
                builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
            }
            builder.build()
        };
        let (address, runtime) = serve(service);
        Self { address, data, _runtime: runtime }
    }

    /// A store at `s3://place` on this server.
    pub(crate) fn open(&self, place: &str, options: &StoreOptions) -> Store {
        open_at(self.address, place, options)
    }

    /// The file of an object.
    pub(crate) fn file(&self, place: &str) -> PathBuf {
        self.data.path().join(place)
    }

    /// Parts of uploads that were neither completed nor aborted.
    pub(crate) fn debris(&self) -> Vec<String> {
        std::fs::read_dir(self.data.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("upload"))
            .collect()
    }
}

/// Answers requests at a free port, in a thread of its own.
pub(crate) fn serve(service: S3Service) -> (SocketAddr, Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                // Clients that break off are part of the tests.
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    (address, runtime)
}

/// A store at `s3://place`, where the server, or a proxy before it, listens at `address`.
pub(crate) fn open_at(address: SocketAddr, place: &str, options: &StoreOptions) -> Store {
    let mut options = options.clone();
    for (key, value) in [
        ("aws_endpoint", format!("http://{address}").as_str()),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", ACCESS_KEY),
        ("aws_secret_access_key", SECRET_KEY),
    ] {
        if !options.options.iter().any(|(given, _)| given == key || given == "anonymous") {
            options.options.push((key.to_owned(), value.to_owned()));
        }
    }
    if !options.options.iter().any(|(given, _)| given == "aws_endpoint") {
        options.options.push(("aws_endpoint".to_owned(), format!("http://{address}")));
    }
    Store::open(&format!("s3://{place}").parse().unwrap(), &options).unwrap()
}

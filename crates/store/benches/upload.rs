//! Uploading 256 objects of 1 MiB to an S3 server on the same machine: `Store::put_in_background` against the
//! `object_store` client alone, at equal concurrency, alternating, each in a process of its own so that its peak memory
//! can be told. `cargo bench -p fairzarr-store --bench upload`.
//!
//! `cargo bench -p fairzarr-store --bench upload -- serve` is the server alone, `... -- files ADDRESS DIRECTORY` uploads
//! the files of a directory by the client alone; `benches/upload.py` compares whole conversions with that.
//!
//! The server checks the hash of every object and shares the machine, so the figures compare the two clients; they do
//! not say how fast either is against a real store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    dead_code,
    reason = "a measurement stops at the first failure, and shares the tests' server"
)]

#[path = "../tests/it/servers/s3.rs"]
mod s3;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use fairzarr_store::StoreOptions;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3Builder;

const OBJECTS: usize = 256;
const BYTES: usize = 1 << 20;
const CONCURRENCY: usize = 32;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["serve"] => serve(),
        ["store", address] => through_store(address.parse().unwrap()),
        ["client", address] => {
            let objects: Vec<_> = (0..OBJECTS).map(|i| (i.to_string(), Body::Made(i))).collect();
            through_client(address.parse().unwrap(), objects);
        }
        ["files", address, directory] => through_client(address.parse().unwrap(), files(directory.as_ref())),
        _ => compare(),
    }
}

fn compare() {
    let program = std::env::current_exe().unwrap();
    let mut server =
        Command::new(&program).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();

    println!("{OBJECTS} objects of {BYTES} bytes, {CONCURRENCY} at once; MB/s, CPU seconds, peak MiB");
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (kind, rates) in ["store", "client"].iter().zip(&mut rates) {
            let run = Command::new(&program).args([kind, address.trim()]).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            let figures = String::from_utf8(run.stdout).unwrap();
            // The first round warms the server up.
            if round > 0 {
                println!("{kind:>8}  {}", figures.trim());
                rates.push(figures.split_whitespace().next().unwrap().parse::<f64>().unwrap());
            }
        }
    }
    let [store, client] = rates.map(|mut rates| {
        rates.sort_unstable_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    println!(
        "medians: store {store:.0} MB/s, client alone {client:.0} MB/s, {:.0} %",
        100.0 * store / client
    );
    server.kill().unwrap();
    server.wait().unwrap();
}

fn serve() {
    let server = s3::S3::start();
    println!("{}", server.address);
    std::io::stdout().flush().unwrap();
    // Until the parent goes away.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

fn through_store(address: SocketAddr) {
    let options = StoreOptions {
        concurrency: CONCURRENCY,
        max_in_flight_bytes: CONCURRENCY * BYTES,
        ..StoreOptions::default()
    };
    let store = s3::open_at(address, "bucket/store", &options);
    report(|| {
        for i in 0..OBJECTS {
            store.put_in_background(&i.to_string(), object(i).into()).unwrap();
        }
        store.flush().unwrap();
        OBJECTS * BYTES
    });
}

/// What an object is made of.
#[derive(Clone)]
enum Body {
    Made(usize),
    File(PathBuf),
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Made(i) => object(*i),
            Self::File(path) => std::fs::read(path).unwrap(),
        }
    }
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<(String, Body)> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let key = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                found.push((key, Body::File(path)));
            }
        }
    }
    found
}

fn through_client(address: SocketAddr, objects: Vec<(String, Body)>) {
    let client = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_endpoint(format!("http://{address}"))
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_access_key_id(s3::ACCESS_KEY)
        .with_secret_access_key(s3::SECRET_KEY)
        .build()
        .unwrap();
    let threads = std::thread::available_parallelism().unwrap().get();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
    report(|| {
        let client = client.clone();
        let upload = futures::stream::iter(objects)
            .map(move |(key, body)| {
                let client = client.clone();
                async move {
                    let put = async move {
                        let bytes = body.bytes();
                        let length = bytes.len();
                        client.put(&format!("client/{key}").into(), bytes.into()).await.map(|_| length)
                    };
                    tokio::spawn(put).await.unwrap()
                }
            })
            .buffer_unordered(CONCURRENCY)
            .try_fold(0, async |sum, length| Ok(sum + length));
        runtime.block_on(upload).unwrap()
    });
}

/// What an encoder would hand over.
fn object(i: usize) -> Vec<u8> {
    let mut state = i as u64 | 1 << 32;
    (0..BYTES / 8)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect()
}

/// Prints MB/s, CPU seconds and peak memory in MiB of work that tells how many bytes it moved.
fn report(work: impl FnOnce() -> usize) {
    let start = Instant::now();
    let bytes = work();
    let rate = bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    let peak = peak.map_or(0.0, |kib| kib.parse::<f64>().unwrap() / 1024.0);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time are fields 14 and 15, in hundredths of a second.
    let fields: Vec<f64> =
        stat.split_whitespace().skip(13).take(2).map(|field| field.parse().unwrap()).collect();
    println!("{rate:.0} {:.2} {peak:.0}", fields.iter().sum::<f64>() / 100.0);
}

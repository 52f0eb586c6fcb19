//! The conformance suite against servers that other people wrote, where they are installed: moto (another S3) and
//! Azurite (Azure). `pip install 'moto[server]'` and `npm install -g azurite` put them on the PATH.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fairzarr_store::{Class, Store, StoreOptions};

use crate::suite;

/// A server in a process of its own, ended with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program that listens at a free port; none, with a message, if it is not installed.
fn start(name: &str, arguments: impl Fn(u16) -> Vec<String>) -> Option<(Program, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(name)
        .args(arguments(address.port()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = child else {
        eprintln!("skipped: {name} is not on the PATH");
        return None;
    };
    let mut program = Program(child);
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if program.0.try_wait().unwrap().is_some() {
            eprintln!("skipped: {name} is on the PATH but does not run");
            return None;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{name} does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some((program, address))
}

fn options(pairs: &[(&str, &str)]) -> StoreOptions {
    let options = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    StoreOptions { options, ..StoreOptions::default() }
}

/// Has a server make a container, without a signature and a body. A server that has just begun to listen may still reset
/// connections, with the container made or not.
fn make(address: SocketAddr, container: &str) {
    let start = Instant::now();
    loop {
        let answer = request(address, "PUT", container);
        let is_made = |answer: &String| {
            ["20", "409"].iter().any(|code| answer.starts_with(&format!("HTTP/1.1 {code}")))
        };
        if answer.as_ref().is_ok_and(is_made) {
            return;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{address} made no {container}: {answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn request(address: SocketAddr, method: &str, target: &str) -> std::io::Result<String> {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn moto() {
    let Some((_program, address)) =
        start("moto_server", |port| ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec())
    else {
        return;
    };
    make(address, "/bucket");
    let options = options(&[
        ("aws_endpoint", &format!("http://{address}")),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", "any"),
        ("aws_secret_access_key", "any"),
        ("aws_checksum_algorithm", "sha256"),
    ]);
    let missing = Store::open(&"s3://missing/x".parse().unwrap(), &options).unwrap();
    assert_eq!(missing.put("x", "1").unwrap_err().class(), Class::NotFound);
    // Not none: an object may be absent, a bucket is a mistake.
    assert_eq!(missing.get("x").unwrap_err().class(), Class::NotFound);
    let store = Store::open(&"s3://bucket/x".parse().unwrap(), &options).unwrap();
    suite::run(&store);
    suite::run_strict(&store);
    suite::run_large(&store);
}

#[test]
fn azurite() {
    let Some((_program, address)) = start("azurite-blob", |port| {
        let port = port.to_string();
        [
            "--skipApiVersionCheck",
            "--silent",
            "--inMemoryPersistence",
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            &port,
        ]
        .map(str::to_owned)
        .to_vec()
    }) else {
        return;
    };
    // The emulator's documented account and key.
    let options = options(&[
        ("azure_storage_account_name", "devstoreaccount1"),
        (
            "azure_storage_account_key",
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        ),
        ("azure_storage_endpoint", &format!("http://{address}/devstoreaccount1")),
    ]);
    make(address, &format!("/devstoreaccount1/container?restype=container&{CONTAINER_SAS}"));
    let store = Store::open(&"az://container/x".parse().unwrap(), &options).unwrap();
    suite::run(&store);
    suite::run_strict(&store);
    suite::run_large(&store);
}

/// The client cannot make containers; this signature of the emulator's account, good for a hundred years, can.
const CONTAINER_SAS: &str = "sv=2018-11-09&ss=b&srt=sco&sp=rwdlac&se=2125-01-01T00%3A00%3A00Z&spr=https%2Chttp\
    &sig=ckcqfspA1c5X%2FE4hP1p0QCsxVxwHMWzpuO8dmSD1byc%3D";

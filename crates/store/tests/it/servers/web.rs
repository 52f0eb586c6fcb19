//! A web server that gives out files from memory, with or without the finer points of HTTP.

use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{header, read_head};

#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Abilities {
    pub(crate) ranges: bool,
    pub(crate) head: bool,
    pub(crate) etags: bool,
    /// Breaks every second answer off half-way.
    pub(crate) breaks_off: bool,
    /// Answers only requests with `?signature=valid`.
    pub(crate) signed: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self { ranges: true, head: true, etags: true, breaks_off: false, signed: false }
    }
}

pub(crate) struct Web {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    abilities: Abilities,
    files: Mutex<HashMap<String, Vec<u8>>>,
    requests: AtomicUsize,
    bytes: AtomicU64,
}

impl Web {
    pub(crate) fn start(abilities: Abilities) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { abilities, ..State::default() });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // A client that goes away is no failure of the server.
                    let _ = state.serve(stream);
                });
            }
        });
        Self { address, state }
    }

    /// Puts a file at a path, as it stands in a request: with percent escapes.
    pub(crate) fn put(&self, path: &str, content: &[u8]) {
        self.state.files.lock().unwrap().insert(path.to_owned(), content.to_vec());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Bytes of bodies that were sent.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.bytes.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let Some((head, _)) = read_head(&mut client) else {
            return Ok(());
        };
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let status = |client: &mut TcpStream, line: &str| {
            write!(client, "HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        };
        if self.abilities.signed && query != "signature=valid" {
            return status(&mut client, "403 Forbidden");
        }
        if method != "GET" && (method != "HEAD" || !self.abilities.head) {
            return status(&mut client, "405 Method Not Allowed");
        }
        let Some(content) = self.files.lock().unwrap().get(path.trim_start_matches('/')).cloned() else {
            return status(&mut client, "404 Not Found");
        };
        let etag = format!(
            "\"{:x}\"",
            content.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte))
        );
        if self.abilities.etags && header(&head, "if-match").is_some_and(|wanted| wanted != etag) {
            return status(&mut client, "412 Precondition Failed");
        }
        let size = content.len();
        let wanted = header(&head, "range").filter(|_| self.abilities.ranges).map(|value| range(value, size));
        let (line, body) = match wanted {
            None => ("200 OK".to_owned(), &content[..]),
            Some(None) => return status(&mut client, "416 Range Not Satisfiable"),
            Some(Some((start, end))) => {
                let last = end - 1;
                let line = format!("206 Partial Content\r\nContent-Range: bytes {start}-{last}/{size}");
                (line, &content[start..end])
            }
        };
        let etag = if self.abilities.etags { format!("ETag: {etag}\r\n") } else { String::new() };
        let length = body.len();
        write!(client, "HTTP/1.1 {line}\r\nContent-Length: {length}\r\n{etag}Connection: close\r\n\r\n")?;
        if method == "GET" {
            let sent = if self.abilities.breaks_off && number.is_multiple_of(2) {
                &body[..length / 2]
            } else {
                body
            };
            client.write_all(sent)?;
            self.bytes.fetch_add(sent.len() as u64, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// Start and end of a range header's only range; none if it has no byte.
fn range(value: &str, size: usize) -> Option<(usize, usize)> {
    let (start, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start, last) {
        ("", length) => (size.saturating_sub(length.parse().ok()?), size),
        (start, "") => (start.parse().ok()?, size),
        (start, last) => (start.parse().ok()?, size.min(last.parse::<usize>().ok()?.saturating_add(1))),
    };
    (start < end).then_some((start, end))
}

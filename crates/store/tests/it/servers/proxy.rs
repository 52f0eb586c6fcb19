//! A proxy that does to chosen requests what networks and busy servers do.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{header, read_head};

/// What happens to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    None,
    /// The connection breaks before the server has the request.
    Reset,
    /// The server answers with this status instead of doing anything.
    Refuse(u16),
    /// The answer comes so much later.
    Delay(Duration),
    /// Half of the answer's body arrives.
    Truncate,
    /// The server does it, but its answer is lost.
    LoseAnswer,
    /// A bit of the request's body is flipped on the way.
    Corrupt,
}

/// A request as the proxy sees it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) head: String,
    /// How many requests with this method and target came before.
    pub(crate) earlier: usize,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    choose: Box<dyn Fn(&Request) -> Fault + Send + Sync>,
    seen: Mutex<Vec<Request>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    /// When each request came and when its answer went back.
    spans: Mutex<Vec<(Instant, Instant)>>,
}

impl Proxy {
    /// Listens before `server`; `choose` says what happens to each request.
    pub(crate) fn start(
        server: SocketAddr,
        choose: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            server,
            choose: Box::new(choose),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            spans: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        // Ends with the process: nothing wakes an accept.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // What breaks here is what the client has to cope with.
                    let _ = state.serve(stream);
                });
            }
        });
        Self { address, state }
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.state.seen.lock().unwrap().clone()
    }

    /// How many requests were under way at the same time, at most.
    pub(crate) fn most_under_way(&self) -> usize {
        self.state.most_under_way.load(Ordering::SeqCst)
    }

    /// How many requests waited for each other: the longest row of them in which each came after the one before was answered.
    pub(crate) fn in_series(&self) -> usize {
        let mut spans = self.state.spans.lock().unwrap().clone();
        spans.sort_by_key(|(_, end)| *end);
        let mut last: Option<Instant> = None;
        let mut count = 0;
        for (start, end) in spans {
            if last.is_none_or(|last| start >= last) {
                (last, count) = (Some(end), count + 1);
            }
        }
        count
    }

    /// Forgets what it has seen.
    pub(crate) fn forget(&self) {
        self.state.seen.lock().unwrap().clear();
        self.state.spans.lock().unwrap().clear();
    }
}

impl State {
    /// One request per connection, then it is closed.
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        let Some((head, mut body)) = read_head(&mut client) else {
            return Ok(());
        };
        let fault = (self.choose)(&self.remember(&head));
        match fault {
            // Closed with bytes unread, a connection is reset.
            Fault::Reset => return Ok(()),
            Fault::Refuse(status) => {
                drain(&mut client, &head, &mut body)?;
                let code = if status == 503 { "SlowDown" } else { "AccessDenied" };
                let text =
                    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
                let length = text.len();
                return write!(
                    client,
                    "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
                );
            }
            _ => {}
        }
        drain(&mut client, &head, &mut body)?;
        if let (Fault::Corrupt, Some(byte)) = (fault, body.last_mut()) {
            *byte ^= 1;
        }

        let start = Instant::now();
        let count = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(count, Ordering::SeqCst);
        let answer = self.forward(&head, &body);
        if let Fault::Delay(time) = fault {
            std::thread::sleep(time);
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.spans.lock().unwrap().push((start, Instant::now()));

        let mut answer = answer?;
        match fault {
            Fault::LoseAnswer => return client.shutdown(Shutdown::Both),
            Fault::Truncate => {
                let start = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
                answer.truncate(start + (answer.len() - start) / 2);
            }
            _ => {}
        }
        client.write_all(&answer)
    }

    /// Asks the server.
    fn forward(&self, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server)?;
        let kept: String = head
            .trim_end()
            .lines()
            .filter(|line| {
                let line = line.to_ascii_lowercase();
                // The tests' server does not know Google's tokens.
                !line.starts_with("connection:") && !line.starts_with("authorization: bearer")
            })
            .flat_map(|line| [line, "\r\n"])
            .collect();
        server.write_all(format!("{kept}Connection: close\r\n\r\n").as_bytes())?;
        server.write_all(body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        Ok(answer)
    }

    fn remember(&self, head: &str) -> Request {
        let mut words = head.split(' ');
        let mut request = Request {
            method: words.next().unwrap().to_owned(),
            target: words.next().unwrap().to_owned(),
            head: head.to_owned(),
            earlier: 0,
        };
        let mut seen = self.seen.lock().unwrap();
        request.earlier = seen
            .iter()
            .filter(|other| other.method == request.method && other.target == request.target)
            .count();
        seen.push(request.clone());
        request
    }
}

/// Reads the rest of a request's body.
fn drain(client: &mut TcpStream, head: &str, body: &mut Vec<u8>) -> std::io::Result<()> {
    let length: usize = header(head, "content-length").map_or(0, |value| value.parse().unwrap());
    let missing = length.saturating_sub(body.len());
    client.take(missing as u64).read_to_end(body)?;
    Ok(())
}

//! Answers of servers: whether they are what was asked for, and what they say when they are not.
//!
//! An answer counts once it is whole. Nothing that a server announces is believed before its bytes are there: not the
//! length, not the range, not that it will ever end.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};

use super::pace::Remedy;
use crate::Class;
use crate::control::{Control, LOOK};
use crate::requests::Kind;

/// An answer that is none, or not the one that was asked for.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) remedy: Remedy,
    /// In a few words.
    pub(crate) reason: String,
    /// The same with all that the server says of it.
    pub(crate) detail: Option<String>,
    /// How long the server wants not to be asked.
    pub(crate) asked: Option<Duration>,
    /// The class, where neither status nor kind of error tells it.
    pub(crate) class: Option<Class>,
    /// What the client is given if it stays so.
    pub(crate) answer: Result<HttpResponse, HttpError>,
}

impl Fault {
    /// An answer that breaks the rules of HTTP.
    pub(crate) fn malformed(remedy: Remedy, reason: String) -> Self {
        Self::of(remedy, Class::Malformed, HttpErrorKind::Unknown, reason)
    }

    pub(crate) fn of(remedy: Remedy, class: Class, kind: HttpErrorKind, reason: String) -> Self {
        let error = HttpError::new(kind, std::io::Error::other(reason.clone()));
        Self { remedy, reason, asked: None, detail: None, class: Some(class), answer: Err(error) }
    }

    fn silent(reason: String) -> Self {
        let error = HttpError::new(HttpErrorKind::Timeout, std::io::Error::other(reason.clone()));
        Self {
            remedy: Remedy::Wait { all: false },
            reason,
            asked: None,
            detail: None,
            class: None,
            answer: Err(error),
        }
    }

    fn cancelled() -> Self {
        Self::of(Remedy::Never, Class::Cancelled, HttpErrorKind::Interrupted, "it was stopped".to_owned())
    }

    /// A connection that failed or broke.
    pub(crate) fn of_connection(error: HttpError) -> Self {
        let text = chain(&error);
        let (remedy, reason, class) = if text.contains("certificate") {
            let reason = format!("its certificate is not accepted: {}", innermost(&error));
            (Remedy::Never, reason, Some(Class::Untrusted))
        } else if text.contains("dns error") || text.contains("failed to lookup") {
            (Remedy::Soon, "its name is not known".to_owned(), None)
        } else {
            match error.kind() {
                HttpErrorKind::Connect => (Remedy::Wait { all: true }, innermost(&error), None),
                HttpErrorKind::Timeout => (Remedy::Wait { all: false }, "no answer in time".to_owned(), None),
                HttpErrorKind::Request | HttpErrorKind::Interrupted => {
                    (Remedy::Wait { all: false }, "the connection broke".to_owned(), None)
                }
                _ => (Remedy::Few, innermost(&error), None),
            }
        };
        Self { remedy, reason, asked: None, detail: None, class, answer: Err(error) }
    }
}

/// Waits for `work`, which may take `limit`; and less if everything is cancelled.
pub(crate) async fn within<T>(
    control: &Control,
    limit: Duration,
    what: &str,
    work: impl Future<Output = T>,
) -> Result<T, Box<Fault>> {
    let start = Instant::now();
    let mut work = std::pin::pin!(work);
    loop {
        if let Ok(result) = tokio::time::timeout(LOOK.min(limit), &mut work).await {
            return Ok(result);
        }
        if control.has_ended(start) {
            return Err(Box::new(Fault::cancelled()));
        }
        if start.elapsed() >= limit {
            return Err(Box::new(Fault::silent(format!("{what} for {} s", limit.as_secs()))));
        }
    }
}

/// What a request has asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    range: Option<Range>,
    /// Whether it is a web server that was asked, whose files are not encoded for storage.
    web: bool,
}

#[derive(Clone, Copy, Debug)]
enum Range {
    /// First and last byte.
    Bounded(u64, u64),
    Other,
}

impl Asked {
    pub(crate) fn of(request: &HttpRequest, web: bool) -> Self {
        let kind = Kind::of(request.method().as_str(), request.uri().query().unwrap_or_default());
        let range = header(request.headers(), "range").map(|text| {
            let bounds = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
            bounds
                .and_then(|(start, end)| Some(Range::Bounded(start.parse().ok()?, end.parse().ok()?)))
                .unwrap_or(Range::Other)
        });
        Self { kind, range, web }
    }

    /// Waits for the whole of an answer and checks it.
    pub(crate) async fn receive(
        &self,
        answer: HttpResponse,
        control: &Control,
        patience: Duration,
    ) -> Result<HttpResponse, Box<Fault>> {
        let status = answer.status().as_u16();
        if answer.status().is_redirection() {
            // The client makes of it what it can.
            return Ok(answer);
        }
        if !answer.status().is_success() {
            return refused(answer, control).await;
        }
        if self.kind == Kind::Head {
            return Ok(answer);
        }
        if self.kind != Kind::Get {
            let (head, body) = answer.into_parts();
            let body = read(body, None, MAX_DOCUMENT, (control, patience)).await?;
            let said = Said::of(&body);
            if said.is_error {
                let all = said.code.as_deref() == Some("SlowDown");
                let reason = said.in_words();
                let answer = Ok(HttpResponse::from_parts(head, body.into()));
                let remedy = Remedy::Wait { all };
                return Err(Box::new(Fault {
                    remedy,
                    reason,
                    asked: None,
                    detail: None,
                    class: None,
                    answer,
                }));
            }
            return Ok(HttpResponse::from_parts(head, body.into()));
        }
        if self.range.is_some() && status != 206 {
            // The client will refuse it; all of the file need not come for that.
            let (head, _) = answer.into_parts();
            return Ok(HttpResponse::from_parts(head, Bytes::new().into()));
        }
        let expected = self.length(&answer).map_err(|(remedy, reason)| Fault::malformed(remedy, reason))?;
        let (head, body) = answer.into_parts();
        let body = read(body, Some(expected), expected, (control, patience)).await?;
        Ok(HttpResponse::from_parts(head, body.into()))
    }

    /// The bytes that an object's answer has to have.
    fn length(&self, answer: &HttpResponse) -> Result<u64, (Remedy, String)> {
        let headers = answer.headers();
        if self.web
            && let Some(encoding) = header(headers, "content-encoding").filter(|name| *name != "identity")
        {
            let reason = format!("the server sends the file compressed ({}), unasked", shown(encoding));
            return Err((Remedy::Never, reason));
        }
        if answer.status().as_u16() != 206 {
            let length = header(headers, "content-length").and_then(|length| length.parse().ok());
            return length
                .ok_or_else(|| (Remedy::Never, "the server does not say how long its answer is".to_owned()));
        }
        let Some((start, end, size)) = header(headers, "content-range").and_then(content_range) else {
            let reason = "the server sends a part of the file, but not which part it is".to_owned();
            return Err((Remedy::Never, reason));
        };
        if let Some(Range::Bounded(first, last)) = self.range
            && (start != first || end > last || (end < last && size.is_some_and(|size| end + 1 != size)))
        {
            let reason = format!("the server sends bytes {start} to {end}, asked for {first} to {last}");
            return Err((Remedy::Few, reason));
        }
        Ok(end - start + 1)
    }
}

/// `bytes START-END/SIZE`, where the size may be `*`.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.parse().ok()?, end.parse().ok()?);
    (start <= end && end < u64::MAX).then(|| (start, end, size.parse().ok()))
}

/// Reads a body of exactly `expected` bytes, or else of at most `most`.
async fn read(
    body: object_store::client::HttpResponseBody,
    expected: Option<u64>,
    most: u64,
    (control, patience): (&Control, Duration),
) -> Result<Bytes, Box<Fault>> {
    let mut stream = body.bytes_stream();
    let mut collected = BytesMut::new();
    let mut first: Option<Bytes> = None;
    let mut length = 0_u64;
    let (mut window, mut in_window) = (Instant::now(), 0);
    while let Some(piece) = within(control, patience, "no more bytes", stream.next()).await? {
        let piece = piece.map_err(|error| {
            let reason = "the connection broke".to_owned();
            let error = HttpError::new(HttpErrorKind::Interrupted, error);
            let remedy = Remedy::Wait { all: false };
            Box::new(Fault { remedy, reason, asked: None, detail: None, class: None, answer: Err(error) })
        })?;
        length += piece.len() as u64;
        if length > most {
            let reason = format!("the server sends more than the {most} bytes that it may");
            return Err(Box::new(Fault::malformed(Remedy::Never, reason)));
        }
        in_window += piece.len() as u64;
        if window.elapsed() >= patience {
            if in_window < SLOWEST * patience.as_secs() {
                return Err(Box::new(Fault::silent(format!("fewer than {SLOWEST} bytes a second"))));
            }
            (window, in_window) = (Instant::now(), 0);
        }
        match first.take() {
            // Most answers of some size come in many pieces, but small ones in one, which need not be copied.
            None if collected.is_empty() => first = Some(piece),
            None => collected.extend_from_slice(&piece),
            Some(earlier) => {
                collected.reserve(expected.unwrap_or_default().min(MAX_RESERVED) as usize);
                collected.extend_from_slice(&earlier);
                collected.extend_from_slice(&piece);
            }
        }
    }
    match expected {
        Some(expected) if expected != length => {
            let reason = format!("the server sends {length} bytes and has announced {expected}");
            Err(Box::new(Fault::malformed(Remedy::Few, reason)))
        }
        _ => Ok(first.unwrap_or_else(|| collected.freeze())),
    }
}

/// An answer that is a refusal, with its text in short.
async fn refused(answer: HttpResponse, control: &Control) -> Result<HttpResponse, Box<Fault>> {
    let (mut head, body) = answer.into_parts();
    let mut text = BytesMut::new();
    let mut stream = body.bytes_stream();
    // What of a refusal's text does not come is not waited for long.
    while let Ok(Some(Ok(piece))) = within(control, REFUSAL, "no more text", stream.next()).await {
        text.extend_from_slice(&piece);
        if text.len() > MAX_REFUSAL {
            break;
        }
    }
    let said = Said::of(&text);
    let status = head.status.as_u16();
    let code = said.code.as_deref().unwrap_or_default();
    let remedy = match (status, code) {
        (429 | 503, _) => Remedy::Wait { all: true },
        // What a server cannot do it cannot do later either; what is full stays full.
        (501 | 505 | 507, _) => Remedy::Never,
        (408 | 425 | 500.., _)
        | (400, "RequestTimeout" | "IncompleteBody")
        | (409, "ConditionalRequestConflict" | "OperationAborted") => Remedy::Wait { all: false },
        (400, "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch" | "Md5Mismatch") => {
            Remedy::Few
        }
        _ => Remedy::Never,
    };
    let asked = header(&head.headers, "retry-after").and_then(retry_after);
    let reason = match said.code.as_deref().or(head.status.canonical_reason()) {
        Some(words) => format!("{status} {words}"),
        None => status.to_string(),
    };
    let in_words = said.in_words();
    let words = if in_words.is_empty() {
        head.status.canonical_reason().unwrap_or_default()
    } else {
        in_words.as_str()
    };
    let detail = format!("the server says {status} {words}").trim_end().to_owned();
    // The client reads nothing out of the text, it only shows it.
    head.headers.remove("content-length");
    super::connector::note(|trace| {
        trace.no_place |= matches!(code, "NoSuchBucket" | "ContainerNotFound");
    });
    let answer = HttpResponse::from_parts(head, Bytes::from(in_words).into());
    Err(Box::new(Fault { remedy, reason, asked, detail: Some(detail), class: None, answer: Ok(answer) }))
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    Some(date.duration_since(std::time::SystemTime::now()).unwrap_or_default())
}

/// What the text of a refusal says.
struct Said {
    /// Whether it is the document of an error.
    is_error: bool,
    code: Option<String>,
    message: Option<String>,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        let start = &body[..body.len().min(MAX_REFUSAL)];
        let text = String::from_utf8_lossy(start);
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let (value, _) = rest.split_once(&format!("</{name}>"))?;
            Some(shown(value)).filter(|value| !value.is_empty())
        };
        // The parts of Azure's answer to a batch are documents of their own, which the client looks at.
        let is_document = text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
        let root = text.find("<Error>").filter(|at| is_document && !text[..*at].contains("<Delete"));
        let is_html = text.to_ascii_lowercase().contains("<html");
        let message = if is_html {
            let title = element("title").or_else(|| element("TITLE")).or_else(|| element("h1"));
            Some(title.map_or_else(|| "a web page".to_owned(), |title| format!("a web page, {title:?}")))
        } else {
            element("Message").or_else(|| Some(shown(&text)).filter(|text| !text.is_empty()))
        };
        Self { is_error: root.is_some(), code: element("Code"), message }
    }

    fn in_words(&self) -> String {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (None, None) => String::new(),
        }
    }
}

/// Somebody else's text, in one short line that does nothing to a terminal.
pub(crate) fn shown(text: &str) -> String {
    let harmless = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| harmless(*c)).take(MAX_SHOWN + 1).collect();
    match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

pub(crate) fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string().to_ascii_lowercase();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&error.to_string().to_ascii_lowercase());
        source = error.source();
    }
    text
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    shown(&last.to_string())
}

/// Bytes per second that a body has to bring, on average over the time that it may bring nothing.
const SLOWEST: u64 = 1 << 10;
/// The largest answer that is not an object: a page of a listing.
const MAX_DOCUMENT: u64 = 64 << 20;
/// What is reserved for an answer before its bytes arrive.
const MAX_RESERVED: u64 = 64 << 20;
/// What is read of a refusal, and for how long it is waited.
const MAX_REFUSAL: usize = 64 << 10;
const REFUSAL: Duration = Duration::from_secs(5);
/// Characters of a server's text that are shown.
const MAX_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn an_error_within_the_answer_to_a_batch_is_no_error_of_the_batch() {
        let part = "<?xml version=\"1.0\"?>\n<Error><Code>BlobNotFound</Code></Error>";
        assert!(Said::of(part.as_bytes()).is_error);
        let batch = format!("--batch_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 404\r\n\r\n{part}");
        assert!(!Said::of(batch.as_bytes()).is_error);
        assert!(!Said::of(b"<DeleteResult><Error><Code>AccessDenied</Code></Error></DeleteResult>").is_error);
    }
}

//! Every HTTP request that the object store client makes passes here.
//!
//! The client's own repetitions are switched off. Here requests are counted, answers are waited for whole and checked, and
//! what fails is tried again as the place's [`Pace`] says; and the task that runs an operation carries a [`Trace`] of it.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::Either;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use super::answer::{Asked, Fault, within};
use super::pace::{Pace, Remedy};
use super::web::{self, MOST_REDIRECTS, Refused};
use crate::Class;
use crate::requests::{Counters, Kind};

tokio::task_local! {
    static TRACE: RefCell<Trace>;
}

/// What happened on the wire during one operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// Requests to the store, repetitions included.
    pub(crate) requests: u32,
    pub(crate) last: Outcome,
    /// The server says that there is no such bucket or container.
    pub(crate) no_place: bool,
    /// What was wrong with the last answer, in a sentence; none if it was right.
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// No request was made.
    #[default]
    Nothing,
    /// The status of the last answer.
    Status(u16),
    /// The connection failed or broke before an answer.
    NoAnswer,
    /// What was wrong is known better than by status or connection.
    Fault(Class),
    /// The machine has no service that hands out credentials.
    NoCredentials,
}

/// Runs an operation and tells what it did on the wire.
pub(crate) async fn traced<T>(operation: impl Future<Output = T>) -> (T, Trace) {
    TRACE
        .scope(RefCell::default(), async {
            let result = operation.await;
            (result, TRACE.with(|trace| trace.take()))
        })
        .await
}

/// Connects as the client would, and watches.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) counters: Arc<Counters>,
    /// Appended to every request: the signature of a pre-signed URL.
    pub(crate) query: Option<String>,
    pub(crate) pace: Arc<Pace>,
    /// Whether it is a web server.
    pub(crate) web: bool,
    /// Whether a web server may send us to other hosts and ports.
    pub(crate) follow_redirects: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // The process has one provider of encryption. A program that has chosen another keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = if self.web {
            HttpClient::new(web::client(options)?)
        } else {
            ReqwestConnector::default().connect(options)?
        };
        Ok(HttpClient::new(Watched {
            client,
            counters: Arc::clone(&self.counters),
            query: self.query.clone(),
            pace: Arc::clone(&self.pace),
            web: self.web,
            follow_redirects: self.follow_redirects,
        }))
    }
}

#[derive(Debug)]
struct Watched {
    client: HttpClient,
    counters: Arc<Counters>,
    query: Option<String>,
    pace: Arc<Pace>,
    web: bool,
    follow_redirects: bool,
}

#[async_trait::async_trait]
impl HttpService for Watched {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(query) = &self.query {
            let uri = format!("{}?{query}", request.uri());
            *request.uri_mut() =
                uri.parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        }
        if request.uri().host().is_some_and(is_credential_service) {
            return self.credentials(request).await;
        }
        let asked = Asked::of(&request, self.web);
        let mut attempts = self.pace.attempts();
        loop {
            self.pace.admit().await;
            if asked.kind == Kind::Put && !self.pace.may_upload(request.uri().path()).await {
                note(|trace| trace.last = Outcome::Fault(Class::TakenOver));
                let error = std::io::Error::other("it was not sent");
                return Err(HttpError::new(HttpErrorKind::Interrupted, error));
            }
            let start = Instant::now();
            self.counters.count(asked.kind);
            let fault = match self.attempt(request.clone(), &asked, attempts.failures()).await {
                Ok(answer) => {
                    note(|trace| {
                        trace.requests += 1;
                        trace.last = Outcome::Status(answer.status().as_u16());
                        trace.reason = None;
                    });
                    self.pace.succeeded(start);
                    return Ok(answer);
                }
                Err(fault) => *fault,
            };
            note(|trace| {
                trace.requests += 1;
                trace.last = match (fault.class, &fault.answer) {
                    (Some(class), _) => Outcome::Fault(class),
                    (None, Ok(answer)) => Outcome::Status(answer.status().as_u16()),
                    (None, Err(_)) => Outcome::NoAnswer,
                };
                trace.reason = Some(fault.detail.clone().unwrap_or_else(|| fault.reason.clone()));
            });
            if !self.pace.failed(&mut attempts, start, fault.remedy, fault.asked, &fault.reason).await {
                if self.pace.control().is_cancelled() && fault.remedy != Remedy::Never {
                    note(|trace| trace.last = Outcome::Fault(Class::Cancelled));
                }
                return fault.answer;
            }
        }
    }
}

impl Watched {
    async fn attempt(
        &self,
        request: HttpRequest,
        asked: &Asked,
        failures: u32,
    ) -> Result<HttpResponse, Box<Fault>> {
        // A slow line that many uploads share is not told from a silent server but by giving it more time.
        let slowest = SLOWEST >> failures.min(6);
        let sent = Duration::from_secs(request.body().content_length() as u64 / slowest);
        let patience = self.pace.patience();
        let start = Instant::now();
        let silence = std::pin::pin!(async {
            tokio::time::sleep(QUIET + sent).await;
            self.pace.is_silent(start);
            std::future::pending::<Infallible>().await
        });
        let answer = std::pin::pin!(self.execute(request));
        let first = async {
            match futures::future::select(answer, silence).await {
                Either::Left((answer, _)) => answer,
                Either::Right((never, _)) => match never {},
            }
        };
        let answer = within(self.pace.control(), patience + sent, "no answer", first).await??;
        asked.receive(answer, self.pace.control(), patience).await
    }

    /// Sends a request, of a web server also to where it sends us on.
    async fn execute(&self, mut request: HttpRequest) -> Result<HttpResponse, Box<Fault>> {
        let origin = request.uri().to_string();
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.client.execute(request.clone()).await;
            let answer = answer.map_err(|error| Box::new(Fault::of_connection(error)))?;
            let is_elsewhere = self.web && matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let place = answer.headers().get("location").filter(|_| is_elsewhere);
            let Some(place) = place else { return Ok(answer) };
            let place = String::from_utf8_lossy(place.as_bytes());
            let here = request.uri().to_string();
            let next = web::next(&origin, &here, &place, self.follow_redirects).await.map_err(|refused| {
                Box::new(match refused {
                    Refused::Elsewhere(reason) => {
                        Fault::of(Remedy::Never, Class::Elsewhere, HttpErrorKind::Unknown, reason)
                    }
                    Refused::Never(reason) => Fault::malformed(Remedy::Never, reason),
                })
            })?;
            *request.uri_mut() = next.as_str().parse().map_err(|error| {
                let reason = format!("the server sends on to an address that is none: {error}");
                Box::new(Fault::malformed(Remedy::Never, reason))
            })?;
        }
        let reason = format!("the server sends on and on, {MOST_REDIRECTS} times and more");
        Err(Box::new(Fault::malformed(Remedy::Never, reason)))
    }

    /// Asks the machine that this runs on for credentials. The service answers at once or does not exist.
    async fn credentials(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let disabled =
            std::env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|set| set.eq_ignore_ascii_case("true"));
        let answer = if disabled && !self.web {
            Err(HttpError::new(HttpErrorKind::Unknown, std::io::Error::other("it is switched off")))
        } else {
            self.client.execute(request).await
        };
        note(|trace| {
            trace.last = match &answer {
                Ok(answer) if answer.status().is_success() => Outcome::Status(answer.status().as_u16()),
                _ => Outcome::NoCredentials,
            };
        });
        answer.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
    }
}

/// Changes the trace of the operation that this task runs. Outside of an operation nobody asks.
pub(crate) fn note(change: impl FnOnce(&mut Trace)) {
    let _ = TRACE.try_with(|trace| change(&mut trace.borrow_mut()));
}

/// Whether a host is a cloud machine's own source of credentials.
fn is_credential_service(host: &str) -> bool {
    host.starts_with("169.254.") || host == "metadata.google.internal"
}

/// After how long it is told that an answer has not begun.
const QUIET: Duration = Duration::from_secs(5);
/// Bytes per second that a request is sent at least, so that a large one on a slow line has its time.
const SLOWEST: u64 = 64 << 10;

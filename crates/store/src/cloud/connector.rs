//! A look at every HTTP request that the object store client makes.
//!
//! The client repeats requests on its own and its errors do not tell what the last answer was. Both are known here, one
//! layer below: requests are counted, and the task that runs an operation carries a [`Trace`] of them.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use crate::requests::{Counters, Kind};

tokio::task_local! {
    static TRACE: Cell<Trace>;
}

/// What happened on the wire during one operation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace {
    /// Requests to the store, repetitions included.
    pub(crate) requests: u32,
    pub(crate) last: Outcome,
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
    /// The machine has no service that hands out credentials.
    NoCredentials,
}

/// Runs an operation and tells what it did on the wire.
pub(crate) async fn traced<T>(operation: impl Future<Output = T>) -> (T, Trace) {
    TRACE
        .scope(Cell::default(), async {
            let result = operation.await;
            (result, TRACE.with(Cell::get))
        })
        .await
}

/// Connects as the client would, and watches.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) counters: Arc<Counters>,
    /// Appended to every request: the signature of a pre-signed URL.
    pub(crate) query: Option<String>,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Watched {
            client: ReqwestConnector::default().connect(options)?,
            counters: Arc::clone(&self.counters),
            query: self.query.clone(),
        }))
    }
}

#[derive(Debug)]
struct Watched {
    client: HttpClient,
    counters: Arc<Counters>,
    query: Option<String>,
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
            let answer = self.client.execute(request).await;
            record(|trace| trace.last = answer.as_ref().map_or(Outcome::NoCredentials, status));
            // The service answers at once or does not exist; the client need not ask ten times.
            return answer.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error));
        }
        let kind = Kind::of(request.method().as_str(), request.uri().query().unwrap_or_default());
        self.counters.count(kind);
        let mut answer = self.client.execute(request).await;
        if kind != Kind::Get {
            answer = whole(answer).await;
        }
        record(|trace| {
            trace.requests += 1;
            trace.last = answer.as_ref().map_or(Outcome::NoAnswer, status);
        });
        if let (Ok(answer), Ok(not_allowed)) = (&mut answer, 405_u16.try_into())
            && answer.status().as_u16() == 501
        {
            // What a server cannot do it cannot do a second later either, but the client would ask ten times.
            *answer.status_mut() = not_allowed;
        }
        answer
    }
}

fn status(answer: &HttpResponse) -> Outcome {
    Outcome::Status(answer.status().as_u16())
}

fn record(change: impl FnOnce(&mut Trace)) {
    // Outside of an operation nobody asks.
    let _ = TRACE.try_with(|cell| {
        let mut trace = cell.get();
        change(&mut trace);
        cell.set(trace);
    });
}

/// Waits for all of an answer that is not an object, so that one that breaks off counts as none and the client asks
/// again. All that is asked for here may be asked for twice.
async fn whole(answer: Result<HttpResponse, HttpError>) -> Result<HttpResponse, HttpError> {
    let (head, body) = answer?.into_parts();
    match body.bytes().await {
        Ok(body) => Ok(HttpResponse::from_parts(head, body.into())),
        Err(error) => Err(HttpError::new(HttpErrorKind::Request, error)),
    }
}

/// Whether a host is a cloud machine's own source of credentials.
fn is_credential_service(host: &str) -> bool {
    host.starts_with("169.254.") || host == "metadata.google.internal"
}

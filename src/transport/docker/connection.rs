//! bollard's transport over dialled streams: one stream for each HTTP connection, kept for one call.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::errors::Error as EngineError;
use bollard::{API_DEFAULT_VERSION, BollardRequest, ClientVersion, Docker as Bollard};
use hyper::header::HeaderValue;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::super::{Dial, TransportError};
use super::AT_ONCE;

/// The dialler's own error; bollard would hand it back as text.
pub(super) type Fault = Arc<Mutex<Option<TransportError>>>;

/// Returns the dialler's error, when there was one.
pub(super) fn take(fault: &Fault) -> Option<TransportError> {
    fault.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Returns a client; nothing is dialled before its first request.
pub(super) fn open(
    dial: &Arc<dyn Dial>,
    fault: &Fault,
    limit: Duration,
    version: Option<ClientVersion>,
) -> Result<Bollard, EngineError> {
    let connector = Connector {
        dial: Arc::clone(dial),
        fault: Arc::clone(fault),
    };
    let client = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(AT_ONCE)
        .build(connector);
    let transport = move |mut request: BollardRequest| {
        spell_auth_for_urls(&mut request);
        let answer = client.request(request);
        async move { answer.await.map_err(EngineError::from) }
    };
    Bollard::connect_with_custom_transport(
        transport,
        Some("http://docker"),
        limit.as_secs().max(1),
        &version.unwrap_or(*API_DEFAULT_VERSION),
    )
}

/// Respells the registry login: bollard encodes it with the standard alphabet, and the engine reads the one for URLs. It would take a login
/// with `+` or `/` in it for none.
fn spell_auth_for_urls(request: &mut BollardRequest) {
    let Some(value) = request.headers_mut().get_mut("x-registry-auth") else {
        return;
    };
    let respelled: Vec<u8> = value
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    if let Ok(mut respelled) = HeaderValue::from_bytes(&respelled) {
        respelled.set_sensitive(true);
        *value = respelled;
    }
}

/// Dials a stream for each connection that hyper wants.
#[derive(Clone)]
struct Connector {
    dial: Arc<dyn Dial>,
    fault: Fault,
}

impl tower_service::Service<hyper::Uri> for Connector {
    type Response = TokioIo<tokio::net::UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let Self { dial, fault } = self.clone();
        Box::pin(async move {
            let dialled = tokio::task::spawn_blocking(move || dial.dial()).await?;
            let stream = dialled.map_err(|error| {
                let text = error.to_string();
                *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                io::Error::other(text)
            })?;
            stream.set_nonblocking(true)?;
            Ok(TokioIo::new(tokio::net::UnixStream::from_std(stream)?))
        })
    }
}

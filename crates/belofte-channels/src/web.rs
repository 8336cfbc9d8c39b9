// SPDX-License-Identifier: EUPL-1.2
//! One request to a web server (HTTP/1.1, RFC 9112), through the one door to the outside and on a connection of
//! its own. What is asked is small and rare: nothing is kept open.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::outbound::{ConnectPurpose, Outbound, OutboundError, RecipientClass};

/// A web client.
#[derive(Clone)]
pub struct Web {
    outbound: Outbound,
    tls: Arc<rustls::ClientConfig>,
}

/// What is asked: a POST.
#[derive(Debug)]
pub struct Post<'a> {
    /// Whom it brings data to.
    pub class: &'a RecipientClass,
    /// What for.
    pub purpose: ConnectPurpose,
    /// An address with `http` or `https`, a host, a path and perhaps a question.
    pub url: &'a Uri,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// The largest answer that is read, in octets.
    pub largest: usize,
    /// How long all of it may take.
    pub patience: Duration,
}

/// What is asked: a GET that tells nothing of who asks.
#[derive(Debug)]
pub struct Get<'a> {
    /// Whom it brings data to.
    pub class: &'a RecipientClass,
    /// What for.
    pub purpose: ConnectPurpose,
    /// An address with `http` or `https`, a host, a path and perhaps a question.
    pub url: &'a Uri,
    /// The media types that serve.
    pub accept: &'static str,
    /// What the client calls itself.
    pub agent: &'static str,
    /// The largest answer that is read, in octets.
    pub largest: usize,
    /// How long all of it may take.
    pub patience: Duration,
}

/// What is said: a POST without a body, of whose answer only the head is read.
pub struct Tell<'a> {
    /// Whom it brings data to.
    pub class: &'a RecipientClass,
    /// What for.
    pub purpose: ConnectPurpose,
    /// An address with `http` or `https`, a host, a path and perhaps a question.
    pub url: &'a Uri,
    /// What is said, in the fields of the head.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// How long all of it may take.
    pub patience: Duration,
}

/// The head of an answer to a [`Tell`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its status (the number of RFC 9110, section 15).
    pub status: u16,
    /// When to ask again, as it stands there (section 10.2.3).
    pub retry_after: Option<String>,
}

/// An answer to a [`Get`].
pub struct Got {
    /// Its status (the number of RFC 9110, section 15).
    pub status: u16,
    /// Where it leads, when it leads elsewhere.
    pub location: Option<String>,
    /// When to ask again.
    pub retry_after: Option<String>,
    /// What it brings.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The server was not reached, or must not be.
    #[error("no connection to the web server")]
    Connect(#[from] OutboundError),
    /// Its certificate is not its own.
    #[error("the certificate or the name of the web server does not hold")]
    Tls(#[source] std::io::Error),
    /// The address is none.
    #[error("the address of the web server is none")]
    Address,
    /// What answers does not speak HTTP, or broke off.
    #[error("the web server did not answer as one")]
    Http,
    /// The answer is larger than what is read.
    #[error("the answer of the web server is too large")]
    TooLarge,
    /// The answer did not come in time.
    #[error("the web server took too long")]
    Slow,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web(..)")
    }
}

impl Web {
    /// A client that connects through `outbound` and judges certificates by `tls`.
    #[must_use]
    pub fn new(outbound: Outbound, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { outbound, tls }
    }

    /// Sends `post` and reads the answer, whatever its status is (the number of RFC 9110, section 15). No redirection
    /// is followed.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn post(&self, post: Post<'_>) -> Result<(u16, Bytes), WebError> {
        let patience = post.patience;
        timeout(patience, self.carry_out(post)).await.unwrap_or(Err(WebError::Slow))
    }

    /// Asks for what lies at an address. No redirection is followed; no cookie is sent or kept, and nothing
    /// tells where the address stood.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn get(&self, get: Get<'_>) -> Result<Got, WebError> {
        let patience = get.patience;
        timeout(patience, self.fetch(get)).await.unwrap_or(Err(WebError::Slow))
    }

    /// Says something and reads no more than the head of the answer. No redirection is followed, and nothing tells
    /// what asks.
    ///
    /// # Errors
    /// [`WebError`].
    pub async fn tell(&self, tell: Tell<'_>) -> Result<Told, WebError> {
        let Tell { class, purpose, url, fields, patience } = tell;
        let carried = async {
            let mut request =
                Request::post(path(url)).body(Full::default()).map_err(|_| WebError::Address)?;
            // Where nothing follows the library says nothing, and there are servers that want to hear it.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            request.headers_mut().extend(fields);
            let got = self.ask(class, purpose, url, request, None, patience).await?;
            Ok(Told { status: got.status, retry_after: got.retry_after })
        };
        timeout(patience, carried).await.unwrap_or(Err(WebError::Slow))
    }

    async fn carry_out(&self, post: Post<'_>) -> Result<(u16, Bytes), WebError> {
        let request = Request::post(path(post.url))
            .header(CONTENT_TYPE, post.content_type)
            .header(ACCEPT, "application/json")
            .body(Full::new(post.body))
            .map_err(|_| WebError::Address)?;
        let Post { class, purpose, url, largest, patience, .. } = post;
        let got = self.ask(class, purpose, url, request, Some(largest), patience).await?;
        Ok((got.status, got.body))
    }

    async fn fetch(&self, get: Get<'_>) -> Result<Got, WebError> {
        let request = Request::get(path(get.url))
            .header(ACCEPT, get.accept)
            .header(USER_AGENT, get.agent)
            .body(Full::default())
            .map_err(|_| WebError::Address)?;
        let Get { class, purpose, url, largest, patience, .. } = get;
        self.ask(class, purpose, url, request, Some(largest), patience).await
    }

    /// Asks, and reads at most `largest` octets of what comes, or without a number nothing but the head.
    async fn ask(
        &self,
        class: &RecipientClass,
        purpose: ConnectPurpose,
        url: &Uri,
        mut request: Request<Full<Bytes>>,
        largest: Option<usize>,
        patience: Duration,
    ) -> Result<Got, WebError> {
        let (Some(authority), Some(scheme)) = (url.authority(), url.scheme_str()) else {
            return Err(WebError::Address);
        };
        let secure = scheme == "https";
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let stream = self.outbound.connect(class, purpose, host, port, patience).await?;
        let named = HeaderValue::from_str(authority.as_str()).map_err(|_| WebError::Address)?;
        request.headers_mut().insert(HOST, named);
        if !secure {
            return exchange(TokioIo::new(stream), request, largest).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| WebError::Address)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await.map_err(WebError::Tls)?;
        exchange(TokioIo::new(stream), request, largest).await
    }
}

fn path(url: &Uri) -> &str {
    url.path_and_query().map_or("/", |path| path.as_str())
}

async fn exchange<T>(
    stream: T,
    request: Request<Full<Bytes>>,
    largest: Option<usize>,
) -> Result<Got, WebError>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let shaken = hyper::client::conn::http1::handshake(stream).await;
    let (mut sender, connection) = shaken.map_err(|_| WebError::Http)?;
    let answer = async move {
        let response = sender.send_request(request).await.map_err(|_| WebError::Http)?;
        let status = response.status().as_u16();
        let field = |name| {
            let value: Option<&HeaderValue> = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (location, retry_after) = (field(LOCATION), field(RETRY_AFTER));
        let Some(largest) = largest else {
            return Ok(Got { status, location, retry_after, body: Bytes::new() });
        };
        let body = Limited::new(response.into_body(), largest).collect().await;
        let body = body.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() { WebError::TooLarge } else { WebError::Http }
        })?;
        Ok(Got { status, location, retry_after, body: body.to_bytes() })
    };
    // The connection lives and ends with this one request, so it needs no task of its own.
    let (mut connection, mut answer) = (std::pin::pin!(connection), std::pin::pin!(answer));
    tokio::select! {
        answered = &mut answer => answered,
        _ = &mut connection => answer.await,
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! A small HTTPS client with a cookie jar, as plain as a browser's `fetch` and as patient.

use std::collections::HashMap;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Longer than anything the server may take; a test that waits in vain ends all the same.
const PATIENCE: Duration = Duration::from_secs(30);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test can have threads")
});

/// One browser or program: it keeps its cookies and sends what they send.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    cookies: Arc<Mutex<Vec<(String, String)>>>,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A live socket.
pub struct Socket(WebSocketStream<TlsStream<TcpStream>>);

impl Client {
    /// A browser that has never been at the server at `address`. It says that it is our own page.
    pub fn new(address: SocketAddr) -> Self {
        let mut client = Self { address, cookies: Arc::default(), headers: HeaderMap::new() };
        client.set_header("x-belofte", "1");
        client.set_header("user-agent", "Belofte test/1.0");
        client
    }

    /// The same server, with another cookie jar.
    pub fn other(&self) -> Self {
        Self { cookies: Arc::default(), ..self.clone() }
    }

    /// A program at the same server that signs in with `key`.
    pub fn with_key(&self, key: &str) -> Self {
        let mut program = self.other();
        program.headers.remove("x-belofte");
        program.set_header("authorization", &format!("Bearer {key}"));
        program
    }

    /// The same browser at another node of the same installation: what it is signed in with counts
    /// there too.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// As this client, but every request also carries this header; an empty value leaves it out.
    /// The cookies are shared.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        if value.is_empty() {
            client.headers.remove(name);
        } else {
            client.set_header(name, value);
        }
        client
    }

    fn set_header(&mut self, name: &'static str, value: &str) {
        self.headers.insert(name, value.parse().expect("a value of a header"));
    }

    /// GET below `/api/v1`.
    pub fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, None)
    }

    /// POST of JSON below `/api/v1`.
    pub fn post(&self, path: &str, body: Value) -> Response {
        self.send(Method::POST, path, Some(body))
    }

    /// POST without a body below `/api/v1`.
    pub fn post_nothing(&self, path: &str) -> Response {
        self.send(Method::POST, path, None)
    }

    /// PATCH with JSON below `/api/v1`.
    pub fn patch(&self, path: &str, body: Value) -> Response {
        self.send(Method::PATCH, path, Some(body))
    }

    /// DELETE below `/api/v1`.
    pub fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, None)
    }

    /// POST of one file as `multipart/form-data` (RFC 7578), in the field `file`.
    pub fn upload(&self, path: &str, name: &str, media_type: &str, bytes: &[u8]) -> Response {
        const BOUNDARY: &str = "----belofte-test-boundary";
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {media_type}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.exchange(Method::POST, &format!("/api/v1{path}"), &[("content-type", &kind)], body)
    }

    fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let path = format!("/api/v1{path}");
        match body {
            Some(body) => {
                let bytes = serde_json::to_vec(&body).expect("a value is JSON");
                self.exchange(method, &path, &[("content-type", "application/json")], bytes)
            }
            None => self.exchange(method, &path, &[], Vec::new()),
        }
    }

    /// Any request; `path` from the root.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Response {
        let told = format!("{method} {path}");
        self.try_exchange(method, path, headers, body).unwrap_or_else(|error| panic!("{told}: {error}"))
    }

    /// As [`exchange`](Self::exchange); an `Err` when the server does not answer.
    ///
    /// # Errors
    /// What went wrong on the line.
    pub fn try_exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Response, String> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, self.host());
        let all = request.headers_mut().expect("nothing is wrong yet");
        all.extend(self.headers.clone());
        for (name, value) in headers {
            all.insert(*name, value.parse().map_err(|_| format!("{value:?} is no header"))?);
        }
        if let Some(cookies) = self.cookie_header() {
            all.insert(header::COOKIE, cookies.parse().map_err(|_| "the cookies are no header")?);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let response = RUNTIME
            .block_on(async { tokio::time::timeout(PATIENCE, carry(self.address, request)).await })
            .map_err(|_| format!("no answer within {PATIENCE:?}"))??;
        self.keep(&response.headers);
        Ok(response)
    }

    /// The cookies as the header that carries them.
    pub fn cookie_header(&self) -> Option<String> {
        let cookies = self.cookies.lock().expect("no test panics here");
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().expect("no test panics here");
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a cookie is text");
            let (name, value) =
                line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie has a value");
            cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Writes `bytes` on a new connection as they are, and gives all that comes back until the
    /// server closes or says nothing for `silence`.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn raw(&self, bytes: &[u8], silence: Duration) -> Vec<u8> {
        self.raw_in_two(bytes, || (), &[], silence)
    }

    /// As [`raw`](Self::raw), with something done between the beginning and the `rest` of what is
    /// written.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn raw_in_two(
        &self,
        bytes: &[u8],
        between: impl FnOnce(),
        rest: &[u8],
        silence: Duration,
    ) -> Vec<u8> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = RUNTIME.block_on(async {
            let mut stream = dial(self.address).await.expect("the server listens");
            // A server that refuses may close before it has read everything.
            if stream.write_all(bytes).await.is_ok() {
                let _ = stream.flush().await;
            }
            stream
        });
        between();
        let bytes = rest;
        RUNTIME.block_on(async {
            let mut heard = Vec::new();
            // A server that refuses may close before it has read everything.
            if stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok() {
                while let Ok(Ok(1..)) = tokio::time::timeout(silence, stream.read_buf(&mut heard)).await {}
            }
            heard
        })
    }

    /// Opens the live socket; `since` as the desk sends it.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn live(&self, since: Option<i64>) -> Socket {
        let query = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let mut request = Request::builder()
            .uri(format!("wss://{}/api/v1/live{query}", self.host()))
            .header(header::HOST, self.host())
            .header(header::ORIGIN, format!("https://{}", self.host()))
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        if let Some(cookies) = self.cookie_header() {
            request = request.header(header::COOKIE, cookies);
        }
        let request = request.body(()).expect("a request");
        let opening = async {
            let stream = dial(self.address).await.expect("the server listens");
            tokio_tungstenite::client_async(request, stream).await.expect("the server takes live sockets")
        };
        let (socket, _) = RUNTIME
            .block_on(async { tokio::time::timeout(PATIENCE, opening).await })
            .expect("the server takes live sockets in time");
        Socket(socket)
    }
}

impl Socket {
    /// The next frame as JSON; `None` when there is none within `limit` or the server closed.
    pub fn next(&mut self, limit: Duration) -> Option<Value> {
        use futures_util::StreamExt as _;
        RUNTIME.block_on(async {
            loop {
                match tokio::time::timeout(limit, self.0.next()).await {
                    Ok(Some(Ok(Message::Text(text)))) => {
                        return Some(serde_json::from_str(text.as_str()).expect("frames are JSON"));
                    }
                    Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                    _ => return None,
                }
            }
        })
    }

    /// The next frame of this kind.
    ///
    /// # Panics
    /// When none comes within 20 s.
    pub fn wait_for(&mut self, kind: &str) -> Value {
        let mut seen = Vec::new();
        loop {
            let frame = self.next(Duration::from_secs(20));
            let frame = frame.unwrap_or_else(|| panic!("no {kind} came, only {seen:?}"));
            if frame["kind"] == kind {
                return frame;
            }
            seen.push(frame);
        }
    }

    /// Sends a text frame.
    ///
    /// # Panics
    /// When the server is gone.
    pub fn say(&mut self, text: &str) {
        use futures_util::SinkExt as _;
        RUNTIME.block_on(self.0.send(Message::text(text.to_owned()))).expect("the server listens");
    }
}

impl Response {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        self.to()
    }

    /// The body as a `T`.
    ///
    /// # Panics
    /// When it is none.
    pub fn to<T: DeserializeOwned>(&self) -> T {
        serde_json::from_reader(Cursor::new(&self.body)).unwrap_or_else(|error| {
            panic!("{error} in an answer with {}: {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// The JSON of an answer that must have this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        let told = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{told}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem details of an answer that must be this problem.
    ///
    /// # Panics
    /// When it is none, or another.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        problem
    }

    /// That the fields of a 422 are these, as `name: code`.
    ///
    /// # Panics
    /// When they are others.
    #[track_caller]
    pub fn fields(&self, expected: &[&str]) {
        let problem = self.problem(422, "invalid");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = problem["fields"].as_array().cloned().unwrap_or_default();
        let mut told: Vec<_> = fields
            .iter()
            .map(|field| format!("{}: {}", text(&field["field"]), text(&field["code"])))
            .collect();
        told.sort();
        assert_eq!(told, expected);
    }
}

/// A connection that carries one request after the other.
type Line = SendRequest<Full<Bytes>>;

/// So many connections to one server wait for their next request. Nobody counts on having one of their own but who
/// dials it: a handshake takes more of a processor than most requests.
const WAITING: usize = 2;

/// The connections that wait, by the server that they lead to.
static LINES: LazyLock<Mutex<HashMap<SocketAddr, Vec<Line>>>> = LazyLock::new(Mutex::default);

/// One that waits and that the server has not closed.
async fn waiting(address: SocketAddr) -> Option<Line> {
    loop {
        let mut line = LINES.lock().expect("no test panics here").get_mut(&address)?.pop()?;
        if !line.is_closed() && line.ready().await.is_ok() {
            return Some(line);
        }
    }
}

async fn carry(address: SocketAddr, mut request: Request<Full<Bytes>>) -> Result<Response, String> {
    // What only asks can be asked again: the server may have ended while the question was on its way.
    let again = (request.method() == Method::GET).then(|| request.clone());
    while let Some(mut line) = waiting(address).await {
        match line.try_send_request(request).await {
            Ok(response) => match (answer(address, line, response).await, again) {
                (Err(_), Some(again)) => return carry_anew(address, again).await,
                (answer, _) => return answer,
            },
            // Nothing of it has gone out, or it can be asked again.
            Err(mut error) => match error.take_message().or_else(|| again.clone()) {
                Some(back) => request = back,
                None => return Err(format!("{:?}", error.into_error())),
            },
        }
    }
    carry_anew(address, request).await
}

#[expect(clippy::disallowed_methods, reason = "what carries a connection ends with it")]
async fn carry_anew(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Response, String> {
    let stream = dial(address).await.map_err(|error| error.to_string())?;
    let (mut line, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    // It ends with its line, or with the server.
    RUNTIME.spawn(connection);
    let response = line.send_request(request).await.map_err(|error| format!("{error:?}"))?;
    answer(address, line, response).await
}

/// The whole answer; the connection then waits for its next request.
async fn answer(
    address: SocketAddr,
    line: Line,
    response: http::Response<Incoming>,
) -> Result<Response, String> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| format!("the body broke off: {error:?}"))?.to_bytes();
    let mut lines = LINES.lock().expect("no test panics here");
    let lines = lines.entry(address).or_default();
    if lines.len() < WAITING {
        lines.push(line);
    }
    Ok(Response { status: parts.status, headers: parts.headers, body })
}

async fn dial(address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider knows the versions of TLS")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    });
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::clone(&CONFIG)).connect(name, stream).await
}

/// The server of a test made its certificate itself. Who it is does not matter here; that it
/// holds the key of the certificate it shows is checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

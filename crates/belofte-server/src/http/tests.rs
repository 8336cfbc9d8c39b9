// SPDX-License-Identifier: EUPL-1.2

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use belofte_model::Timestamp;
use belofte_store::Clock;
use belofte_vault::Random;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use super::*;
use crate::api::operation::{Operation, Tag};
use crate::lifecycle::Life;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors only")]
struct Order {
    email: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its errors only")]
struct Line {
    count: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
}

static CREATE: Operation = Operation::post("create", "/orders", Tag::Search, "");
static LIST: Operation = Operation::get("list", "/orders", Tag::Search, "");
static GET: Operation = Operation::get("get", "/orders/{id}", Tag::Search, "");
static BREAK: Operation = Operation::get("break", "/break", Tag::Search, "");

fn broken() -> u8 {
    panic!("canary@a.example")
}

fn router() -> Router {
    let api = Router::new();
    let api = mount(api, &CREATE, |IdempotencyKey(key): IdempotencyKey, Json(_): Json<Order>| async move {
        key.unwrap_or_default()
    });
    let api = mount(api, &LIST, |Query(page): Query<Page>| async move {
        page_limit(page.limit).map(|limit| limit.to_string())
    });
    let api = mount(api, &GET, |Id(id): Id<uuid::Uuid>| async move { id.to_string() });
    let api = mount(api, &BREAK, || async { broken().to_string() });
    let allowance =
        Allowance { json_bytes: 200, attachment_bytes: 1000, body_time: Duration::from_millis(100) };
    let around = Around {
        clock: Clock::manual(Timestamp::from_secs(1_800_000_000)),
        random: Random::seeded(1),
        allowance,
        proxies: Proxies::default(),
    };
    finish(api, around, || async { None })
}

async fn send(request: http::request::Builder, body: impl Into<Body>) -> (Response<()>, String) {
    let request = request.body(body.into()).expect("a request");
    let (parts, body) = router().oneshot(request).await.expect("infallible").into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (Response::from_parts(parts, ()), String::from_utf8_lossy(&bytes).into_owned())
}

fn post() -> http::request::Builder {
    Request::post("/api/v1/orders").header("content-type", "application/json").header("x-belofte", "1")
}

async fn posted(body: &'static str) -> (StatusCode, Value) {
    let (response, text) = send(post(), body).await;
    (response.status(), serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn each_wrong_body_is_told_precisely() {
    for (body, status, code, field) in [
        ("{\"email\"", 400, "malformed", None),
        ("{\"email\":\"a\",\"lines\":[]} x", 400, "malformed", None),
        ("\u{0}", 400, "malformed", None),
        ("{\"lines\":[]}", 422, "invalid", Some(("email", "required"))),
        ("{\"email\":1,\"lines\":[]}", 422, "invalid", Some(("email", "invalid"))),
        ("{\"email\":\"a\",\"lines\":[],\"more\":1}", 422, "invalid", Some(("more", "unknown"))),
        (
            "{\"email\":\"a\",\"lines\":[{\"count\":1},{\"count\":300}]}",
            422,
            "invalid",
            Some(("lines[1].count", "invalid")),
        ),
        ("{\"email\":\"a\",\"lines\":[{}]}", 422, "invalid", Some(("lines[0].count", "required"))),
        (
            "{\"email\":\"a\",\"lines\":[{\"count\":1,\"odd\":1}]}",
            422,
            "invalid",
            Some(("lines[0].odd", "unknown")),
        ),
        ("[]", 422, "invalid", None),
    ] {
        let (got, problem) = posted(body).await;
        assert_eq!((got.as_u16(), problem["code"].as_str()), (status, Some(code)), "{body}: {problem}");
        if let Some((name, what)) = field {
            assert_eq!(problem["fields"][0]["field"], name, "{body}");
            assert_eq!(problem["fields"][0]["code"], what, "{body}");
        }
    }
    let (status, _) = posted("{\"email\":\"a\",\"lines\":[{\"count\":1}]}").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn bodies_are_bounded_in_length_time_and_kind() {
    let (response, _) = send(post(), "x".repeat(201)).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let never = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let (response, _) = send(post(), never).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    let plain = Request::post("/api/v1/orders").header("content-type", "text/plain").header("x-belofte", "1");
    let (response, _) = send(plain, "{}").await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn another_site_cannot_make_a_browser_change_anything() {
    let body = "{\"email\":\"a\",\"lines\":[]}";
    let bare = || Request::post("/api/v1/orders").header("content-type", "application/json");
    assert_eq!(send(bare(), body).await.0.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(bare().header("x-belofte", "0"), body).await.0.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(bare().header("authorization", "Bearer k"), body).await.0.status(), StatusCode::OK);
    assert_eq!(send(Request::get("/api/v1/orders"), "").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn idempotency_keys_are_visible_ascii_of_bounded_length() {
    let body = "{\"email\":\"a\",\"lines\":[]}";
    let (response, text) = send(post().header("idempotency-key", "k-1"), body).await;
    assert_eq!((response.status(), text.as_str()), (StatusCode::OK, "k-1"));
    for wrong in ["", "a b", &"x".repeat(65)] {
        let (response, _) = send(post().header("idempotency-key", wrong), body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong:?}");
    }
}

#[tokio::test]
async fn queries_and_ids_are_checked() {
    for (query, status, field) in [
        ("", 200, ""),
        ("?limit=100", 200, ""),
        ("?limit=0", 422, "limit"),
        ("?limit=x", 422, "limit"),
        ("?limt=1", 422, "limt"),
    ] {
        let (response, text) = send(Request::get(format!("/api/v1/orders{query}")), "").await;
        assert_eq!(response.status().as_u16(), status, "{query}: {text}");
        if !field.is_empty() {
            let problem: Value = serde_json::from_str(&text).expect("a problem");
            assert_eq!(problem["fields"][0]["field"], field, "{text}");
        }
    }
    assert_eq!(send(Request::get("/api/v1/orders/7"), "").await.0.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn problems_speak_the_language_asked_for_and_answers_are_hardened() {
    let (response, text) = send(Request::get("/api/v1/nothing").header("accept-language", "en"), "").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let problem: Value = serde_json::from_str(&text).expect("a problem");
    assert_eq!(problem["title"], "Not found");
    assert_eq!(problem["type"], "/errors/not_found");
    let headers = response.headers();
    assert_eq!(problem["request"], headers["x-request-id"].to_str().expect("text"));
    assert_eq!(headers["content-type"], PROBLEM_MEDIA_TYPE);
    assert_eq!(headers["content-language"], "en");
    for name in [
        "strict-transport-security",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "permissions-policy",
    ] {
        assert!(headers.contains_key(name), "{name}");
    }
    let (response, text) = send(Request::get("/api/v1/nothing"), "").await;
    assert_eq!(response.headers()["content-language"], "nl");
    assert!(text.contains("Niet gevonden"), "{text}");
    let (response, text) = send(Request::put("/api/v1/orders").header("x-belofte", "1"), "").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{text}");
    assert!(response.headers()["allow"].to_str().expect("text").contains("POST"));
}

#[tokio::test]
async fn being_alive_is_not_being_ready() {
    assert_eq!(send(Request::get("/healthz"), "").await.0.status(), StatusCode::OK);
    assert_eq!(send(Request::get("/readyz"), "").await.0.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_panic_is_an_answer_that_repeats_nothing() {
    let (response, text) = send(Request::get("/api/v1/break"), "").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text.contains("\"internal\"") && !text.contains("canary"), "{text}");
}

/// A listener on a free port, with short times; the life that it belongs to.
async fn listening(folder: &std::path::Path) -> (std::net::SocketAddr, Life) {
    let short = Duration::from_millis(200);
    let bounds = Bounds {
        connections: 2,
        of_one_address: 2,
        proxies: Proxies::default(),
        handshake: short,
        head: short,
        idle: short,
    };
    listening_within(folder, bounds).await
}

async fn listening_within(folder: &std::path::Path, bounds: Bounds) -> (std::net::SocketAddr, Life) {
    let certificate =
        tls::Certificate::self_signed(folder, "desk.example", Clock::System.now()).expect("made");
    let config = certificate.listener(&[b"h2", b"http/1.1"]).expect("usable");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let life = Life::default();
    life.spawn(serve(listener, config, router(), bounds, life.tracker.clone(), life.stop.clone()));
    (address, life)
}

async fn connect(
    address: std::net::SocketAddr,
    folder: &std::path::Path,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("connects");
    connect_over(stream, folder).await
}

async fn connect_over(
    stream: TcpStream,
    folder: &std::path::Path,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    use rustls_pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let file = folder.join("certificate.pem");
    roots.add(rustls_pki_types::CertificateDer::from_pem_file(file).expect("a certificate")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls_pki_types::ServerName::try_from("desk.example").expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS")
}

#[tokio::test]
async fn the_listener_answers_over_tls_and_drains() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, life) = listening(folder.path()).await;
    let mut stream = connect(address, folder.path()).await;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: desk.example\r\nconnection: close\r\n\r\n")
        .await
        .expect("sends");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("reads");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("ok\n"), "{text}");
    // A connection that idles does not hold the end up.
    let _idle = connect(address, folder.path()).await;
    life.stop.cancel();
    assert_eq!(life.run(Duration::from_secs(5)).await.expect("signals"), crate::lifecycle::Ended::Drained);
}

#[tokio::test]
async fn the_slow_lose_their_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, _life) = listening(folder.path()).await;
    // Both places are taken: by one who shakes no hand and one who never ends the head.
    let mut mute = TcpStream::connect(address).await.expect("connects");
    let mut slow = connect(address, folder.path()).await;
    slow.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").await.expect("sends");
    let closed = tokio::time::timeout(Duration::from_secs(10), mute.read(&mut [0; 16])).await;
    assert_eq!(closed.expect("in time").expect("closed"), 0);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the head may take for ever");
    // A third one is served after that.
    let mut third = connect(address, folder.path()).await;
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("sends");
    let mut text = String::new();
    third.read_to_string(&mut text).await.expect("reads");
    assert!(text.contains("200 OK"), "{text}");
}

/// The client's preface and an empty SETTINGS frame (RFC 9113, sections 3.4 and 6.5).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn a_connection_of_http2_that_asks_nothing_loses_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let (address, _life) = listening(folder.path()).await;
    let mut mute = connect(address, folder.path()).await;
    mute.write_all(HTTP2).await.expect("sends");
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(15), mute.read_to_end(&mut heard)).await;
    assert!(ended.is_ok(), "it may stay for ever");
    assert!(!heard.is_empty(), "it spoke HTTP/2");
}

#[tokio::test]
async fn one_address_cannot_take_all_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = Duration::from_secs(60);
    let proxies = Proxies::new(vec!["127.0.0.9/32".parse().expect("a network")]);
    let bounds =
        Bounds { connections: 8, of_one_address: 2, proxies, handshake: long, head: long, idle: long };
    let (address, _life) = listening_within(folder.path(), bounds).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(address, folder.path()).await;
        stream.write_all(HTTP2).await.expect("sends");
        held.push(stream);
    }
    let mut third = TcpStream::connect(address).await.expect("connects");
    let closed = tokio::time::timeout(Duration::from_secs(10), third.read(&mut [0; 16])).await;
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "the third of one address is closed: {closed:?}");
    // Somebody else is served meanwhile, and the first address again when one of its own has gone.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("loopback");
    let other = socket.connect(address).await.expect("connects");
    connect_over(other, folder.path()).await;
    // A proxy of one's own brings many people.
    let mut brought = Vec::new();
    for _ in 0..3 {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.9:0".parse().expect("an address")).expect("loopback");
        let proxied = socket.connect(address).await.expect("connects");
        brought.push(connect_over(proxied, folder.path()).await);
    }
    drop(held.pop());
    let again = async {
        loop {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            let wait = Duration::from_millis(200);
            if tokio::time::timeout(wait, stream.read(&mut [0; 1])).await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("the place is given back");
}

#[tokio::test]
async fn a_certificate_is_kept_private_and_read_again_when_it_changes() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let now = Timestamp::from_secs(1_800_000_000);
    let first = tls::Certificate::self_signed(folder.path(), "a.example", now).expect("made");
    let file = folder.path().join("certificate.pem");
    let text = std::fs::read_to_string(&file).expect("written");
    let mode = std::fs::metadata(folder.path().join("key.pem")).expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    tls::Certificate::self_signed(folder.path(), "a.example", now).expect("kept");
    assert_eq!(std::fs::read_to_string(&file).expect("kept"), text);
    tls::Certificate::self_signed(folder.path(), "b.example", now).expect("made");
    assert_ne!(std::fs::read_to_string(&file).expect("made"), text);
    std::fs::write(&file, "no certificate").expect("written");
    // What cannot be used leaves the old one, and says so in the log.
    first.look_again();
    assert!(first.listener(&[]).is_ok());
    assert!(matches!(
        tls::Certificate::from_files(&file, &folder.path().join("key.pem")),
        Err(tls::TlsError::Pem { .. })
    ));
}

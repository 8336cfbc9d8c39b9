// SPDX-License-Identifier: EUPL-1.2
//! A provider of mailboxes: an authorization server (RFC 6749, RFC 7636) that gives another refresh token with each
//! renewal, and tells mail servers which access tokens hold.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use belofte_vault::sha256;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::certificate::Certificate;
use super::peer::new_folder;

/// What its client proves that with.
pub const SECRET: &str = "geheim van de klant";

/// A running provider; it ends with the test's process.
pub struct Provider {
    /// HTTPS on the loopback: its two endpoints.
    pub port: u16,
    /// HTTP on the loopback: what mail servers ask.
    pub asked: u16,
    /// The certificate that it shows.
    pub certificate: Certificate,
    held: Arc<Mutex<Held>>,
}

struct Held {
    user: String,
    /// Whom it knows, and what proves it.
    client: (String, String),
    /// What stands in each token beside its number.
    mark: String,
    /// Codes with their challenge and address.
    codes: HashMap<String, (String, String)>,
    refresh: Option<String>,
    access: HashSet<String>,
    given: usize,
    renewals: usize,
    life: u64,
    failing: bool,
}

impl Provider {
    /// Starts one whose people sign in to the mailbox `user`.
    pub fn start(user: &str) -> Self {
        let folder = new_folder("provider");
        let certificate = Certificate::make(&folder);
        let held = Held {
            user: user.to_owned(),
            client: ("belofte".to_owned(), SECRET.to_owned()),
            mark: "token".to_owned(),
            codes: HashMap::new(),
            refresh: None,
            access: HashSet::new(),
            given: 0,
            renewals: 0,
            life: 3_600,
            failing: false,
        };
        let held = Arc::new(Mutex::new(held));
        let tls = Arc::new(tls(&certificate));
        let port = serve(Arc::clone(&held), move |stream, held| {
            let Ok(connection) = rustls::ServerConnection::new(Arc::clone(&tls)) else { return };
            answer(rustls::StreamOwned::new(connection, stream), held);
        });
        let asked = serve(Arc::clone(&held), answer);
        Self { port, asked, certificate, held }
    }

    /// Has its tokens hold `mark`, so that they can be looked for.
    pub fn mark(&self, mark: &str) {
        self.with(|held| mark.clone_into(&mut held.mark));
    }

    /// Its client is another one from now on.
    pub fn know(&self, client: &str, secret: &str) {
        self.with(|held| held.client = (client.to_owned(), secret.to_owned()));
    }

    /// What a channel account is told of it.
    pub fn settings(&self) -> Value {
        let (client, secret) = self.with(|held| held.client.clone());
        json!({
            "authorization_endpoint": format!("https://localhost:{}/authorize?prompt=consent", self.port),
            "token_endpoint": format!("https://localhost:{}/token", self.port),
            "client_id": client, "client_secret": secret, "scope": "mail offline_access",
        })
    }

    /// Somebody goes to `url`, signs in and says yes: what they come back with.
    pub fn consent(&self, url: &str) -> Value {
        self.with(|held| consent(held, url)).0
    }

    /// Access tokens of from now on live for so many seconds.
    pub fn live_for(&self, seconds: u64) {
        self.with(|held| held.life = seconds);
    }

    /// Access tokens that were given hold no longer, although their time is not over.
    pub fn forget_access(&self) {
        self.with(|held| held.access.clear());
    }

    /// Whoever signed in has ended it.
    pub fn revoke(&self) {
        self.with(|held| {
            held.access.clear();
            held.refresh = None;
        });
    }

    /// It answers nothing but that it is broken, or is well again.
    pub fn fail(&self, failing: bool) {
        self.with(|held| held.failing = failing);
    }

    /// How often a token was renewed.
    pub fn renewals(&self) -> usize {
        self.with(|held| held.renewals)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        act(&mut self.held.lock().expect("no test panics here"))
    }
}

/// What somebody who goes to `url` and says yes comes back with, and where.
fn consent(held: &mut Held, url: &str) -> (Value, String) {
    let (_, question) = url.split_once('?').expect("an address with a question");
    let asked: HashMap<String, String> = form_urlencoded::parse(question.as_bytes()).into_owned().collect();
    assert_eq!((&*asked["prompt"], &*asked["response_type"]), ("consent", "code"));
    assert_eq!((&*asked["code_challenge_method"], &*asked["scope"]), ("S256", "mail offline_access"));
    assert_eq!(asked["client_id"], held.client.0);
    held.given += 1;
    let (code, redirect) = (format!("code-{}", held.given), asked["redirect_uri"].clone());
    held.codes.insert(code.clone(), (asked["code_challenge"].clone(), redirect.clone()));
    (json!({ "state": asked["state"], "code": code }), redirect)
}

/// What shows this certificate.
pub(super) fn tls(certificate: &Certificate) -> rustls::ServerConfig {
    let chain = CertificateDer::pem_file_iter(&certificate.certificate).expect("our own file");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    config.expect("versions").with_no_client_auth().with_single_cert(chain, key).expect("a pair")
}

fn serve(held: Arc<Mutex<Held>>, each: impl Fn(TcpStream, &Mutex<Held>) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    let port = listener.local_addr().expect("a bound listener has an address").port();
    let each = Arc::new(each);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (held, each) = (Arc::clone(&held), Arc::clone(&each));
            std::thread::spawn(move || each(stream, &held));
        }
    });
    port
}

/// Answers one request and closes.
fn answer(stream: impl Read + Write, held: &Mutex<Held>) {
    let mut stream = BufReader::new(stream);
    let Some((line, body)) = request(&mut stream) else { return };
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    if path.starts_with("/authorize?") {
        // Whoever comes says yes at once.
        let (brought, redirect) = consent(&mut held.lock().expect("no test panics here"), &path);
        let said: Vec<(String, String)> = ["state", "code"]
            .map(|name| (name.to_owned(), brought[name].as_str().unwrap().to_owned()))
            .into();
        let question = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
        let head =
            format!("HTTP/1.1 302 Found\r\nlocation: {redirect}?{question}\r\ncontent-length: 0\r\n\r\n");
        let _ = stream.get_mut().write_all(head.as_bytes());
        let _ = stream.get_mut().flush();
        return;
    }
    let (status, answer) = {
        let mut held = held.lock().expect("no test panics here");
        match &*path {
            "/token" if held.failing => {
                ("503 Service Unavailable", json!({ "error": "temporarily_unavailable" }))
            }
            "/token" => match held.token(&body) {
                Ok(granted) => ("200 OK", granted),
                Err(error) => ("400 Bad Request", json!({ "error": error, "error_description": "no" })),
            },
            other => match other.strip_prefix("/introspect?token=") {
                Some(token) if held.access.contains(token) => {
                    ("200 OK", json!({ "active": true, "username": held.user }))
                }
                Some(_) => ("200 OK", json!({ "active": false })),
                None => ("404 Not Found", json!({})),
            },
        }
    };
    let answer = answer.to_string();
    let length = answer.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    let _ = stream.get_mut().write_all((head + &answer).as_bytes());
    let _ = stream.get_mut().flush();
}

/// The first line and the body of a request.
fn request(stream: &mut BufReader<impl Read>) -> Option<(String, Vec<u8>)> {
    let (mut first, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
        if first.is_empty() {
            first = line;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, body))
}

impl Held {
    fn token(&mut self, body: &[u8]) -> Result<Value, &'static str> {
        let asked: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let said = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        if (said("client_id"), said("client_secret")) != (&*self.client.0, &*self.client.1) {
            return Err("invalid_client");
        }
        match said("grant_type") {
            "authorization_code" => {
                let (challenge, address) = self.codes.remove(said("code")).ok_or("invalid_grant")?;
                let made = URL_SAFE_NO_PAD.encode(sha256(said("code_verifier").as_bytes()));
                if made != challenge || said("redirect_uri") != address {
                    return Err("invalid_grant");
                }
            }
            "refresh_token" => {
                // One that was used before is in somebody else's hands: all ends (RFC 9700, section 4.14.2).
                if self.refresh.take().is_none_or(|held| held != said("refresh_token")) {
                    self.access.clear();
                    return Err("invalid_grant");
                }
                self.renewals += 1;
            }
            _ => return Err("unsupported_grant_type"),
        }
        self.given += 1;
        let (access, refresh) =
            (format!("{}-a{}", self.mark, self.given), format!("{}-r{}", self.mark, self.given));
        self.access.insert(access.clone());
        self.refresh = Some(refresh.clone());
        Ok(json!({
            "access_token": access, "token_type": "Bearer", "expires_in": self.life, "refresh_token": refresh,
        }))
    }
}

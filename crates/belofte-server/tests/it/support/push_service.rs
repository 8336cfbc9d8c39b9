// SPDX-License-Identifier: EUPL-1.2
//! A push service (RFC 8030) on the loopback, over TLS: it answers each browser as it was told to, and keeps what it
//! was told. Who sent it is checked by OpenSSL, with the key that the desk gives to browsers.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::certificate::Certificate;
use super::peer::new_folder;
use super::provider::tls;

/// What it was told.
#[derive(Clone, Debug)]
pub struct Message {
    /// The path of the browser.
    pub path: String,
    /// The method.
    pub method: String,
    /// The fields of the head, their names in lower case.
    pub fields: HashMap<String, String>,
    /// What came after the head.
    pub body: Vec<u8>,
}

/// A running push service; it ends with the test's process.
pub struct PushService {
    /// Its port on the loopback.
    pub port: u16,
    /// The certificate that it shows.
    pub certificate: Certificate,
    told: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<HashMap<String, String>>>,
}

impl PushService {
    /// Starts one that takes everything.
    pub fn start() -> Self {
        let folder = new_folder("push");
        let certificate = Certificate::make(&folder);
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let config = Arc::new(tls(&certificate));
        let (told, answers) = (Arc::default(), Arc::default());
        let service = Self { port, certificate, told, answers };
        let (told, answers) = (Arc::clone(&service.told), Arc::clone(&service.answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(connection) = rustls::ServerConnection::new(Arc::clone(&config)) else { continue };
                let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
                let Some(message) = read(&mut stream) else { continue };
                let answer = answers.lock().expect("a table").get(&message.path).cloned();
                told.lock().expect("a list").push(message);
                let answer = answer.unwrap_or_else(|| "201 Created\r\nLocation: /message/1".to_owned());
                let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
                let _ = stream.get_mut().write_all(head.as_bytes());
                let _ = stream.get_mut().flush();
            }
        });
        service
    }

    /// The configuration of a server whose browsers it reaches.
    pub fn configuration(&self) -> String {
        format!(
            "[outbound]\nroot_certs_file = {:?}\n[push]\nservices = [\"localhost:{}\"]\ncontact = \"wacht@beheer.example\"\n",
            self.certificate.authority, self.port
        )
    }

    /// Where it reaches a browser of this name.
    pub fn endpoint(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}", self.port)
    }

    /// Answers what is for this browser so: a status, and more fields on lines of their own.
    pub fn answer(&self, name: &str, answer: &str) {
        self.answers.lock().expect("a table").insert(format!("/{name}"), answer.to_owned());
    }

    /// What it was told, oldest first.
    pub fn told(&self) -> Vec<Message> {
        self.told.lock().expect("a list").clone()
    }
}

fn read(stream: &mut BufReader<impl std::io::Read>) -> Option<Message> {
    let mut first = String::new();
    stream.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut fields = HashMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.split_once(':') else { break };
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = fields.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Message { path, method, fields, body })
}

impl Message {
    /// What its token claims, when it is signed by the key `public`, which is the one that it names.
    ///
    /// # Panics
    /// When it is not, with what OpenSSL says.
    pub fn claims(&self, public: &str, scratch: &Path) -> Value {
        let said = &self.fields["authorization"];
        let (token, key) = said.strip_prefix("vapid t=").expect("RFC 8292").split_once(", k=").expect("both");
        assert_eq!(key, public, "the key that browsers were told by");
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (head, claims) = signed.split_once('.').expect("three parts");
        let read = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("Base64");
        let head: Value = serde_json::from_slice(&read(head)).expect("JSON");
        assert_eq!(head, serde_json::json!({ "typ": "JWT", "alg": "ES256" }));
        let files = ["public.der", "signature.der", "signed"].map(|name| scratch.join(name));
        std::fs::write(&files[0], [&SPKI[..], &read(key)].concat()).expect("our own folder");
        std::fs::write(&files[1], der(&read(signature))).expect("our own folder");
        std::fs::write(&files[2], signed).expect("our own folder");
        let judged = Command::new("openssl")
            .args(["dgst", "-sha256", "-keyform", "DER", "-verify"])
            .args([&files[0], Path::new("-signature"), &files[1], &files[2]])
            .output()
            .expect("openssl is installed");
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
        serde_json::from_slice(&read(claims)).expect("JSON")
    }
}

/// What stands before the point of a key on P-256 (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A signature of two numbers (RFC 7518, section 3.4) as OpenSSL reads it.
fn der(signature: &[u8]) -> Vec<u8> {
    assert_eq!(signature.len(), 64, "two numbers of 32 octets");
    let number = |octets: &[u8]| {
        let mut bare: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
        if bare.first().is_none_or(|first| *first >= 0x80) {
            bare.insert(0, 0);
        }
        [vec![2, u8::try_from(bare.len()).expect("short")], bare].concat()
    };
    let both = [number(&signature[..32]), number(&signature[32..])].concat();
    [vec![0x30, u8::try_from(both.len()).expect("short")], both].concat()
}

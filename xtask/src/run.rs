// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask run`: the product with a demo tenant, from nothing to a sign-in.
//!
//! The server becomes the process at the terminal. A second process waits until it answers,
//! does what the tenant's people would do (accept the invitation, add the mailbox, invite a
//! colleague), sends the demo mail over SMTP, and then stands in for the customers' mail server.

use crate::customers::Customers;
use crate::shell::{self, Doing, Failure, Result};
use crate::{packages, smtp, web};
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const ADDRESS: &str = "https://localhost:8443";
const SMTP: &str = "127.0.0.1:2525";
const CUSTOMERS: (&str, u16) = ("127.0.0.1", 2526);
const MAILBOX: &str = "klantenservice@polderstroom.example";
const ADMIN: &str = "sanne@polderstroom.example";
const AGENT: &str = "joris@polderstroom.example";

const CONFIG: &str = "\
# SPDX-License-Identifier: EUPL-1.2
# The demo, as `cargo xtask run` starts it: everything on this machine alone.
[server]
listen = \"127.0.0.1:8443\"
public_url = \"https://localhost:8443\"

[smtp]
listen = \"127.0.0.1:2525\"

# The mail server of the demo's customers runs on this machine too. In production no host
# that a tenant names may lie in a private network.
[outbound]
allow_private = [\"127.0.0.0/8\"]
";

/// The demo's files.
struct Demo {
    folder: PathBuf,
}

impl Demo {
    fn here() -> Self {
        Self { folder: shell::root().join("data") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The product with the demo's configuration, from wherever this was called.
    fn server(&self) -> Command {
        let mut server = Command::new(shell::binary());
        server.arg("--config").arg(self.file("belofte.toml"));
        server.current_dir(shell::root()).env("BELOFTE_DATA", &self.folder);
        server
    }
}

/// `--fresh` begins with an empty data folder. `--attend` is the second process; it gets the
/// link of the invitation in its standard input when the demo has still to be made.
pub fn command(args: &[String]) -> Result<()> {
    let demo = Demo::here();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => start(&demo),
        ["--fresh"] => {
            // Only a folder that an earlier run made is ours to remove.
            if demo.file("belofte.toml").exists() {
                fs::remove_dir_all(&demo.folder).doing("remove the data folder")?;
            }
            start(&demo)
        }
        ["--attend"] => attend(&demo),
        _ => Err(Failure::new("cargo xtask run knows only --fresh")),
    }
}

fn start(demo: &Demo) -> Result<()> {
    packages::ensure_one("curl")?;
    web::build()?;
    shell::build()?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&demo.folder).doing("make the data folder")?;
    let config = demo.file("belofte.toml");
    if !config.exists() {
        fs::write(&config, CONFIG).doing("write data/belofte.toml")?;
    }
    let link = if demo.file("demo.json").exists() { String::new() } else { create_tenant(demo)? };

    let this = std::env::current_exe().doing("find this program")?;
    let mut second = Command::new(this)
        .args(["run", "--attend"])
        .stdin(Stdio::piped())
        .spawn()
        .doing("start the second process of the demo")?;
    let mut stdin = second.stdin.take().expect("stdin is piped");
    std::io::Write::write_all(&mut stdin, link.as_bytes()).doing("hand over the invitation")?;
    drop(stdin);
    let mut server = demo.server();
    server.arg("serve");
    println!("$ {}", shell::shown(&server));
    // From here on the terminal, its signals and the exit status are the server's.
    Err(Failure::new(format!("cannot start {}: {}", shell::shown(&server), server.exec())))
}

/// Makes the demo tenant and returns the link of its invitation.
fn create_tenant(demo: &Demo) -> Result<String> {
    let mut create = demo.server();
    create.args(["tenant", "create", "demo", "--json"]);
    let text = shell::output(&mut create).map_err(|failure| {
        Failure::new(format!(
            "{failure}\nIf an earlier run was broken off, begin anew: cargo xtask run --fresh"
        ))
    })?;
    let answer: Value = serde_json::from_str(&text).doing("read what `tenant create` printed")?;
    invitation_in(&answer).ok_or_else(|| Failure::new("`tenant create` printed no invitation"))
}

/// The link of an invitation, wherever it stands in an answer.
fn invitation_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.contains("/invitation#") => Some(text.clone()),
        Value::Array(items) => items.iter().find_map(invitation_in),
        Value::Object(members) => members.values().find_map(invitation_in),
        _ => None,
    }
}

fn attend(demo: &Demo) -> Result<()> {
    let server = parent_id();
    let mut link = String::new();
    std::io::stdin().read_to_string(&mut link).doing("read the invitation")?;
    let customers = Customers::listen(&format!("{}:{}", CUSTOMERS.0, CUSTOMERS.1), &demo.file("sent"))?;
    wait_until_ready(server)?;
    let password = if link.is_empty() { known_password(demo)? } else { furnish(demo, link.trim())? };
    println!(
        "\n  Belofte is ready\n\n  {ADDRESS}\n  admin   {ADMIN}\n  agent   {AGENT}\n  password of both   {password}\n\n  \
         The browser warns once: the certificate is this machine's own.\n  \
         Answers to customers arrive in data/sent/. Ctrl-C stops.\n"
    );
    // The customers' mail server ends with the product.
    std::thread::spawn(move || {
        while parent_id() == server {
            shell::pause(Duration::from_millis(300));
        }
        std::process::exit(0);
    });
    loop {
        customers.serve_one(&|path| println!("  An answer has arrived at a customer: {}", path.display()))?;
    }
}

fn wait_until_ready(server: u32) -> Result<()> {
    for _ in 0..600 {
        let mut look = Command::new("curl");
        look.args([
            "--silent",
            "--insecure",
            "--fail",
            "--output",
            "/dev/null",
            &format!("{ADDRESS}/readyz"),
        ]);
        if look.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
        if parent_id() != server {
            return Err(Failure::new("the server ended before it was ready"));
        }
        shell::pause(Duration::from_millis(100));
    }
    Err(Failure::new(format!("the server did not become ready within a minute at {ADDRESS}")))
}

fn known_password(demo: &Demo) -> Result<String> {
    let text = fs::read_to_string(demo.file("demo.json")).doing("read data/demo.json")?;
    let kept: Value = serde_json::from_str(&text).doing("read data/demo.json")?;
    kept["password"].as_str().map(str::to_owned).ok_or_else(|| Failure::new("data/demo.json has no password"))
}

/// Does what the tenant's first people do, and lets mail come in. Returns the password.
fn furnish(demo: &Demo, link: &str) -> Result<String> {
    let password = new_password()?;
    let admin = Api::new(&demo.file("demo-admin.cookies"));
    admin.accept(link, "Sanne de Vries", ADMIN, &password)?;
    admin.post(
        "/channel-accounts",
        &json!({
            "kind": "email", "address": MAILBOX, "from_name": "Polderstroom klantenservice",
            "submission": { "host": CUSTOMERS.0, "port": CUSTOMERS.1, "security": "none" },
        }),
    )?;
    let invitation = admin.post("/invitations", &json!({ "role": "agent" }))?;
    let link =
        invitation_in(&invitation).ok_or_else(|| Failure::new("the invitation of the agent has no link"))?;
    Api::new(&demo.file("demo-agent.cookies")).accept(&link, "Joris Bakker", AGENT, &password)?;
    smtp::send(SMTP, MAILBOX, &mails(&shell::root().join("crates/belofte-mail/corpus/demo"))?)?;
    let kept = json!({ "password": password }).to_string();
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(demo.file("demo.json"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, kept.as_bytes()))
        .doing("keep the password in data/demo.json")?;
    Ok(password)
}

fn mails(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let entries = fs::read_dir(folder).doing(&format!("read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).doing(&format!("read {}", file.display()))).collect()
}

/// Twenty letters and digits from the system.
fn new_password() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
    let mut bytes = [0; 20];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .doing("read random bytes")?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// A person's session with the API, by curl: a TLS client that every machine has.
struct Api {
    cookies: PathBuf,
}

impl Api {
    fn new(cookies: &Path) -> Self {
        Self { cookies: cookies.to_owned() }
    }

    fn accept(&self, link: &str, name: &str, email: &str, password: &str) -> Result<()> {
        let (_, token) = link.split_once('#').ok_or_else(|| Failure::new("the invitation has no token"))?;
        let body =
            json!({ "token": token, "name": name, "email": email, "password": password, "language": "nl" });
        self.post("/invitations/accept", &body).map(drop)
    }

    /// POST below /api/v1; an answer that is no success is a failure with its text.
    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut curl = Command::new("curl");
        // The certificate is one that the server has just made, and the way is the loopback.
        curl.args(["--silent", "--show-error", "--insecure", "--fail-with-body", "--max-time", "60"])
            .args(["--header", "Content-Type: application/json", "--header", "X-Belofte: 1"])
            .args(["--header", &format!("Idempotency-Key: {}", new_password()?)])
            .arg("--cookie")
            .arg(&self.cookies)
            .arg("--cookie-jar")
            .arg(&self.cookies)
            // The body goes in by a pipe: arguments can be read by everybody on the machine.
            .args(["--data-binary", "@-", &format!("{ADDRESS}/api/v1{path}")]);
        let text = shell::output_with_input(&mut curl, body.to_string().as_bytes())
            .map_err(|failure| Failure::new(format!("POST {path}: {failure}")))?;
        if text.trim().is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_str(&text).doing(&format!("read the answer to {path}"))
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.cookies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invitation_is_found_wherever_it_stands() {
        let answer =
            json!({ "tenant": { "id": "x" }, "links": ["no", "https://localhost:8443/invitation#abc"] });
        assert_eq!(invitation_in(&answer).as_deref(), Some("https://localhost:8443/invitation#abc"));
        assert_eq!(invitation_in(&json!({ "link": "https://localhost:8443/" })), None);
    }

    #[test]
    fn passwords_differ() {
        assert_ne!(new_password().unwrap(), new_password().unwrap());
    }
}

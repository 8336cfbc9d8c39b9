// SPDX-License-Identifier: EUPL-1.2
//! The server itself: the built program `belofte` with a data folder of its own, on the engine
//! that the test asks for, with one tenant whose admin is signed in.
//!
//! ```ignore
//! let server = Server::start(Engine::Sqlite);
//! let agent = server.join("agent");
//! let account = server.admin().post("/channel-accounts", json!({…})).expect(201);
//! swaks(server.smtp, &["--to", "info@winkel.example", …]);
//! agent.get("/conversations").expect(200);
//! ```

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::Client;
use super::free_port::free_ports;
use super::peer::{Peer, new_folder};
use super::postgres::Database;
use super::wait;
use crate::empty::stop_and_be_empty;

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct paard batterij";
/// The short name of the tenant that every server begins with.
pub const TENANT: &str = "winkel";
/// The address of its admin.
pub const ADMIN: &str = "admin@winkel.example";

/// Which engine keeps rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server with two databases.
    Postgres,
}

/// Writes a test once and runs it on both engines: `on_both_engines!(name, |engine| { … });`
macro_rules! on_both_engines {
    ($name:ident, |$engine:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every test needs all of its file")]
            use super::*;
            use $crate::support::server::Engine;

            fn run($engine: Engine) $body

            #[test]
            fn sqlite() {
                run(Engine::Sqlite);
            }

            #[test]
            fn postgres() {
                run(Engine::Postgres);
            }
        }
    };
}
pub(crate) use on_both_engines;

/// A running server.
pub struct Server {
    /// The engine.
    pub engine: Engine,
    /// Where the desk and the API are.
    pub https: SocketAddr,
    /// The port of the mail listener.
    pub smtp: u16,
    /// Its tenant.
    pub tenant: Tenant,
    // Dropped in this order: the program goes before its databases and its data.
    process: Option<Peer>,
    /// Variables of every program that is started here.
    environment: Vec<(String, String)>,
    databases: Option<[Database; 2]>,
    folder: TempDir,
    leaves: Mutex<Vec<&'static str>>,
}

impl Drop for Server {
    /// The end of every test: nothing is left to do.
    fn drop(&mut self) {
        if self.process.is_some() && !std::thread::panicking() {
            stop_and_be_empty(self);
        }
    }
}

/// A tenant and its admin.
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// The admin, signed in. Has the duty of privacy officer too.
    pub admin: Client,
}

/// A database with the schema of the content and nothing in it. The schema is made once for a whole run, from nothing as
/// on a first start; that of the keys is small, and holds keys of its own from its first moment.
fn content() -> Database {
    let mut hasher = DefaultHasher::new();
    belofte_store::MIGRATIONS.content_postgres.hash(&mut hasher);
    let template = format!("template_content_{:x}", hasher.finish());
    Database::from_template(&template, |url| {
        let (folder, keys) = (tempfile::tempdir().expect("a folder"), Database::empty());
        let config = folder.path().join("belofte.toml");
        let (data, keys) = (folder.path().join("data"), keys.url());
        let text = format!(
            "[data]\nfolder = {data:?}\n[storage]\nengine = \"postgres\"\nurl = {url:?}\nkeys_url = {keys:?}\n"
        );
        fs::write(&config, text).expect("our own folder");
        let mut migrate = Command::new(env!("CARGO_BIN_EXE_belofte"));
        let made =
            migrate.args(["migrate", "--config"]).arg(&config).output().expect("the program was built");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    })
}

impl Server {
    /// Starts a server with everything as it is by default.
    pub fn start(engine: Engine) -> Self {
        Self::start_with(engine, "")
    }

    /// Starts a server with more lines of configuration, in TOML; sections of their own, such as
    /// `"[limits]\nconnections_per_address = 8\n"`. Private networks are allowed to be sent to.
    ///
    /// # Panics
    /// When it does not start, with its log.
    pub fn start_with(engine: Engine, more: &str) -> Self {
        Self::start_in(engine, more, |_| Vec::new())
    }

    /// As [`start_with`](Self::start_with); `environment` gives variables for every program that is started here, from
    /// the server on.
    ///
    /// # Panics
    /// When it does not start, with its log.
    pub fn start_in(
        engine: Engine,
        more: &str,
        environment: impl FnOnce(&Self) -> Vec<(String, String)>,
    ) -> Self {
        let mut server = Self::prepare(engine, more);
        server.environment = environment(&server);
        let made = server.create_tenant(TENANT);
        server.boot();
        server.tenant = server.found(&made, ADMIN);
        server
    }

    /// Another node of the same installation: a second process with a data folder and ports of its
    /// own, on the same two databases, with the same root key and the same blobs. Whoever is signed
    /// in here is signed in there. It ends before this one's databases do, so drop it first.
    ///
    /// # Panics
    /// On an embedded engine, which has one node.
    pub fn neighbour(&self) -> Self {
        self.neighbour_with("")
    }

    /// As [`neighbour`](Self::neighbour), with more lines of configuration.
    ///
    /// # Panics
    /// As [`neighbour`](Self::neighbour).
    pub fn neighbour_with(&self, more: &str) -> Self {
        let databases = self.databases.as_ref().expect("nodes share a server");
        let more = format!("[vault]\nroot_key_file = {:?}\n{more}", self.data_folder().join("root.key"));
        let mut node = Self::prepare_on(self.engine, Some(databases), &more);
        fs::create_dir(node.data_folder()).expect("our own folder");
        let blobs = self.data_folder().join("blobs");
        fs::create_dir_all(&blobs).expect("our own folder");
        std::os::unix::fs::symlink(blobs, node.data_folder().join("blobs")).expect("our own folder");
        node.boot();
        node.tenant = Tenant { id: self.tenant.id.clone(), admin: self.tenant.admin.at(node.https) };
        node
    }

    /// Another server, not started, with an empty place for a data folder, ports of its own and
    /// copies of this one's databases, which nobody may use at the moment. Whoever is signed in here
    /// is signed in there.
    pub fn twin(&self, more: &str) -> Self {
        let copies = self.databases.as_ref().map(|[content, keys]| [content.copy(), keys.copy()]);
        let mut twin = Self::prepare_on(self.engine, copies.as_ref(), more);
        twin.databases = copies;
        twin.tenant = Tenant { id: self.tenant.id.clone(), admin: self.tenant.admin.at(twin.https) };
        twin
    }

    fn prepare(engine: Engine, more: &str) -> Self {
        let databases = (engine == Engine::Postgres).then(|| [content(), Database::empty()]);
        let mut server = Self::prepare_on(engine, databases.as_ref(), more);
        server.databases = databases;
        server
    }

    fn prepare_on(engine: Engine, databases: Option<&[Database; 2]>, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [https, smtp] = free_ports();
        let storage = match databases {
            Some([content, keys]) => format!(
                "[storage]\nengine = \"postgres\"\nurl = {:?}\nkeys_url = {:?}\n",
                content.url(),
                keys.url()
            ),
            None => String::new(),
        };
        let outbound =
            if more.contains("[outbound]") { "" } else { "[outbound]\nallow_private = [\"127.0.0.0/8\"]\n" };
        // Nothing answers there, and the system says so at once: no test asks the world's name servers.
        let names = if more.contains("[dns]") { "" } else { "[dns]\nservers = [\"127.0.0.1:9\"]\n" };
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{https}\"\npublic_url = \"https://localhost:{https}\"\n\
             [data]\nfolder = {:?}\n[smtp]\nlisten = \"127.0.0.1:{smtp}\"\n{storage}{outbound}{names}{more}",
            folder.path().join("data")
        );
        fs::write(folder.path().join("belofte.toml"), config).expect("our own folder");
        let https = SocketAddr::from(([127, 0, 0, 1], https));
        let tenant = Tenant { id: String::new(), admin: Client::new(https) };
        Self {
            engine,
            https,
            smtp,
            tenant,
            process: None,
            environment: Vec::new(),
            databases: None,
            folder,
            leaves: Mutex::default(),
        }
    }

    /// Starts the program, after [`stop`](Self::stop) or [`kill`](Self::kill) with the same data
    /// and ports, and waits until it is ready.
    pub fn boot(&mut self) {
        self.boot_with(&[]);
    }

    /// As [`boot`](Self::boot), with variables in the program's environment.
    pub fn boot_with(&mut self, variables: &[(&str, &str)]) {
        assert!(self.process.is_none(), "it runs already");
        let pid_file = self.folder.path().join("pid");
        let script = "echo $$ > \"$0\"; exec env \"$@\"";
        let own = self.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let variables: Vec<_> =
            own.chain(variables.iter().map(|(name, value)| format!("{name}={value}"))).collect();
        let (pid, config) = (pid_file.display().to_string(), self.config_file().display().to_string());
        let mut command = vec!["sh", "-c", script, &pid];
        command.extend(variables.iter().map(String::as_str));
        command.extend([env!("CARGO_BIN_EXE_belofte"), "serve", "--config", &config]);
        let client = Client::new(self.https);
        self.process = Some(Peer::start(new_folder("server"), "TERM", &command));
        wait::until("the server to be ready", Duration::from_secs(60), || {
            let logs = self.logs();
            assert!(!logs.contains("belofte: "), "the server did not start: {logs}");
            let answer = client.try_exchange(Method::GET, "/readyz", &[], Vec::new());
            answer.is_ok_and(|answer| answer.status.is_success()).then_some(())
        });
        wait::until_listening("the mail listener", self.smtp);
    }

    /// Stops the program as systemd does; running requests end, then it is gone.
    pub fn stop(&mut self) {
        drop(self.process.take());
    }

    /// Announces that this test leaves work on purpose: a kind of job (`deliver`), or `tasks` that
    /// do not end in time.
    pub fn leaves(&self, what: &'static str) {
        self.leaves.lock().expect("no test panics here").push(what);
    }

    /// Whether the test announced to leave `what`.
    pub fn announced(&self, what: &str) -> bool {
        self.leaves.lock().expect("no test panics here").contains(&what)
    }

    /// The most memory that the program had since [`forget_peak`](Self::forget_peak), in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is told");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib << 10
    }

    /// Counts the [`peak_memory`](Self::peak_memory) from now on.
    pub fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").expect("our own process");
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.folder.path().join("pid")).expect("it runs").trim().to_owned()
    }

    /// Tells the program to stop, and does not wait for it.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.pid()]).status();
        assert!(told.is_ok_and(|status| status.success()), "it ran");
    }

    /// Kills the program as a power cut does: nothing of it runs to an end.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        drop(self.process.take());
    }

    /// What the program logged since it started last.
    pub fn logs(&self) -> String {
        self.process.as_ref().map(Peer::logs).unwrap_or_default()
    }

    /// Every entry of the ledger of the first tenant, oldest first, as the privacy officer exports
    /// it: `kind`, `actor`, `detail`, `at`.
    pub fn entries(&self) -> Vec<Value> {
        let exported = self.admin().post_nothing("/ledger/export");
        assert_eq!(exported.status.as_u16(), 200);
        let lines = exported.body.split(|byte| *byte == b'\n');
        let entries = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        entries.map(|line| line["entry"].clone()).filter(|entry| !entry.is_null()).collect()
    }

    /// Every view that stands there: `actor`, `view`, `subject`, `at`.
    pub fn views(&self) -> Vec<Value> {
        let views = |entry: &Value| entry["detail"]["views"].as_array().cloned();
        self.entries().iter().filter_map(views).flatten().collect()
    }

    /// The admin of the first tenant, signed in.
    pub fn admin(&self) -> &Client {
        &self.tenant.admin
    }

    /// Somebody who has never been here.
    pub fn stranger(&self) -> Client {
        Client::new(self.https)
    }

    /// Somebody signed in with this address and the [`PASSWORD`].
    pub fn sign_in(&self, email: &str) -> Client {
        let client = self.stranger();
        client.post("/session", json!({ "email": email, "password": PASSWORD })).expect(201);
        client
    }

    /// A new user of the first tenant with this role (`agent`, `supervisor`, `admin`), signed in.
    /// Their address is `<role><number>@winkel.example`; `GET /session` tells.
    pub fn join(&self, role: &str) -> Client {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let email = format!("{role}{}@{TENANT}.example", NEXT.fetch_add(1, Ordering::Relaxed));
        self.invite(self.admin(), json!({ "role": role }), &email)
    }

    /// Who accepts an invitation that `admin` made with the body `invitation`, signed in.
    pub fn invite(&self, admin: &Client, invitation: Value, email: &str) -> Client {
        let made = admin.post("/invitations", invitation).expect(201);
        let link = made["link"].as_str().expect("a link");
        self.accept(link, email)
    }

    /// Who accepts the invitation behind `link`, signed in.
    pub fn accept(&self, link: &str, email: &str) -> Client {
        let (_, token) = link.split_once("/invitation#").expect("a link of an invitation");
        let name = email.split('@').next().unwrap_or(email);
        let client = self.stranger();
        let body = json!({
            "token": token, "name": name, "email": email, "password": PASSWORD, "language": "en",
        });
        client.post("/invitations/accept", body).expect(201);
        client
    }

    /// Another tenant with the admin `admin@<slug>.example`, made while the server runs.
    pub fn found_tenant(&self, slug: &str) -> Tenant {
        let made = self.create_tenant(slug);
        self.found(&made, &format!("admin@{slug}.example"))
    }

    fn found(&self, made: &Value, email: &str) -> Tenant {
        let admin = self.accept(made["invitation"].as_str().expect("a link"), email);
        Tenant { id: made["id"].as_str().expect("an id").to_owned(), admin }
    }

    fn create_tenant(&self, slug: &str) -> Value {
        self.command_json(&["tenant", "create", slug, "--name", slug])
    }

    /// Runs `belofte` with these arguments and this server's configuration.
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_belofte"))
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .arg("--config")
            .arg(self.config_file())
            .output()
            .expect("the program was built")
    }

    /// As [`command`](Self::command), with `--json` and success.
    ///
    /// # Panics
    /// When it fails or tells no JSON.
    pub fn command_json(&self, arguments: &[&str]) -> Value {
        let output = self.command(&[arguments, &["--json"]].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        serde_json::from_slice(&output.stdout).expect("--json tells JSON")
    }

    /// The configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("belofte.toml")
    }

    /// The data folder.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test itself, gone with the server.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// The databases of content and keys, on PostgreSQL.
    pub fn databases(&self) -> Option<&[Database; 2]> {
        self.databases.as_ref()
    }
}

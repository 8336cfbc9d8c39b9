// SPDX-License-Identifier: EUPL-1.2
//! PostgreSQL databases for tests: the cluster of the test run, or one of our own.

use super::free_port::free_ports;
use super::peer::SCRIPTS;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable with which `cargo xtask test` hands over its cluster.
const VARIABLE: &str = "BELOFTE_TEST_POSTGRES";

struct OwnCluster {
    url: String,
    // Held open for as long as this process lives; the script then stops the cluster.
    _stdin: Option<ChildStdin>,
    _script: Child,
}

/// The URL of a database whose role may create others. Without `BELOFTE_TEST_POSTGRES` the
/// first call starts a cluster for this process, which takes about two seconds.
pub fn cluster_url() -> &'static str {
    static GIVEN: OnceLock<Option<String>> = OnceLock::new();
    static OWN: OnceLock<OwnCluster> = OnceLock::new();
    match GIVEN.get_or_init(|| std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())) {
        Some(url) => url,
        None => &OWN.get_or_init(own_cluster).url,
    }
}

fn own_cluster() -> OwnCluster {
    let mut answer = String::new();
    // Somebody else may take the port between our look and the start.
    for _ in 0..3 {
        let [port] = free_ports();
        let mut script = Command::new("setsid")
            .arg("sh")
            .arg(format!("{SCRIPTS}/postgres.sh"))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("setsid (util-linux) is part of every Debian");
        let stdin = script.stdin.take();
        answer.clear();
        BufReader::new(script.stdout.take().expect("stdout is piped"))
            .read_line(&mut answer)
            .expect("the script prints one line");
        if answer.starts_with("postgres://") {
            return OwnCluster { url: answer.trim().to_owned(), _stdin: stdin, _script: script };
        }
        drop(stdin);
        script.wait().expect("the script ends after its last word");
    }
    panic!("no PostgreSQL for the tests ({}); `cargo xtask test` installs what is missing", answer.trim());
}

/// A database of one test, dropped with the handle.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// An empty database.
    pub fn empty() -> Self {
        let name = unique_name();
        execute(cluster_url(), &format!("CREATE DATABASE {name}"));
        Self { url: url_of(&name), name }
    }

    /// A copy of the template `template` (lower case, digits, underscores). When there is none
    /// yet, `make` gets the URL of an empty database and fills it, with every connection closed
    /// when it returns. The name must change when what `make` does changes: put the number or
    /// the hash of the migrations in it. Several processes may ask at once; one template wins.
    pub fn from_template(template: &str, make: impl FnOnce(&str)) -> Self {
        assert!(
            template.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{template:?} is no plain name"
        );
        if !exists(template) {
            let draft = Self::empty();
            make(&draft.url);
            execute(
                cluster_url(),
                &format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                    draft.name
                ),
            );
            let renamed = psql(cluster_url(), &format!("ALTER DATABASE {} RENAME TO {template}", draft.name));
            if let Err(error) = renamed {
                // Another process was quicker; the draft is dropped.
                assert!(exists(template), "cannot make the template {template}: {error}");
            } else {
                std::mem::forget(draft);
            }
        }
        let name = unique_name();
        execute(cluster_url(), &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { url: url_of(&name), name }
    }

    /// A copy as it is now. Who is still connected to this one loses the connection.
    pub fn copy(&self) -> Self {
        let name = unique_name();
        let of = format!("datname = '{}' AND pid <> pg_backend_pid()", self.name);
        crate::support::wait::until("the database to be alone", std::time::Duration::from_secs(20), || {
            execute(
                cluster_url(),
                &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of}"),
            );
            psql(cluster_url(), &format!("CREATE DATABASE {name} TEMPLATE {}", self.name)).ok()
        });
        Self { url: url_of(&name), name }
    }

    /// Has it lie in `folder`, which is empty and belongs to who runs the cluster. Nobody may be connected.
    pub fn move_to(&self, folder: &Path) {
        let administrator = cluster_url().replacen("://belofte@", "://postgres@", 1);
        let space = format!("space_of_{}", self.name);
        execute(
            &administrator,
            &format!("CREATE TABLESPACE {space} OWNER belofte LOCATION '{}'", folder.display()),
        );
        execute(&administrator, &format!("ALTER DATABASE {} SET TABLESPACE {space}", self.name));
    }

    /// Where a client connects.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What one statement prints: rows on lines, columns divided by `|`.
    ///
    /// # Panics
    /// When the statement fails, with the server's words.
    pub fn query(&self, sql: &str) -> String {
        execute(&self.url, sql)
    }

    /// As [`query`](Self::query), over the wall between tenants, as the house's own work sees it.
    pub fn query_all_tenants(&self, sql: &str) -> String {
        execute(&self.url, &format!("SET belofte.scope = 'system'; {sql}"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A database that stays is gone with the cluster; the test has said what it had to say.
        let _ = psql(cluster_url(), &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn url_of(name: &str) -> String {
    let cluster = cluster_url();
    if !cluster.contains("://") {
        // Key-value text of libpq: the later setting wins.
        return format!("{cluster} dbname={name}");
    }
    let (server, _) = cluster.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}

fn exists(name: &str) -> bool {
    !execute(cluster_url(), &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).is_empty()
}

fn execute(url: &str, sql: &str) -> String {
    psql(url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The client itself where Debian puts it: the one on the path is a script that looks for it first, each time.
fn client() -> &'static PathBuf {
    static CLIENT: OnceLock<PathBuf> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut found: Vec<_> = versions.map(|one| one.path().join("bin/psql")).collect();
        found.retain(|client| client.is_file());
        found.sort();
        found.pop().unwrap_or_else(|| PathBuf::from("psql"))
    })
}

fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new(client())
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output()
        .map_err(|error| format!("psql: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

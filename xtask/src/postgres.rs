// SPDX-License-Identifier: EUPL-1.2
//! One PostgreSQL cluster for a whole test run, by the same script that a single test uses.

use crate::shell::{self, Doing, Failure, Result};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Where the tests look for a running cluster.
pub const VARIABLE: &str = "BELOFTE_TEST_POSTGRES";

const SCRIPT: &str = "crates/belofte-server/tests/it/support/postgres.sh";

/// A running cluster. It stops when this is dropped, and also when this process dies in
/// any other way, because the script then reads the end of its standard input.
pub struct Cluster {
    /// A URL whose role may create databases.
    pub url: String,
    stdin: Option<ChildStdin>,
    script: Child,
}

impl Cluster {
    /// Starts a cluster on a free port of the loopback.
    pub fn start() -> Result<Self> {
        // Somebody else may take the port between our look and the start.
        let mut last = Failure::new("not tried");
        for _ in 0..3 {
            match Self::start_once() {
                Ok(cluster) => return Ok(cluster),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn start_once() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .doing("find a free port")?
            .port();
        let mut script = Command::new("setsid")
            .arg("sh")
            .arg(shell::root().join(SCRIPT))
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .doing("start the PostgreSQL script")?;
        let stdin = script.stdin.take();
        let mut line = String::new();
        BufReader::new(script.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .doing("read from the PostgreSQL script")?;
        match line.trim() {
            url if url.starts_with("postgres://") => Ok(Self { url: url.to_owned(), stdin, script }),
            other => {
                drop(stdin);
                script.wait().doing("wait for the PostgreSQL script")?;
                Err(Failure::new(format!("PostgreSQL for the tests: {other}")))
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // The script removes the data; waiting keeps it from outliving us unseen.
        let _ = self.script.wait();
    }
}

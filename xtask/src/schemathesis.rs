// SPDX-License-Identifier: EUPL-1.2
//! `cargo xtask schemathesis`: a server of its own is asked everything that openapi.json allows
//! and much that it does not; every answer must be one that is described, and none a 5xx.
//!
//! schemathesis comes from PyPI into a folder of its own below `target`.

use crate::shell::{self, Doing, Failure, Result, pause};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The release that the options below are those of.
const RELEASE: &str = "schemathesis==4.32.5";
/// Generates the same requests every time.
const SEED: &str = "1";
/// What would end the session that all requests share.
const LEFT_OUT: [&str; 3] = ["sign_out", "change_password", "end_session"];
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// `--seconds N` bounds the run; two minutes without it.
pub fn command(args: &[String]) -> Result<()> {
    let seconds = match args {
        [] => "120",
        [name, seconds] if name == "--seconds" && seconds.parse::<u32>().is_ok_and(|n| n > 0) => seconds,
        _ => return Err(Failure::new("cargo xtask schemathesis knows only --seconds N")),
    };
    let folder = shell::root().join("target/schemathesis");
    let program = installed(&folder)?;
    shell::build()?;
    let data = folder.join("data");
    if data.exists() {
        fs::remove_dir_all(&data).doing("empty the data folder of the last run")?;
    }
    fs::create_dir_all(&data).doing("make a data folder")?;
    let server = Server::start(&data)?;
    let cookie = server.sign_in()?;
    let mut run = Command::new(program);
    run.current_dir(&folder)
        .args(["run", &format!("{}/openapi.json", server.address), "--tls-verify", "false"])
        .args(["--header", "X-Belofte: 1", "--header", &format!("Cookie: {cookie}")])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-time", seconds, "--seed", SEED, "--workers", "2", "--warnings", "off", "--no-color"]);
    for operation in LEFT_OUT {
        run.args(["--exclude-operation-id", operation]);
    }
    // Not by `shell::run`: it shows the command, and the cookie is in it.
    match run.status().doing("start schemathesis")?.success() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "schemathesis found answers that openapi.json does not describe; the server's log is {}",
            server.log.display()
        ))),
    }
}

/// The path of the program, installed when it is not there yet.
fn installed(folder: &Path) -> Result<PathBuf> {
    let environment = folder.join("venv");
    let program = environment.join("bin/schemathesis");
    if !program.exists() {
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        shell::run(Command::new(environment.join("bin/pip")).args(["install", "--quiet", RELEASE]))?;
    }
    Ok(program)
}

/// A running server, stopped when this is dropped.
struct Server {
    address: String,
    config: PathBuf,
    log: PathBuf,
    child: Child,
}

impl Server {
    fn start(data: &Path) -> Result<Self> {
        // Both are held until both are known, so that they differ.
        let listeners = [TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0")];
        let mut ports = Vec::new();
        for listener in &listeners {
            let listener =
                listener.as_ref().map_err(|error| Failure::new(format!("no free port: {error}")))?;
            ports.push(listener.local_addr().doing("find a free port")?.port());
        }
        drop(listeners);
        let (https, smtp) = (ports[0], ports[1]);
        let address = format!("https://localhost:{https}");
        let config = data.join("belofte.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{https}\"\npublic_url = \"{address}\"\n\
             [smtp]\nlisten = \"127.0.0.1:{smtp}\"\n[data]\nfolder = {data:?}\n\
             [limits]\nrequests_per_caller = 0\nsearches_per_caller = 0\nuploads_per_caller = 0\n\
             exports_per_caller = 0\nexports_per_tenant = 0\n"
        );
        fs::write(&config, text).doing("write the configuration")?;
        let log = data.join("log");
        let file = fs::File::create(&log).doing("make the server's log")?;
        let errors = file.try_clone().doing("make the server's log")?;
        let child = Command::new(shell::binary())
            .args(["serve", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .doing("start the server")?;
        let mut server = Self { address, config, log, child };
        server.wait()?;
        Ok(server)
    }

    fn wait(&mut self) -> Result<()> {
        for _ in 0..300 {
            if self.curl("/readyz", None).is_ok() {
                return Ok(());
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            pause(Duration::from_millis(100));
        }
        Err(Failure::new(format!("the server did not become ready; its log is {}", self.log.display())))
    }

    /// Asks `path` by curl, with a body by POST; the answer with its headers.
    fn curl(&self, path: &str, body: Option<&Value>) -> Result<String> {
        let mut curl = Command::new("curl");
        // The certificate is one that the server has just made, and the way is the loopback.
        curl.args(["--silent", "--insecure", "--fail-with-body", "--include", "--max-time", "30"]);
        curl.arg(format!("{}{path}", self.address));
        match body {
            None => shell::output(&mut curl),
            Some(body) => {
                curl.args(["--header", "X-Belofte: 1", "--header", "Content-Type: application/json"]);
                curl.args(["--data-binary", "@-"]);
                shell::output_with_input(&mut curl, body.to_string().as_bytes())
            }
        }
    }

    /// Makes a tenant and its admin; the cookie of the admin's session, as `name=value`.
    fn sign_in(&self) -> Result<String> {
        let mut create = Command::new(shell::binary());
        create.args(["tenant", "create", "winkel", "--json", "--config"]).arg(&self.config);
        let made: Value = serde_json::from_str(&shell::output(&mut create)?).doing("read the invitation")?;
        let link = made["invitation"].as_str().unwrap_or_default();
        let (_, token) = link.split_once('#').ok_or_else(|| Failure::new("the invitation has no token"))?;
        let admin = json!({
            "token": token, "name": "Admin", "email": "admin@winkel.example", "language": "en",
            "password": "correct paard batterij",
        });
        let answer = self.curl("/api/v1/invitations/accept", Some(&admin))?;
        cookie(&answer).ok_or_else(|| Failure::new("signing in set no cookie"))
    }
}

/// The first cookie that an answer sets, as `name=value`.
fn cookie(answer: &str) -> Option<String> {
    answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let pair = value.trim().split(';').next()?;
        name.eq_ignore_ascii_case("set-cookie").then(|| pair.to_owned())
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        // It holds nothing that anybody needs again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::cookie;

    #[test]
    fn the_cookie_is_found_in_the_head_of_an_answer() {
        let answer = "HTTP/2 201\r\nset-cookie: __Host-belofte=abc; Path=/; Secure\r\n\r\n{}";
        assert_eq!(cookie(answer).as_deref(), Some("__Host-belofte=abc"));
        assert_eq!(cookie("HTTP/2 200\r\n\r\n"), None);
    }
}

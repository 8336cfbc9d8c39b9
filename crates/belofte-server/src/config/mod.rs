// SPDX-License-Identifier: EUPL-1.2
//! The configuration: one TOML file, every key also as an environment variable
//! `BELOFTE__SECTION__KEY`, secrets also by a `_file` twin. Everything is checked before
//! anything starts, and all that does not hold is told at once, each with its line.

mod read;
mod reference;
mod sections;
mod setting;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use belofte_store::PostgresSettings;

pub use read::{Finding, Origin, VARIABLE_PREFIX};
pub use reference::page as reference_page;
pub use sections::{
    Config, Data, Limits, Names, Observability, Outbound, Server, ServerTls, Smtp, SmtpTls, Storage, Vault,
};
pub use setting::{
    LogFormat, NameServer, Secret, Setting, SmtpTlsMode, StorageEngine, TlsMode, WebAddress, Whole,
};

use read::Reader;

use crate::house::root_certificates;
use crate::http::tls::Certificate;

/// The variable that names the data folder.
pub const DATA_VARIABLE: &str = "BELOFTE_DATA";
/// The name of the file within the data folder.
pub const FILE_NAME: &str = "belofte.toml";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Something in it does not hold.
    #[error("the configuration does not hold:\n{}", list(.0))]
    Findings(Vec<Finding>),
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}")).collect::<Vec<_>>().join("\n")
}

/// What is around the program: its variables, given as an argument so that tests can differ.
pub struct Surroundings {
    /// The environment.
    pub variables: Vec<(String, String)>,
}

impl Surroundings {
    /// The environment of this process; variables that are no text are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables }
    }

    fn data_folder(&self) -> PathBuf {
        self.variables
            .iter()
            .find(|(name, value)| name == DATA_VARIABLE && !value.is_empty())
            .map_or_else(|| PathBuf::from("data"), |(_, value)| PathBuf::from(value))
    }
}

/// Whether `name` is a host name (RFC 1123, section 2.1) or an IPv4 address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Whether two listeners cannot both be bound: the same port, of one address or of all of them.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    one.port() == other.port() && one.port() != 0 && (a == b || a.is_unspecified() || b.is_unspecified())
}

impl Config {
    /// Reads the file `path`, or `belofte.toml` in the data folder, which may be absent: then
    /// everything is the default. Variables override the file.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`] when the file that was named cannot be read,
    /// [`ConfigError::Findings`] with everything that does not hold.
    pub fn load(path: Option<&Path>, around: &Surroundings) -> Result<Self, ConfigError> {
        Self::load_as(path, around, false)
    }

    /// As [`load`](Self::load), and looks into the files that it names: what cannot be used would
    /// keep the server from starting.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with_files(path: Option<&Path>, around: &Surroundings) -> Result<Self, ConfigError> {
        Self::load_as(path, around, true)
    }

    fn load_as(path: Option<&Path>, around: &Surroundings, files: bool) -> Result<Self, ConfigError> {
        let default = around.data_folder().join(FILE_NAME);
        let file = path.unwrap_or(&default);
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(ConfigError::Unreadable { path: file.to_owned(), source }),
        };
        Self::parse_as(file, &text, around, files)
    }

    /// As [`load`](Self::load), from a text that is the content of `file`.
    ///
    /// # Errors
    /// [`ConfigError::Findings`].
    pub fn parse(file: &Path, text: &str, around: &Surroundings) -> Result<Self, ConfigError> {
        Self::parse_as(file, text, around, false)
    }

    fn parse_as(file: &Path, text: &str, around: &Surroundings, files: bool) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(file, text, around.variables.iter().cloned());
        let config = Self::read(&mut reader);
        if let Some(config) = &config {
            config.check(&mut reader);
        }
        let config = config.map(|config| config.settle(file, around, &reader));
        if let Some(config) = config.as_ref().filter(|_| files) {
            config.look_into_files(&mut reader);
        }
        let findings = reader.finish(&Self::describe());
        match config {
            Some(config) if findings.is_empty() => Ok(config),
            _ => Err(ConfigError::Findings(findings)),
        }
    }

    /// What each setting cannot know alone.
    fn check(&self, reader: &mut Reader) {
        let files = |reader: &mut Reader, section: &str, needed: bool, cert: bool, key: bool| {
            for (name, given) in [("cert_file", cert), ("key_file", key)] {
                if needed && !given {
                    reader.contradict(
                        &format!("{section}.{name}"),
                        format!("is missing, but {section}.mode is `files`"),
                    );
                }
                if !needed && given {
                    reader.contradict(
                        &format!("{section}.{name}"),
                        format!("is given, but {section}.mode is not `files`"),
                    );
                }
            }
        };
        let (tls, smtp) = (&self.tls, &self.smtp_tls);
        let needed = tls.mode == TlsMode::Files;
        files(reader, "server.tls", needed, tls.cert_file.is_some(), tls.key_file.is_some());
        let needed = smtp.mode == SmtpTlsMode::Files;
        files(reader, "smtp.tls", needed, smtp.cert_file.is_some(), smtp.key_file.is_some());

        let storage = &self.storage;
        let postgres = storage.engine == StorageEngine::Postgres;
        for (key, value) in [("storage.url", &storage.url), ("storage.keys_url", &storage.keys_url)] {
            match value {
                None if postgres => reader.contradict(key, "is missing, but storage.engine is `postgres`"),
                Some(_) if !postgres => {
                    reader.contradict(key, "is given, but storage.engine is not `postgres`");
                }
                Some(url) if !PostgresSettings::reads(url.expose()) => reader.contradict(
                    key,
                    "is no address of a database, such as postgres://user:password@host:5432/database",
                ),
                _ => {}
            }
        }
        if postgres && storage.url.is_some() && storage.url == storage.keys_url {
            reader.contradict(
                "storage.keys_url",
                "is the same as storage.url; keys never lie in the database of content",
            );
        }
        if !self.server.public_url.is_https() {
            reader.contradict("server.public_url", "must begin with https://; the desk works over TLS only");
        }
        if self.server.public_url.as_str().matches('/').count() > 2 {
            reader.contradict("server.public_url", "has a path, but the desk lives at the root of its host");
        }
        if self.smtp.hostname.as_deref().is_some_and(|name| !is_host_name(name)) {
            reader.contradict("smtp.hostname", "is no name of a host, such as mail.example.org");
        }
        let listeners = [
            ("server.listen", Some(self.server.listen)),
            ("smtp.listen", self.smtp.listen),
            ("smtp.lmtp_listen", self.smtp.lmtp_listen),
            ("observability.metrics_listen", self.observability.metrics_listen),
        ];
        for (at, (key, address)) in listeners.iter().enumerate() {
            for (other, taken) in &listeners[..at] {
                if address.zip(*taken).is_some_and(|(one, other)| collide(one, other)) {
                    reader.contradict(key, format!("is the address and port of {other}"));
                }
            }
        }
        if let Err(error) = crate::observability::Filter::parse(&self.observability.log) {
            reader.contradict("observability.log", error.to_string());
        }
    }

    /// What the files named here must hold for the server to start.
    fn look_into_files(&self, reader: &mut Reader) {
        let pairs = [
            ("server.tls.cert_file", &self.tls.cert_file, &self.tls.key_file),
            ("smtp.tls.cert_file", &self.smtp_tls.cert_file, &self.smtp_tls.key_file),
        ];
        for (key, cert, private) in pairs {
            if let (Some(cert), Some(private)) = (cert, private)
                && let Err(error) = Certificate::from_files(cert, private)
            {
                reader.contradict(key, format!("cannot be used: {:#}", anyhow::Error::from(error)));
            }
        }
        if let Some(file) = &self.outbound.root_certs_file
            && let Err(error) = root_certificates(file)
        {
            reader.contradict("outbound.root_certs_file", format!("cannot be used: {error:#}"));
        }
    }

    /// Makes paths absolute in meaning: those of the file are relative to its folder, those of a
    /// variable to the working folder.
    fn settle(mut self, file: &Path, around: &Surroundings, reader: &Reader) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        let place = |key: &str, path: &mut Option<PathBuf>| {
            if let (Some(path), Origin::Line(_)) = (path.as_mut(), reader.origin(key)) {
                *path = folder.join(&*path);
            }
        };
        place("server.tls.cert_file", &mut self.tls.cert_file);
        place("server.tls.key_file", &mut self.tls.key_file);
        place("smtp.tls.cert_file", &mut self.smtp_tls.cert_file);
        place("smtp.tls.key_file", &mut self.smtp_tls.key_file);
        place("vault.root_key_file", &mut self.vault.root_key_file);
        place("vault.key_backup_dir", &mut self.vault.key_backup_dir);
        place("storage.root_certs_file", &mut self.storage.root_certs_file);
        place("outbound.root_certs_file", &mut self.outbound.root_certs_file);
        place("data.folder", &mut self.data.folder);
        self.data.folder.get_or_insert_with(|| around.data_folder());
        self
    }

    /// The data folder.
    #[must_use]
    pub fn data_folder(&self) -> &Path {
        self.data.folder.as_deref().unwrap_or(Path::new("data"))
    }

    /// The root key file.
    #[must_use]
    pub fn root_key_file(&self) -> PathBuf {
        self.vault.root_key_file.clone().unwrap_or_else(|| self.data_folder().join("root.key"))
    }

    /// Where push services reach who runs this (RFC 8292, section 2.1); `None` where no browser is told anything.
    #[must_use]
    pub fn push_contact(&self) -> Option<String> {
        let named = || match &self.push.contact {
            Some(contact) => format!("mailto:{}", contact.as_sent()),
            None => format!("https://{}", self.server.public_url.authority()),
        };
        self.push.enabled.then(named)
    }

    /// The push services that are spoken with, for tenants that allow it; none where there is no push.
    #[must_use]
    pub fn push_services(&self) -> Vec<String> {
        let listed = self.push.services.iter().map(ToString::to_string);
        if self.push.enabled { listed.collect() } else { Vec::new() }
    }

    /// The name that the mail listener greets with.
    #[must_use]
    pub fn smtp_hostname(&self) -> &str {
        self.smtp.hostname.as_deref().unwrap_or_else(|| self.server.public_url.host())
    }
}

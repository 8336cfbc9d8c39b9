// SPDX-License-Identifier: EUPL-1.2
//! The types of values that a setting can have: how each is read, from TOML and from an
//! environment variable, and how the reference names it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use belofte_channels::dns::parse_server;
use belofte_channels::network::Network;
use belofte_channels::outbound::{AllowPrivate, SubProcessor, SubProcessorError};
use belofte_channels::push::PushService;
use belofte_channels::scanner::ScannerAddress;
use belofte_model::EmailAddress;

/// A value as it was found, before its setting says what it should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// A text; also every value of an environment variable.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// True or false.
    Flag(bool),
    /// A list.
    List(Vec<Raw>),
    /// A fraction, a date: nothing that a setting can be.
    Other(&'static str),
}

impl Raw {
    const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Whole(_) => "a whole number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(name) => name,
        }
    }
}

/// A type that a setting can have.
pub trait Setting: Sized {
    /// What it is, for the reference and for errors: "an address with a port".
    fn kind() -> String;

    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence; never the text of a secret.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Reads a value of the TOML file.
    ///
    /// # Errors
    /// As [`from_text`](Self::from_text).
    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) => Self::from_text(text),
            other => Err(format!("is {}, but must be {}", other.name(), Self::kind())),
        }
    }
}

fn wrong<T: Setting>(text: &str) -> String {
    format!("{text:?} is not {}", T::kind())
}

impl Setting for String {
    fn kind() -> String {
        "a text".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for PathBuf {
    fn kind() -> String {
        "a path".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("is empty, but must be a path".into()) } else { Ok(text.into()) }
    }
}

impl Setting for bool {
    fn kind() -> String {
        "true or false".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| wrong::<Self>(text))
    }
    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Flag(flag) => Ok(*flag),
            Raw::Text(text) => Self::from_text(text),
            other => Err(format!("is {}, but must be {}", other.name(), Self::kind())),
        }
    }
}

impl Setting for SocketAddr {
    fn kind() -> String {
        "an address with a port, such as 127.0.0.1:8443 or [::1]:8443".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| wrong::<Self>(text))
    }
}

impl<T: Setting> Setting for Option<T> {
    fn kind() -> String {
        format!("{}; empty for none", T::kind())
    }
    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::from_text(text).map(Some) }
    }
    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Text(text) => Self::from_text(text),
            other => T::from_raw(other).map(Some),
        }
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn kind() -> String {
        format!("a list, each {}", T::kind())
    }
    /// In a variable the members are parted by commas.
    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::from_text).collect()
    }
    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::List(members) => members.iter().map(T::from_raw).collect(),
            other => Err(format!("is {}, but must be {}", other.name(), Self::kind())),
        }
    }
}

/// A whole number between two borders, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Whole<LEAST, MOST> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number for lengths in memory.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const LEAST: u64, const MOST: u64> Setting for Whole<LEAST, MOST> {
    fn kind() -> String {
        format!("a whole number from {LEAST} to {MOST}")
    }
    fn from_text(text: &str) -> Result<Self, String> {
        let number = text.replace('_', "").parse::<u64>().map_err(|_| wrong::<Self>(text))?;
        if (LEAST..=MOST).contains(&number) { Ok(Self(number)) } else { Err(wrong::<Self>(text)) }
    }
    fn from_raw(raw: &Raw) -> Result<Self, String> {
        match raw {
            Raw::Whole(number) => {
                Self::from_text(&number.to_string()).map_err(|_| format!("{number} is not {}", Self::kind()))
            }
            other => Err(format!("is {}, but must be {}", other.name(), Self::kind())),
        }
    }
}

/// A text that nobody may see: its value stands in no error, log or `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Setting for Secret {
    fn kind() -> String {
        "a secret text".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

/// An `http` or `https` address without user, query and fragment; no slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress(String);

impl WebAddress {
    /// The address, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The host with its port, where one is named.
    #[must_use]
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The host alone; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, _)) => host,
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        }
    }
}

impl Setting for WebAddress {
    fn kind() -> String {
        "an address such as https://desk.example".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        let uri: http::Uri = text.parse().map_err(|_| wrong::<Self>(text))?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
            && !text.contains('#');
        if known && plain {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(wrong::<Self>(text))
        }
    }
}

impl Setting for PushService {
    fn kind() -> String {
        "a host, all hosts below a name (`*.push.example`), or `host:port`".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| wrong::<Self>(text))
    }
}

impl Setting for EmailAddress {
    fn kind() -> String {
        "an address of mail such as info@shop.example".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        // An address may be a person's: it is not repeated.
        Self::parse(text).map_err(|_| format!("is not {}", <Self as Setting>::kind()))
    }
}

impl Setting for Network {
    fn kind() -> String {
        "a network such as 10.0.0.0/8 or an address".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| wrong::<Self>(text))
    }
}

impl Setting for AllowPrivate {
    fn kind() -> String {
        "a host with its port such as mail.internal:587, or a network such as 10.0.0.0/8".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| wrong::<Self>(text))
    }
}

/// A name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameServer(pub SocketAddr);

impl Setting for NameServer {
    fn kind() -> String {
        "an address, with a port when it is not 53, such as 192.0.2.53 or [::1]:5353".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        parse_server(text).map(Self).map_err(|_| wrong::<Self>(text))
    }
}

impl Setting for ScannerAddress {
    fn kind() -> String {
        "a socket or an address with a port, such as unix:/run/clamav/clamd.ctl or clamd.internal:3310".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| wrong::<Self>(text))
    }
}

impl Setting for SubProcessor {
    fn kind() -> String {
        "a party such as `Archive BV; back-ups; NL; store.archive.example`".into()
    }
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: SubProcessorError| match error {
            SubProcessorError::Parts => wrong::<Self>(text),
            outside @ SubProcessorError::OutsideEea(_) => outside.to_string(),
        })
    }
}

/// Makes an enum with named values a [`Setting`].
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$value_doc])* $variant),+
        }

        impl Setting for $name {
            fn kind() -> String {
                ["one of", $(concat!("`", $text, "`")),+].join(" ")
            }
            fn from_text(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(wrong::<Self>(text)),
                }
            }
        }
    )+};
}

choices! {
    /// Where the certificate of the desk comes from.
    TlsMode {
        /// Made here at first start and kept in the data folder.
        SelfSigned = "self-signed",
        /// Read from files, again when they change.
        Files = "files",
    }
    /// Where the certificate of the mail listener comes from.
    SmtpTlsMode {
        /// That of the desk.
        Server = "server",
        /// Read from files of its own.
        Files = "files",
        /// STARTTLS is not offered.
        Off = "off",
    }
    /// Where rows are kept.
    StorageEngine {
        /// In files in the data folder.
        Sqlite = "sqlite",
        /// In two PostgreSQL databases.
        Postgres = "postgres",
    }
    /// How log lines are written.
    LogFormat {
        /// One JSON object a line.
        Json = "json",
        /// For people.
        Text = "text",
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! Looks for malware: what strangers send and agents upload is shown to the operator's clamd, piece by piece
//! (INSTREAM, clamd(8)). Nothing is stored meanwhile, and no transaction is open.
//!
//! A scanner that is configured and does not answer lets nothing through: what waits for it is kept, and tried
//! again (decision 27).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};
use tokio_util::either::Either;

use crate::outbound::Outbound;
use crate::patience::moment;

/// A connection is there within this time, or the scanner is not.
const CONNECT: Duration = Duration::from_secs(5);
/// Each piece is taken within this time, and a ping is answered.
const STEP: Duration = Duration::from_secs(10);
/// What has been handed over whole is judged within this time.
const JUDGE: Duration = Duration::from_secs(40);
/// A scanner that did not answer is left alone for so long.
const REST: Duration = Duration::from_secs(5);
/// What waits for a scanner that does not answer comes back after so long.
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(120);
/// The length of a piece.
const PIECE: usize = 64 * 1024;
/// The longest answer.
const ANSWER: usize = 4096;
/// The longest name of a finding that is kept.
const NAME: usize = 100;

/// Where a clamd is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScannerAddress {
    /// Its socket on this machine.
    Unix(PathBuf),
    /// A host of the operator's own network; the line is not encrypted.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
}

/// The text is no address of a scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither unix:/path/of/socket nor host:port")]
pub struct ScannerAddressError;

impl FromStr for ScannerAddress {
    type Err = ScannerAddressError;

    fn from_str(text: &str) -> Result<Self, ScannerAddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(ScannerAddressError)
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or(ScannerAddressError)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(ScannerAddressError)?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let odd = host.is_empty() || host.contains(['/', ' ']) || (host.contains(':') && !bracketed);
        if odd { Err(ScannerAddressError) } else { Ok(Self::Tcp { host: host.to_owned(), port }) }
    }
}

impl fmt::Display for ScannerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// A line to a scanner.
pub type Line = Either<UnixStream, TcpStream>;

/// What a scanner says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It knows nothing against it.
    Clean,
    /// It found this, by the name of its signature.
    Infected(String),
    /// It is larger than the scanner takes.
    TooLarge,
}

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotScanned {
    /// The scanner is not there, or answers nothing that can be understood.
    #[error("the scanner does not answer")]
    Unavailable,
    /// It is there, and gave no verdict on this: not in time, or it hung up.
    #[error("the scanner gave no verdict")]
    TimedOut,
}

/// The scanner of this installation. Cheap to clone; clones share whether it answers.
#[derive(Clone)]
pub struct Scanner(Option<Arc<Inner>>);

struct Inner {
    outbound: Outbound,
    address: ScannerAddress,
    standing: Mutex<Standing>,
}

#[derive(Default)]
struct Standing {
    silent_since: Option<Instant>,
    rests_until: Option<Instant>,
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Scanner(..)" } else { "Scanner(off)" })
    }
}

impl Scanner {
    /// The one at `address`, reached through `outbound`; without one nothing is looked at.
    #[must_use]
    pub fn new(outbound: Outbound, address: Option<ScannerAddress>) -> Self {
        Self(address.map(|address| Arc::new(Inner { outbound, address, standing: Mutex::default() })))
    }

    /// None: everything counts as clean.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it did not answer when it was asked last.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.standing().silent_since.is_some())
    }

    /// When to come back, while it is left alone because it did not answer: the later, the longer it has been silent.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        let standing = self.0.as_ref()?.standing();
        let now = moment();
        standing.rests_until.filter(|until| now < *until)?;
        let silent =
            standing.silent_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        Some((silent / 4).clamp(SHORTEST, LONGEST))
    }

    /// Asks whether it is there; without one it always is.
    pub async fn ping(&self) -> bool {
        let Some(inner) = &self.0 else { return true };
        let answered = inner.ping().await.is_ok();
        inner.note(answered);
        answered
    }

    /// What it says of `parts`, each looked at by itself: the first finding, or that all are clean.
    ///
    /// # Errors
    /// [`NotScanned`].
    pub async fn scan(&self, parts: &[&[u8]]) -> Result<Verdict, NotScanned> {
        let mut worst = Verdict::Clean;
        for part in parts {
            let mut scan = self.begin().await;
            for piece in part.chunks(PIECE) {
                scan.push(piece).await;
            }
            match scan.finish().await? {
                Verdict::Clean => {}
                found @ Verdict::Infected(_) => return Ok(found),
                Verdict::TooLarge => worst = Verdict::TooLarge,
            }
        }
        Ok(worst)
    }

    /// Begins to show it something that comes in pieces.
    pub async fn begin(&self) -> Scan {
        let Some(inner) = &self.0 else { return Scan { inner: None, state: State::Said(Verdict::Clean) } };
        let resting = inner.standing().rests_until.is_some_and(|until| moment() < until);
        let begun = if resting { Err(NotScanned::Unavailable) } else { inner.begin().await };
        let state = begun.map_or_else(State::Failed, State::Going);
        Scan { inner: Some(Arc::clone(inner)), state }
    }
}

/// Something that is being shown to the scanner.
pub struct Scan {
    inner: Option<Arc<Inner>>,
    state: State,
}

enum State {
    Going(Line),
    Said(Verdict),
    Failed(NotScanned),
    /// It hung up without a word.
    Dropped,
}

impl Scan {
    /// The next piece. A failure is told at the end.
    pub async fn push(&mut self, piece: &[u8]) {
        for piece in piece.chunks(PIECE) {
            let State::Going(line) = &mut self.state else { return };
            let length = u32::try_from(piece.len()).expect("a piece is short").to_be_bytes();
            let sent = timeout(STEP, async {
                line.write_all(&length).await?;
                line.write_all(piece).await
            });
            match sent.await {
                Ok(Ok(())) => {}
                // A scanner that has seen enough says why, and takes no more.
                Ok(Err(_)) => self.state = last_word(line).await,
                Err(_) => self.state = State::Failed(NotScanned::TimedOut),
            }
        }
    }

    /// What the scanner says of all that it was shown.
    ///
    /// # Errors
    /// [`NotScanned`].
    pub async fn finish(mut self) -> Result<Verdict, NotScanned> {
        if let State::Going(line) = &mut self.state {
            self.state = match timeout(STEP, line.write_all(&[0; 4])).await {
                Ok(Ok(())) => match timeout(JUDGE, answer(line)).await {
                    Ok(said) => said.map_or(State::Dropped, judged),
                    Err(_) => State::Failed(NotScanned::TimedOut),
                },
                Ok(Err(_)) => last_word(line).await,
                Err(_) => State::Failed(NotScanned::TimedOut),
            };
        }
        let result = match (self.state, &self.inner) {
            (State::Said(verdict), _) => Ok(verdict),
            (State::Failed(error), _) => Err(error),
            // Who is slow to upload, or sends what it breaks on, does not make it gone for everybody else.
            (State::Dropped, Some(inner)) if inner.ping().await.is_ok() => Err(NotScanned::TimedOut),
            (State::Dropped | State::Going(_), _) => Err(NotScanned::Unavailable),
        };
        if let Some(inner) = &self.inner {
            // One that does not come to an end is there: the next may be judged in time.
            inner.note(result != Err(NotScanned::Unavailable));
            let outcome = match &result {
                Ok(Verdict::Clean) => "clean",
                Ok(Verdict::Infected(_)) => "infected",
                Ok(Verdict::TooLarge) => "too_large",
                Err(NotScanned::Unavailable) => "unavailable",
                Err(NotScanned::TimedOut) => "timed_out",
            };
            metrics::counter!("belofte_scans_total", "outcome" => outcome).increment(1);
        }
        result
    }
}

impl Inner {
    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether it answers, and says so once.
    fn note(&self, answers: bool) {
        let (mut standing, now) = (self.standing(), moment());
        let since = standing.silent_since;
        standing.silent_since = (!answers).then(|| since.unwrap_or(now));
        standing.rests_until = (!answers).then(|| now + REST);
        drop(standing);
        match (since.is_some(), answers) {
            (false, false) => {
                tracing::error!(
                    "the malware scanner does not answer; mail waits for it, and uploads are refused"
                );
            }
            (true, true) => tracing::info!("the malware scanner answers again"),
            (false, true) | (true, false) => {}
        }
    }

    async fn connect(&self) -> Result<Line, NotScanned> {
        self.outbound.to_scanner(&self.address, CONNECT).await.map_err(|_| NotScanned::Unavailable)
    }

    async fn begin(&self) -> Result<Line, NotScanned> {
        let mut line = self.connect().await?;
        match timeout(STEP, line.write_all(b"zINSTREAM\0")).await {
            Ok(Ok(())) => Ok(line),
            Ok(Err(_)) | Err(_) => Err(NotScanned::Unavailable),
        }
    }

    async fn ping(&self) -> Result<(), NotScanned> {
        let mut line = self.connect().await?;
        let asked = timeout(STEP, async {
            line.write_all(b"zPING\0").await.map_err(|_| NotScanned::Unavailable)?;
            answer(&mut line).await.ok_or(NotScanned::Unavailable)
        });
        match asked.await {
            Ok(Ok(said)) if said == "PONG" => Ok(()),
            Ok(_) | Err(_) => Err(NotScanned::Unavailable),
        }
    }
}

/// What the scanner said before it took no more.
async fn last_word(line: &mut Line) -> State {
    match timeout(STEP, answer(line)).await {
        Ok(Some(said)) => judged(said),
        Ok(None) | Err(_) => State::Dropped,
    }
}

/// One answer, up to its end; `None` when there is none.
async fn answer(line: &mut Line) -> Option<String> {
    let mut said = Vec::new();
    let mut buffer = [0; 512];
    loop {
        let length = line.read(&mut buffer).await.ok()?;
        said.extend_from_slice(&buffer[..length]);
        if let Some(end) = said.iter().position(|octet| *octet == 0) {
            said.truncate(end);
            return String::from_utf8(said).ok();
        }
        if length == 0 || said.len() > ANSWER {
            return None;
        }
    }
}

fn judged(said: String) -> State {
    let said = said.trim();
    if let Some(found) = said.strip_suffix(" FOUND") {
        let name = found.split_once(": ").map_or(found, |(_, name)| name);
        // It is shown, and comes from whoever wrote the signatures.
        let plain = |c: &char| c.is_ascii_alphanumeric() || "._-/:+()".contains(*c);
        let name: String = name.chars().filter(plain).take(NAME).collect();
        return State::Said(Verdict::Infected(if name.is_empty() { "?".to_owned() } else { name }));
    }
    if said.ends_with(": OK") {
        return State::Said(Verdict::Clean);
    }
    if said.contains("size limit exceeded") {
        return State::Said(Verdict::TooLarge);
    }
    tracing::warn!("the malware scanner answers with an error of its own");
    State::Failed(NotScanned::Unavailable)
}

#[cfg(test)]
#[path = "scanner_tests.rs"]
mod tests;

// SPDX-License-Identifier: EUPL-1.2
//! The sockets under [`super::smtp_session`]: accepts, limits, times out, shakes hands.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ByteBudget;
use super::authentication::Hop;
use super::intake::{Account, Envelope, Intake, ReceiveError, Recipient};
use super::line::Line;
use super::smtp_session::{Handover, Protocol, Resolution, Session, SessionSettings, Step};
use crate::network::Network;
use crate::patience::moment;
use crate::rate::{Buckets, Rate, client_key};

/// When TLS begins.
#[derive(Clone, Default)]
pub enum ListenerTls {
    /// Never: behind a server of one's own on the same machine.
    #[default]
    None,
    /// When the client asks for it (RFC 3207).
    StartTls(Arc<rustls::ServerConfig>),
}

/// How a listener works.
#[derive(Clone)]
pub struct ListenerSettings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// What every session keeps to; whether STARTTLS is offered follows from `tls`.
    pub session: SessionSettings,
    /// When TLS begins.
    pub tls: ListenerTls,
    /// The most connections at a time.
    pub max_connections: usize,
    /// The most connections at a time of one client (an IPv6 client is its /64).
    pub max_connections_per_client: usize,
    /// How fast a client may connect; `None` is without limit.
    pub connections_per_client: Option<Rate>,
    /// How fast a client may begin messages.
    pub messages_per_client: Option<Rate>,
    /// How fast a client may name recipients, known ones and others.
    pub recipients_per_client: Option<Rate>,
    /// How fast an account may receive. One client may take up a part of it ([`SHARES`]).
    pub messages_per_account: Option<Rate>,
    /// Servers of the operator's own, which queue and limit by themselves: no limit by client
    /// or account.
    pub exempt: Vec<Network>,
    /// Octets of messages under way, of all sessions together.
    pub memory: usize,
}

impl ListenerSettings {
    /// The usual limits: 1,000 connections, 20 for a client, 60 new ones and 120 messages a
    /// minute for a client, 1,200 recipients, 300 messages a minute for an account, 256 MiB under
    /// way, no TLS; loopback is exempt.
    #[must_use]
    pub fn new(bind: SocketAddr, session: SessionSettings) -> Self {
        let loopback = [(IpAddr::V4(Ipv4Addr::LOCALHOST), 8), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)];
        let network = |(address, prefix)| Network::new(address, prefix).ok();
        Self {
            bind,
            session,
            tls: ListenerTls::None,
            max_connections: 1_000,
            max_connections_per_client: 20,
            connections_per_client: Some(Rate::per_minute(60)),
            messages_per_client: Some(Rate::per_minute(120)),
            recipients_per_client: Some(Rate::per_minute(1_200)),
            messages_per_account: Some(Rate::per_minute(300)),
            exempt: loopback.into_iter().filter_map(network).collect(),
            memory: 256 * 1024 * 1024,
        }
    }
}

/// Rate limits remember so many clients and accounts.
const REMEMBERED: usize = 16 * 1024;

/// So many clients, each sending as fast as it may, fill what one account may receive: one alone
/// leaves room for the others.
pub const SHARES: u32 = 4;

/// Bytes are read in pieces of this size.
const READ_SIZE: usize = 16 * 1024;

/// A client that takes no bytes for so long is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(60);

/// A handshake may take so long.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);

/// A socket that listens for mail.
pub struct Listener {
    socket: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    settings: ListenerSettings,
    session: Arc<SessionSettings>,
    intake: Intake,
    budget: ByteBudget,
    counts: Mutex<Counts>,
    epoch: Instant,
}

struct Counts {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
    connections: Option<Buckets<IpAddr>>,
    messages: Option<Buckets<IpAddr>>,
    recipients: Option<Buckets<IpAddr>>,
    accounts: Option<Buckets<u128>>,
    shares: Option<Buckets<(u128, IpAddr)>>,
}

impl Listener {
    /// Listens on the address of `settings`; mail goes to `intake`.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(mut settings: ListenerSettings, intake: Intake) -> io::Result<Self> {
        let socket = TcpListener::bind(settings.bind).await?;
        settings.session.starttls = matches!(settings.tls, ListenerTls::StartTls(_));
        let buckets = |rate: Option<Rate>| rate.map(|rate| Buckets::new(rate, REMEMBERED));
        let counts = Counts {
            all: 0,
            by_client: HashMap::new(),
            connections: buckets(settings.connections_per_client),
            messages: buckets(settings.messages_per_client),
            recipients: buckets(settings.recipients_per_client),
            accounts: settings.messages_per_account.map(|rate| Buckets::new(rate, REMEMBERED)),
            shares: settings.messages_per_account.map(|rate| Buckets::new(rate.part(SHARES), REMEMBERED)),
        };
        let shared = Shared {
            session: Arc::new(settings.session.clone()),
            budget: ByteBudget::new(settings.memory),
            intake,
            settings,
            counts: Mutex::new(counts),
            epoch: moment(),
        };
        Ok(Self { socket, shared: Arc::new(shared) })
    }

    /// The address that is listened on, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// The system does not know it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `shutdown`; sessions run in `tracker`. After `shutdown`, sessions between two
    /// messages end with 421 and the others when their message is stored: wait for the tracker.
    pub async fn run(self, tracker: TaskTracker, shutdown: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer.ip().to_canonical(), &tracker, &shutdown),
                Err(error) => {
                    // Mostly no file descriptor left: accepting again at once would spin.
                    tracing::warn!(%error, "mail listener cannot accept");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, client: IpAddr, tracker: &TaskTracker, shutdown: &CancellationToken) {
        match Place::take(&self.shared, client) {
            Ok(place) => {
                let shutdown = shutdown.clone();
                tracker.spawn(async move {
                    let protocol = protocol_label(place.shared.session.protocol);
                    metrics::counter!("belofte_smtp_sessions_total", "protocol" => protocol).increment(1);
                    // A line that breaks is the client's affair; what it had sent is in the intake
                    // or was never acknowledged.
                    if let Err(error) = serve(stream, &place, &shutdown).await {
                        tracing::debug!(kind = ?error.kind(), "mail session broke off");
                    }
                });
            }
            Err(reason) => {
                metrics::counter!("belofte_smtp_refused_sessions_total", "reason" => reason).increment(1);
                self.turn_away(stream);
            }
        }
    }

    /// Says 421 without waiting: a fresh socket has room for it, and a flood must cost nothing.
    fn turn_away(&self, stream: TcpStream) {
        let mut session = self.shared.new_session(None);
        session.too_many();
        if let Ok(mut stream) = stream.into_std() {
            // Whether the client reads it does not matter to us.
            let _ = stream.write(&session.take_output());
        }
    }
}

const fn protocol_label(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Smtp => "smtp",
        Protocol::Lmtp => "lmtp",
    }
}

impl Shared {
    fn now(&self) -> Duration {
        moment().duration_since(self.epoch)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_session(&self, tls: Option<String>) -> Session<Account> {
        Session::new(self.session.clone(), self.budget.clone(), tls, self.now())
    }
}

/// A connection that counts; given back when dropped.
struct Place {
    shared: Arc<Shared>,
    client: IpAddr,
    exempt: bool,
}

impl Place {
    fn take(shared: &Arc<Shared>, client: IpAddr) -> Result<Self, &'static str> {
        let exempt = shared.settings.exempt.iter().any(|network| network.contains(client));
        let (key, now) = (client_key(client), shared.now());
        let mut counts = shared.counts();
        if counts.all >= shared.settings.max_connections {
            return Err("connections");
        }
        if !exempt {
            if counts.by_client.get(&key).copied().unwrap_or(0) >= shared.settings.max_connections_per_client
            {
                return Err("connections_of_client");
            }
            if counts.connections.as_mut().is_some_and(|buckets| !buckets.take(key, now)) {
                return Err("rate_of_client");
            }
        }
        counts.all += 1;
        *counts.by_client.entry(key).or_insert(0) += 1;
        drop(counts);
        Ok(Self { shared: Arc::clone(shared), client, exempt })
    }

    fn may_send(&self) -> bool {
        let now = self.shared.now();
        let mut counts = self.shared.counts();
        self.exempt
            || counts.messages.as_mut().is_none_or(|buckets| buckets.take(client_key(self.client), now))
    }

    /// Whether the client may name another recipient, of whatever address.
    fn may_ask(&self) -> bool {
        let now = self.shared.now();
        let mut counts = self.shared.counts();
        self.exempt
            || counts.recipients.as_mut().is_none_or(|buckets| buckets.take(client_key(self.client), now))
    }

    /// Whether `account` may receive another message, from this client. Takes nothing: a recipient
    /// that is named and gets no message costs its account nothing.
    fn may_receive(&self, account: &Account) -> bool {
        let (now, share) = (self.shared.now(), (account.key(), client_key(self.client)));
        let counts = self.shared.counts();
        self.exempt
            || (counts.accounts.as_ref().is_none_or(|buckets| buckets.has(account.key(), now))
                && counts.shares.as_ref().is_none_or(|buckets| buckets.has(share, now)))
    }

    /// `account` has received a message from this client.
    fn received(&self, account: &Account) {
        if self.exempt {
            return;
        }
        let (now, share) = (self.shared.now(), (account.key(), client_key(self.client)));
        let mut counts = self.shared.counts();
        if let Some(buckets) = counts.accounts.as_mut() {
            buckets.charge(account.key(), now);
        }
        if let Some(buckets) = counts.shares.as_mut() {
            buckets.charge(share, now);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let key = client_key(self.client);
        let mut counts = self.shared.counts();
        counts.all -= 1;
        if let Some(count) = counts.by_client.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                counts.by_client.remove(&key);
            }
        }
    }
}

/// Carries one connection from its greeting to its end.
async fn serve(stream: TcpStream, place: &Place, shutdown: &CancellationToken) -> io::Result<()> {
    let shared = &*place.shared;
    // Replies are small and waited for: without this each costs a delayed acknowledgement.
    stream.set_nodelay(true)?;
    let mut line = Line::Plain(stream);
    let mut session = shared.new_session(line.tls());
    session.greet();
    let mut buffer = BytesMut::with_capacity(READ_SIZE);
    loop {
        match session.advance() {
            Step::Read => {
                send(&mut line, &mut session).await?;
                if shutdown.is_cancelled() && session.is_quiet() {
                    session.shut_down();
                    continue;
                }
                buffer.clear();
                buffer.reserve(READ_SIZE);
                let deadline = shared.epoch + session.deadline();
                let read = tokio::select! {
                    () = shutdown.cancelled(), if session.is_quiet() => continue,
                    read = timeout_at(deadline, line.read(&mut buffer)) => read,
                };
                match read {
                    Err(_) => session.time_out(),
                    Ok(Ok(0)) => return Ok(()),
                    Ok(Ok(_)) => session.receive(&buffer, shared.now()),
                    Ok(Err(error)) => return Err(error),
                }
            }
            Step::Admit => session.admitted(place.may_send()),
            Step::Resolve(_) if !place.may_ask() => session.resolved(Resolution::TooMany),
            Step::Resolve(address) => {
                let found = match shared.intake.resolve(&address).await {
                    Recipient::Known(account) if place.may_receive(&account) => Resolution::Known(account),
                    Recipient::Known(_) => Resolution::Busy,
                    Recipient::Paused => Resolution::Paused,
                    Recipient::Unknown => Resolution::Unknown,
                    Recipient::TryLater => Resolution::TryLater,
                };
                session.resolved(found);
            }
            Step::Deliver(handover) => {
                let results = deliver(place, handover).await;
                session.delivered(&results);
            }
            Step::StartTls => {
                send(&mut line, &mut session).await?;
                let ListenerTls::StartTls(config) = &shared.settings.tls else { return Ok(()) };
                line = shake_hands(line, config).await?;
                session.tls_started(line.tls().unwrap_or_default(), shared.now());
            }
            Step::Close => {
                send(&mut line, &mut session).await?;
                return linger(&mut line, &mut buffer).await;
            }
        }
    }
}

/// Gives the message to each of its accounts, one after the other.
async fn deliver(place: &Place, handover: Handover<Account>) -> Vec<Result<(), ReceiveError>> {
    let Handover { mail_from, helo, tls, targets, text } = handover;
    let protocol = protocol_label(place.shared.session.protocol);
    let mut results = Vec::with_capacity(targets.len());
    // A server of the operator's own says nothing about who gave it the mail.
    let hop = (place.shared.session.protocol == Protocol::Smtp && !place.exempt).then_some(Hop {
        client: place.client,
        helo: &helo,
        mail_from: mail_from.as_ref(),
    });
    let authentication = place.shared.intake.authenticate(hop, &text).await;
    for (account, rcpt) in targets {
        let envelope = Envelope {
            mail_from: mail_from.clone(),
            rcpt,
            client_address: place.client,
            tls: tls.clone(),
            helo: helo.clone(),
            authentication: authentication.clone(),
        };
        let result = place.shared.intake.receive(&account, envelope, text.clone()).await;
        let outcome = match result {
            Ok(()) => {
                place.received(&account);
                "stored"
            }
            Err(ReceiveError::Full) => "full",
            Err(ReceiveError::Busy) => "busy",
            Err(ReceiveError::TooLarge) => "too_large",
        };
        metrics::counter!("belofte_smtp_messages_total", "protocol" => protocol, "outcome" => outcome)
            .increment(1);
        results.push(result);
    }
    results
}

async fn send(line: &mut Line, session: &mut Session<Account>) -> io::Result<()> {
    let output = session.take_output();
    if output.is_empty() {
        return Ok(());
    }
    timeout(SEND_PATIENCE, line.send(&output)).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn shake_hands(line: Line, config: &Arc<rustls::ServerConfig>) -> io::Result<Line> {
    let Line::Plain(tcp) = line else { return Ok(line) };
    let handshake = TlsAcceptor::from(Arc::clone(config)).accept(tcp);
    let tls = timeout(HANDSHAKE_PATIENCE, handshake).await.map_err(|_| io::ErrorKind::TimedOut)??;
    Ok(Line::Tls(Box::new(tls.into())))
}

/// Closes without losing the last reply: a socket closed with unread bytes resets the line, and
/// the client may never see why. Waits a moment for the client to stop.
async fn linger(line: &mut Line, buffer: &mut BytesMut) -> io::Result<()> {
    line.finish().await?;
    let until = moment() + Duration::from_secs(2);
    for _ in 0..64 {
        buffer.clear();
        match timeout_at(until, line.read(buffer)).await {
            Ok(Ok(0) | Err(_)) | Err(_) => break,
            Ok(Ok(_)) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;

// SPDX-License-Identifier: EUPL-1.2
//! The one door to the outside: every outgoing connection is made here, names whom data goes to
//! and why, is checked and counted.
//!
//! Data goes to three classes of recipients. Sub-processors stand in the operator's register
//! and lie in the EEA. Hosts chosen by the tenant may be anywhere on the public internet but
//! never inside the operator's network. Open transports (mail, telephone, names) are counted and
//! never claimed to stay in the EEA.
//!
//! A host that a tenant can name is resolved once, each address is judged, and the connection
//! goes to the judged address: a second look-up could give another answer (DNS rebinding).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, UdpSocket, UnixStream};
use tokio::time::timeout_at;

use crate::network::{Network, is_public};
use crate::patience::moment;
use crate::scanner::{self, ScannerAddress};

/// Whom a connection brings data to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientClass {
    /// A party that processes for the operator; must stand in the register with this host.
    SubProcessor {
        /// Its name in the register.
        name: String,
    },
    /// A server that the tenant named in its settings.
    ChosenByTenant {
        /// Whether it stands in the tenant's own register, or is being tried at its admin's word.
        recorded: bool,
    },
    /// A network that anybody is reached by; what happens to data there nobody can promise.
    OpenTransport(Transport),
    /// A server of the operator's own that only the configuration can name. A collector, inside the house or not,
    /// gets figures about the installation, never anything of a tenant; a scanner gets what came in, and stands on
    /// this machine or in a network of the operator's own.
    OperatorsOwn,
}

impl RecipientClass {
    const fn label(&self) -> &'static str {
        match self {
            Self::SubProcessor { .. } => "sub_processor",
            Self::ChosenByTenant { .. } => "chosen_by_tenant",
            Self::OpenTransport(Transport::Mail) => "mail",
            Self::OpenTransport(Transport::Telephone) => "telephone",
            Self::OpenTransport(Transport::Names) => NAMES,
            Self::OpenTransport(Transport::Web) => "web",
            Self::OpenTransport(Transport::Push) => "push",
            Self::OperatorsOwn => "operators_own",
        }
    }
}

/// The open transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Internet mail to any server.
    Mail,
    /// The public telephone network.
    Telephone,
    /// The domain name system: the operator chooses who is asked, and who is asked further nobody can
    /// promise. Learns the domains of those who mail, never an address.
    Names,
    /// Web servers that a mail names, when somebody asks to see its images: they learn that it was opened, and
    /// no more.
    Web,
    /// The push services of browser makers, where the tenant allows it and the operator lists them: they learn that and
    /// when a browser is told that something is new, and nothing of what.
    Push,
}

const NAMES: &str = "names";

/// What a connection is for. Closed: a new kind of connection is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectPurpose {
    /// Handing in an answer at the tenant's submission server.
    Submission,
    /// The connection test of the settings page.
    SubmissionTest,
    /// Reading a mailbox on the tenant's mail server.
    Retrieval,
    /// The connection test of that mailbox.
    RetrievalTest,
    /// Getting an access token at the provider of a mailbox.
    Authorisation,
    /// Asking what a domain says of its mails.
    Lookup,
    /// Getting an image that a mail names, for somebody who asks to see it.
    RemoteImage,
    /// Telling a browser that something is new.
    Push,
    /// Traces for the operator's collector.
    Traces,
    /// Showing what came in to the operator's scanner for malware.
    Scan,
}

impl ConnectPurpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::SubmissionTest => "submission_test",
            Self::Retrieval => "retrieval",
            Self::RetrievalTest => "retrieval_test",
            Self::Authorisation => "authorisation",
            Self::Lookup => "lookup",
            Self::RemoteImage => "remote_image",
            Self::Push => "push",
            Self::Traces => "traces",
            Self::Scan => "scan",
        }
    }
}

/// One sub-processor of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubProcessor {
    /// The name by which connections refer to it.
    pub name: String,
    /// What it does for the operator.
    pub purpose: String,
    /// The country where it processes: ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// The host names, in lower case, that may be connected to for it.
    pub hosts: Vec<String>,
}

/// The text is no sub-processor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubProcessorError {
    /// It has not four parts.
    #[error(
        "is not `name; purpose; country; hosts`, such as `Archive BV; back-ups; NL; store.archive.example`"
    )]
    Parts,
    /// The country is not a member of the EEA.
    #[error(transparent)]
    OutsideEea(#[from] OutsideEea),
}

impl FromStr for SubProcessor {
    type Err = SubProcessorError;

    /// Reads `name; purpose; country; hosts`, the hosts parted by white space; there may be none, for
    /// who is not reached over a network.
    fn from_str(text: &str) -> Result<Self, SubProcessorError> {
        let parts: Vec<&str> = text.split(';').map(str::trim).collect();
        let [name, purpose, country, hosts] = parts[..] else { return Err(SubProcessorError::Parts) };
        if name.is_empty() || purpose.is_empty() {
            return Err(SubProcessorError::Parts);
        }
        let one = Self {
            name: name.to_owned(),
            purpose: purpose.to_owned(),
            country: country.to_owned(),
            hosts: hosts.split_whitespace().map(normal_host).collect(),
        };
        Ok(one.within_eea()?)
    }
}

impl SubProcessor {
    fn within_eea(self) -> Result<Self, OutsideEea> {
        if EEA.contains(&self.country.as_str()) {
            return Ok(self);
        }
        Err(OutsideEea { name: self.name, country: self.country })
    }
}

/// The operator's sub-processors, all within the EEA.
#[derive(Clone, Debug, Default)]
pub struct Register {
    sub_processors: Vec<SubProcessor>,
}

/// The members of the European Economic Area (ISO 3166-1 alpha-2; Greece is GR).
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// A sub-processor outside the EEA was to be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sub-processor {name} is in {country}, outside the European Economic Area")]
pub struct OutsideEea {
    /// Its name.
    pub name: String,
    /// Its country.
    pub country: String,
}

impl Register {
    /// The register of these sub-processors.
    ///
    /// # Errors
    /// [`OutsideEea`] for the first one whose country is not a member of the EEA.
    pub fn new(sub_processors: Vec<SubProcessor>) -> Result<Self, OutsideEea> {
        let all = sub_processors.into_iter().map(SubProcessor::within_eea);
        Ok(Self { sub_processors: all.collect::<Result<_, _>>()? })
    }

    /// Its members.
    #[must_use]
    pub fn sub_processors(&self) -> &[SubProcessor] {
        &self.sub_processors
    }

    fn allows(&self, name: &str, host: &str) -> bool {
        let listed = |one: &SubProcessor| one.name == name && one.hosts.iter().any(|known| known == host);
        self.sub_processors.iter().any(listed)
    }
}

/// Who turns host names into addresses.
#[derive(Clone, Debug)]
pub enum Resolver {
    /// The operating system (getaddrinfo).
    System,
    /// A fixed table: the double for tests. A host that is not in it does not exist.
    Fixed(Arc<HashMap<String, Vec<IpAddr>>>),
}

impl Resolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        match self {
            Self::System => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
            Self::Fixed(table) => {
                let literal = host.parse().map(|address| vec![address]).ok();
                let addresses = table.get(host).cloned().or(literal);
                let missing = || io::Error::new(io::ErrorKind::NotFound, "no such host");
                let with_port = |address| SocketAddr::new(address, port);
                Ok(addresses.ok_or_else(missing)?.into_iter().map(with_port).collect())
            }
        }
    }
}

/// An entry of the operator's `outbound.allow_private`: what a tenant may name although it is
/// not on the public internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowPrivate {
    /// This host, as the tenant writes it, on this port, wherever it resolves to.
    Host {
        /// The name in lower case, or an address.
        host: String,
        /// The port.
        port: u16,
    },
    /// Every address of this network, on every port.
    Network(Network),
}

/// The text is neither `host:port` nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither host:port, such as mail.internal:587, nor a network, such as 10.0.0.0/8")]
pub struct AllowPrivateError;

impl FromStr for AllowPrivate {
    type Err = AllowPrivateError;

    fn from_str(text: &str) -> Result<Self, AllowPrivateError> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let (host, port) = text.rsplit_once(':').ok_or(AllowPrivateError)?;
        let port = port.parse().map_err(|_| AllowPrivateError)?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || host.contains('/') || (host.contains(':') && !bracketed) {
            return Err(AllowPrivateError);
        }
        Ok(Self::Host { host: normal_host(host), port })
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The register has no such recipient with this host.
    #[error("the recipient register does not list this recipient with this host")]
    NotRegistered,
    /// The name has no address.
    #[error("the host name could not be resolved")]
    Resolve(#[source] io::Error),
    /// The name resolves, but only to addresses that are not on the public internet.
    #[error("the host is not on the public internet and not allowed by outbound.allow_private")]
    NotPublic,
    /// No address answered.
    #[error("no address of the host accepted the connection")]
    Connect(#[source] io::Error),
    /// Resolving or connecting took too long.
    #[error("the connection was not made in time")]
    TimedOut,
}

impl OutboundError {
    const fn label(&self) -> &'static str {
        match self {
            Self::NotRegistered => "not_registered",
            Self::Resolve(_) => "resolve_failed",
            Self::NotPublic => "not_public",
            Self::Connect(_) => "connect_failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// Addresses that have been judged and may be connected to.
#[derive(Clone, Debug)]
pub struct Checked {
    addresses: Vec<SocketAddr>,
    class: &'static str,
    purpose: ConnectPurpose,
}

impl Checked {
    /// The addresses, in the resolver's order; never empty.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

/// The client that makes all outgoing connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The operator's sub-processors.
    pub register: Arc<Register>,
    /// Who resolves names.
    pub resolver: Resolver,
    /// What a tenant may name although it is not public.
    pub allow_private: Arc<[AllowPrivate]>,
}

/// One address may take this long before the next one is tried.
const PER_ADDRESS: Duration = Duration::from_secs(10);

impl Outbound {
    /// A client with the system's resolver.
    #[must_use]
    pub fn new(register: Register, allow_private: Vec<AllowPrivate>) -> Self {
        Self { register: Arc::new(register), resolver: Resolver::System, allow_private: allow_private.into() }
    }

    /// Connects to `host` (a name or an address) for `class` and `purpose` within `patience`:
    /// [`Outbound::check`], then [`Outbound::open`].
    ///
    /// # Errors
    /// [`OutboundError`] as both name it.
    pub async fn connect(
        &self,
        class: &RecipientClass,
        purpose: ConnectPurpose,
        host: &str,
        port: u16,
        patience: Duration,
    ) -> Result<TcpStream, OutboundError> {
        let until = moment() + patience;
        let checked = self.check(class, purpose, host, port, patience).await?;
        self.open(&checked, until.saturating_duration_since(moment())).await
    }

    /// Resolves `host` within `patience` and judges its addresses; nothing is sent to it yet.
    ///
    /// # Errors
    /// [`OutboundError::NotRegistered`], [`OutboundError::Resolve`],
    /// [`OutboundError::NotPublic`] or [`OutboundError::TimedOut`].
    pub async fn check(
        &self,
        class: &RecipientClass,
        purpose: ConnectPurpose,
        host: &str,
        port: u16,
        patience: Duration,
    ) -> Result<Checked, OutboundError> {
        let label = class.label();
        let found = timeout_at(moment() + patience, self.judge(class, host, port)).await;
        let found = found.unwrap_or(Err(OutboundError::TimedOut));
        match found {
            Ok(addresses) => Ok(Checked { addresses, class: label, purpose }),
            Err(error) => {
                count(label, purpose, error.label());
                Err(error)
            }
        }
    }

    async fn judge(
        &self,
        class: &RecipientClass,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, OutboundError> {
        let host = normal_host(host);
        let registered = match class {
            RecipientClass::SubProcessor { name } => self.register.allows(name, &host),
            RecipientClass::ChosenByTenant { recorded } => *recorded,
            RecipientClass::OpenTransport(_) | RecipientClass::OperatorsOwn => true,
        };
        if !registered {
            return Err(OutboundError::NotRegistered);
        }
        let mut addresses = self.resolver.resolve(&host, port).await.map_err(OutboundError::Resolve)?;
        if addresses.is_empty() {
            return Err(OutboundError::Resolve(io::Error::new(io::ErrorKind::NotFound, "no address")));
        }
        // The operator vouches for the hosts of the register and of the configuration; all other
        // names come from tenants or from the open internet.
        if !matches!(class, RecipientClass::SubProcessor { .. } | RecipientClass::OperatorsOwn) {
            addresses.retain(|address| self.may_reach(&host, *address));
        }
        if addresses.is_empty() { Err(OutboundError::NotPublic) } else { Ok(addresses) }
    }

    fn may_reach(&self, host: &str, address: SocketAddr) -> bool {
        is_public(address.ip())
            || self.allow_private.iter().any(|entry| match entry {
                AllowPrivate::Host { host: allowed, port } => allowed == host && *port == address.port(),
                AllowPrivate::Network(network) => network.contains(address.ip()),
            })
    }

    /// Connects to the first of the judged addresses that answers, within `patience`.
    ///
    /// # Errors
    /// [`OutboundError::Connect`] with the last refusal, or [`OutboundError::TimedOut`].
    pub async fn open(&self, checked: &Checked, patience: Duration) -> Result<TcpStream, OutboundError> {
        let until = moment() + patience;
        let mut last = OutboundError::TimedOut;
        for address in &checked.addresses {
            let one = until.min(moment() + PER_ADDRESS);
            // The one place in the product that opens an outgoing connection.
            match timeout_at(one, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Dialogues wait for each answer: without this every step costs a delayed ACK.
                    stream.set_nodelay(true).map_err(OutboundError::Connect)?;
                    count(checked.class, checked.purpose, "connected");
                    return Ok(stream);
                }
                Ok(Err(error)) => last = OutboundError::Connect(error),
                Err(_) => last = OutboundError::TimedOut,
            }
        }
        count(checked.class, checked.purpose, last.label());
        Err(last)
    }
}

/// Name servers stand in the operator's configuration, or in the system's; nobody else can name one.
impl Outbound {
    /// A socket that speaks with `server` alone, from a port that the system chose (RFC 5452, section 9.2).
    ///
    /// # Errors
    /// [`OutboundError::Connect`].
    pub async fn to_name_server(&self, server: SocketAddr) -> Result<UdpSocket, OutboundError> {
        let any: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let made = async {
            let socket = UdpSocket::bind((any, 0)).await?;
            socket.connect(server).await?;
            Ok(socket)
        };
        let made = made.await.map_err(OutboundError::Connect);
        let outcome = made.as_ref().err().map_or("connected", OutboundError::label);
        count(NAMES, ConnectPurpose::Lookup, outcome);
        made
    }

    /// A connection to `server` within `patience`, for an answer that is too long for a datagram.
    ///
    /// # Errors
    /// As [`Outbound::open`].
    pub async fn stream_to_name_server(
        &self,
        server: SocketAddr,
        patience: Duration,
    ) -> Result<TcpStream, OutboundError> {
        let checked = Checked { addresses: vec![server], class: NAMES, purpose: ConnectPurpose::Lookup };
        self.open(&checked, patience).await
    }
}

/// The scanner stands in the operator's configuration; nobody else can name one.
impl Outbound {
    /// A connection to the scanner at `address` within `patience`. What it is shown goes there in clear, so that it
    /// lies on this machine or in a private network.
    ///
    /// # Errors
    /// [`OutboundError::Resolve`], [`OutboundError::Connect`], also for one on the public internet,
    /// [`OutboundError::TimedOut`].
    pub async fn to_scanner(
        &self,
        address: &ScannerAddress,
        patience: Duration,
    ) -> Result<scanner::Line, OutboundError> {
        let (class, purpose) = (RecipientClass::OperatorsOwn, ConnectPurpose::Scan);
        match address {
            ScannerAddress::Unix(path) => {
                let made = timeout_at(moment() + patience, UnixStream::connect(path)).await;
                let made = made.map_err(|_| OutboundError::TimedOut);
                let made = made.and_then(|made| made.map_err(OutboundError::Connect));
                let outcome = made.as_ref().err().map_or("connected", OutboundError::label);
                count(class.label(), purpose, outcome);
                made.map(scanner::Line::Left)
            }
            ScannerAddress::Tcp { host, port } => {
                let until = moment() + patience;
                let checked = self.check(&class, purpose, host, *port, patience).await?;
                if checked.addresses.iter().any(|address| is_public(address.ip())) {
                    count(class.label(), purpose, "public");
                    let told = "the scanner is on the public internet, where what it is shown could be read";
                    return Err(OutboundError::Connect(io::Error::new(
                        io::ErrorKind::PermissionDenied,
                        told,
                    )));
                }
                let stream = self.open(&checked, until.saturating_duration_since(moment())).await?;
                Ok(scanner::Line::Right(stream))
            }
        }
    }
}

fn normal_host(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.trim_end_matches('.').to_ascii_lowercase()
}

/// Counts an attempt by class, purpose and outcome: no host, tenant or address in a metric.
fn count(class: &'static str, purpose: ConnectPurpose, outcome: &'static str) {
    metrics::counter!("belofte_outbound_connections_total",
        "class" => class, "purpose" => purpose.label(), "outcome" => outcome)
    .increment(1);
}

#[cfg(test)]
mod tests;

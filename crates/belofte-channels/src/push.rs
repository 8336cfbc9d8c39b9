// SPDX-License-Identifier: EUPL-1.2
//! Telling browsers that something is new (web push, RFC 8030), and never what: a message has no body, so that the
//! push service learns that and when somebody is notified, and nothing else.
//!
//! Where a browser is reached it says itself, and a browser may be anybody's program. Only what the operator lists is
//! ever connected to, by TLS, on its own port, and where the name leads into the house only when the list says so.
//! Who sends is proven by a short-lived token (VAPID, RFC 8292), for that push service alone.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use belofte_core::Core;
use belofte_model::{PushDeviceId, PushProblem, Timestamp, next_push, push_ttl};
use belofte_store::{Access, ClaimedJob, PushOutcome, PushTarget, StoreError};
use belofte_vault::PushKey;
use http::Uri;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::json;
use url::{Host, Url};

use crate::outbound::{AllowPrivate, ConnectPurpose, Outbound, OutboundError, RecipientClass, Transport};
use crate::web::{Tell, Told, Web, WebError};

/// The longest address of a browser that is taken, in octets.
pub const LONGEST_ENDPOINT: usize = 2_048;
/// One push service may take so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A token holds so long: at most a day by RFC 8292 (section 2), and clocks differ.
const TOKEN_HOLDS: Duration = Duration::from_secs(3_600);
/// Messages of one topic take each other's place while a browser is away (RFC 8030, section 5.4).
const TOPIC: &str = "new";
/// How soon a device is to be woken for it (section 5.3): as for a message, not as for a call.
const URGENCY: &str = "normal";

/// A push service of the operator's list: a host, all hosts below a name (`*.push.example`), or a host with its port,
/// which may then lie in the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushService {
    host: String,
    below: bool,
    port: Option<u16>,
}

/// The text is no push service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither a host, such as push.example, nor all below a name, such as *.push.example, nor host:port")]
pub struct PushServiceError;

impl FromStr for PushService {
    type Err = PushServiceError;

    fn from_str(text: &str) -> Result<Self, PushServiceError> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| PushServiceError)?)),
            None => (rest, None),
        };
        // An address is no name: names are what certificates are for, and what the list can promise.
        let named = match Host::parse(host) {
            Ok(Host::Domain(name)) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
                name == host.to_ascii_lowercase() && name.chars().all(plain) && !name.ends_with('.')
            }
            _ => false,
        };
        if !named || (below && (port.is_some() || !host.contains('.'))) {
            return Err(PushServiceError);
        }
        Ok(Self { host: host.to_ascii_lowercase(), below, port })
    }
}

impl fmt::Display for PushService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        write!(f, "{star}{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl PushService {
    fn is_at(&self, host: &str, port: u16) -> bool {
        let named = if self.below {
            host.strip_suffix(&self.host).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            host == self.host
        };
        named && port == self.port.unwrap_or(443)
    }
}

/// What a push service answered, or why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It tells the browser.
    Told,
    /// The browser is there no more.
    Gone,
    /// It takes nothing of ours for this browser.
    Refused,
    /// It has no time for us, for so long if it says so.
    Busy(Option<Duration>),
    /// It was not reached.
    Unreachable,
    /// It does not stand in the operator's list.
    NotListed,
}

impl Answered {
    const fn label(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Busy(_) => "busy",
            Self::Unreachable => "unreachable",
            Self::NotListed => "not_listed",
        }
    }
}

/// Tells browsers. Cheap to clone.
#[derive(Clone)]
pub struct Pushing {
    web: Web,
    services: Arc<[PushService]>,
    /// Where the push services reach the operator; nothing where there is no push.
    contact: Option<Arc<str>>,
}

impl fmt::Debug for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pushing(..)")
    }
}

impl Pushing {
    /// A client that connects through `outbound`, judges certificates by `tls`, and speaks with `services` alone. They
    /// reach who runs this at `contact`, an address with `mailto` or `https`; without one nobody is told anything.
    #[must_use]
    pub fn new(
        outbound: &Outbound,
        tls: Arc<rustls::ClientConfig>,
        services: Vec<PushService>,
        contact: Option<String>,
    ) -> Self {
        // What tenants may name is out of reach here: browsers are anybody's.
        let within = services.iter().filter_map(|service| {
            let port = service.port?;
            Some(AllowPrivate::Host { host: service.host.clone(), port })
        });
        let outbound = Outbound { allow_private: within.collect(), ..outbound.clone() };
        Self { web: Web::new(outbound, tls), services: services.into(), contact: contact.map(Arc::from) }
    }

    /// Whether this installation tells browsers anything.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.contact.is_some() && !self.services.is_empty()
    }

    /// The push services that are spoken with; none where there is no push.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        if self.is_on() { self.services.iter().map(ToString::to_string).collect() } else { Vec::new() }
    }

    /// Whether a browser may be reached at `endpoint`.
    #[must_use]
    pub fn accepts(&self, endpoint: &str) -> bool {
        self.judge(endpoint).is_some()
    }

    /// The address and its origin, when it is one of a listed push service; whether its host lies in public is judged
    /// when it is connected to, by the addresses that it has then.
    fn judge(&self, endpoint: &str) -> Option<(Uri, String)> {
        if !self.is_on() || endpoint.len() > LONGEST_ENDPOINT {
            return None;
        }
        let url = Url::parse(endpoint).ok()?;
        let Some(Host::Domain(host)) = url.host() else { return None };
        let plain = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        let port = url.port_or_known_default()?;
        if !plain || !self.services.iter().any(|service| service.is_at(host, port)) {
            return None;
        }
        Some((url.as_str().parse().ok()?, url.origin().ascii_serialization()))
    }

    /// Tells the browser of `target` that something is new.
    pub async fn tell(&self, target: &PushTarget, now: Timestamp) -> Answered {
        let answered = match (self.judge(target.endpoint.expose()), &self.contact) {
            (Some((url, audience)), Some(contact)) => {
                let fields = fields(&target.key, &audience, contact, target.cause, now);
                let tell = Tell {
                    class: &RecipientClass::OpenTransport(Transport::Push),
                    purpose: ConnectPurpose::Push,
                    url: &url,
                    fields,
                    patience: PATIENCE,
                };
                match self.web.tell(tell).await {
                    Ok(told) => judge(&told, now),
                    // A name that leads into the house is no push service, whatever the list calls it.
                    Err(WebError::Connect(OutboundError::NotPublic | OutboundError::NotRegistered)) => {
                        Answered::NotListed
                    }
                    Err(_) => Answered::Unreachable,
                }
            }
            _ => Answered::NotListed,
        };
        metrics::counter!("belofte_push_total", "outcome" => answered.label()).increment(1);
        answered
    }
}

/// The head of a message: who sends, how long it is of use, and that it takes the place of the one before.
fn fields(
    key: &PushKey,
    audience: &str,
    contact: &str,
    cause: Timestamp,
    now: Timestamp,
) -> Vec<(HeaderName, HeaderValue)> {
    let token = token(key, audience, contact, now + TOKEN_HOLDS);
    let vapid = format!("vapid t={token}, k={}", key.public_key());
    let mut vapid = HeaderValue::from_str(&vapid).expect("Base64 and points stand in any field");
    vapid.set_sensitive(true);
    vec![
        (AUTHORIZATION, vapid),
        (HeaderName::from_static("ttl"), HeaderValue::from(push_ttl(cause, now))),
        (HeaderName::from_static("topic"), HeaderValue::from_static(TOPIC)),
        (HeaderName::from_static("urgency"), HeaderValue::from_static(URGENCY)),
    ]
}

/// Says until `expires` who sends, to the push service at `audience` alone (RFC 8292, section 2).
fn token(key: &PushKey, audience: &str, contact: &str, expires: Timestamp) -> String {
    let claims = json!({ "aud": audience, "exp": expires.as_secs(), "sub": contact });
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let signed = format!("{}.{}", part(r#"{"typ":"JWT","alg":"ES256"}"#), part(&claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// What the answer of a push service means (RFC 8030, sections 5 and 7.3). Where it leads elsewhere nobody goes.
fn judge(told: &Told, now: Timestamp) -> Answered {
    match told.status {
        200..=299 => Answered::Told,
        404 | 410 => Answered::Gone,
        408 | 429 | 500..=599 => Answered::Busy(told.retry_after.as_deref().and_then(|at| wait(at, now))),
        _ => Answered::Refused,
    }
}

/// How long to wait: a number of seconds, or until a time of day (RFC 9110, section 10.2.3).
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(secs) = text.parse() {
        return Some(Duration::from_secs(secs));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_secs(i64::try_from(at.as_secs()).ok()?).since(now))
}

/// What to note of an answer to what happened at `cause`.
#[must_use]
pub fn outcome(answered: Answered, cause: Timestamp, now: Timestamp) -> PushOutcome {
    let again = |wait| {
        let next = next_push(cause, now, wait);
        next.map_or(PushOutcome::Failed(PushProblem::Unreachable), PushOutcome::Later)
    };
    match answered {
        Answered::Told => PushOutcome::Told,
        Answered::Gone => PushOutcome::Gone,
        Answered::Refused => PushOutcome::Failed(PushProblem::Refused),
        Answered::NotListed => PushOutcome::Failed(PushProblem::NotListed),
        Answered::Busy(wait) => again(wait),
        Answered::Unreachable => again(None),
    }
}

/// Tells the device of `job`, unless its user sits before the desk and sees it; a failure of the store puts the job
/// back.
pub async fn push(core: &Core, pushing: &Pushing, job: &ClaimedJob) {
    if let Err(error) = try_push(core, pushing, job).await {
        belofte_core::retry_later(core, job, &error).await;
    }
}

async fn try_push(core: &Core, pushing: &Pushing, job: &ClaimedJob) -> Result<(), StoreError> {
    let access = Access::job(job, core.clock().clone());
    let device = PushDeviceId(job.subject);
    let Some(target) = core.store.push_target(&access, device, Some(job)).await? else {
        return core.store.note_push(&access, device, PushOutcome::NotNeeded, Some(job)).await;
    };
    let now = core.clock().now();
    // After a long night nobody wants to hear of it.
    let late = push_ttl(target.cause, now) == 0;
    if late || core.presence.looks(&access, target.user).await? {
        return core.store.note_push(&access, device, PushOutcome::NotNeeded, Some(job)).await;
    }
    let answered = pushing.tell(&target, now).await;
    let outcome = outcome(answered, target.cause, core.clock().now());
    core.store.note_push(&access, device, outcome, Some(job)).await
}

#[cfg(test)]
mod tests;

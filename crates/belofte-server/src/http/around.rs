// SPDX-License-Identifier: EUPL-1.2
//! What happens around every request, in one place and in this order: an id, a span, the
//! handler with panics caught, problems put into words, security headers, one log line, figures.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use belofte_model::{Language, RequestId};
use belofte_store::Clock;
use belofte_vault::Random;
use futures_util::FutureExt as _;
use http::header::{self, HeaderName, HeaderValue};
use http::{Extensions, HeaderMap, Method};
use tracing::Instrument as _;

use super::context::Allowance;
use super::{ApiError, Code, Context, PROBLEM_MEDIA_TYPE, Peer, Proxies, cookie, shares, unread, words};

/// What [`around`] needs.
#[derive(Clone, Debug)]
pub struct Around {
    /// The clock.
    pub clock: Clock,
    /// Chance, for ids.
    pub random: Random,
    /// What requests may take.
    pub allowance: Allowance,
    /// Whose word is believed about where a request comes from.
    pub proxies: Proxies,
}

/// So many times the longest JSON body is read of what nobody wanted, so that who sends it hears why.
const THROWN_AWAY: usize = 8;
/// The header with the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header that only our own pages send: other sites cannot without asking first (CORS).
const OWN_PAGES: HeaderName = HeaderName::from_static("x-belofte");

/// The layer around all routes.
pub async fn around(State(around): State<Around>, mut request: Request, next: Next) -> Response {
    let at = around.clock.now();
    let id = RequestId::new(at, around.random.bytes());
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map(|peer| around.proxies.caller(peer.0, request.headers()));
    let language = language(request.headers());
    let context = Arc::new(Context::new(id, at, peer, language, around.allowance));
    let method = request.method().clone();
    let route = route(request.extensions());
    let span = tracing::info_span!("request", request = %id, method = %method, route = %route);
    request.extensions_mut().insert(Arc::clone(&context));
    let (request, unread) = unread::lend(request);

    let handled = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone());
    // What the panic said is not ours to repeat; the hook has logged where it happened.
    let response = handled.await.unwrap_or_else(|_| ApiError::from(Code::Internal).into_response());
    unread.throw_away(context.json_bytes.saturating_mul(THROWN_AWAY), context.body_time).await;
    let mut response = speak(response, &context);
    harden(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }

    if !context.standings().is_empty() {
        let names = ["ratelimit-policy", "ratelimit"].map(HeaderName::from_static);
        for (name, value) in names.into_iter().zip(shares::header_values(context.standings())) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
    }

    let took = around.clock.now().since(at);
    let status = response.status().as_u16();
    span.in_scope(|| match context.tenant() {
        Some(tenant) => {
            tracing::info!(%tenant, status, duration_ms = took.as_secs_f64() * 1_000.0, "answered");
        }
        None => tracing::info!(status, duration_ms = took.as_secs_f64() * 1_000.0, "answered"),
    });
    let labels = [("method", name_of(&method)), ("route", route), ("status", status.to_string())];
    metrics::counter!("belofte_http_requests_total", &labels).increment(1);
    metrics::histogram!("belofte_http_request_duration_seconds", &labels[..2]).record(took.as_secs_f64());
    response
}

/// The template of the route, never the path: paths hold ids, and mistyped ones hold anything.
fn route(extensions: &Extensions) -> String {
    extensions.get::<MatchedPath>().map_or("(desk)", MatchedPath::as_str).to_owned()
}

/// A method as a label: the known ones by name, all others as one, since anybody can invent them.
fn name_of(method: &Method) -> String {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if known.contains(method) { method.to_string() } else { "OTHER".to_owned() }
}

fn language(headers: &HeaderMap) -> Language {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::negotiate(asked.unwrap_or_default())
}

/// Puts a problem into words.
fn speak(mut response: Response, context: &Context) -> Response {
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let language = context.language();
    let problem = words::problem(&error, language, context.id.uuid());
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut spoken = (error.code.status(), body).into_response();
    // What the handler set (an `Allow`, a cleared cookie) stays.
    for (name, value) in response.headers() {
        if !matches!(*name, header::CONTENT_LENGTH | header::CONTENT_TYPE) {
            spoken.headers_mut().append(name, value.clone());
        }
    }
    let headers = spoken.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.code == Code::NotSignedIn {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    spoken
}

/// The content security policy that the desk asks for; `web/desk/README.md` says why, and a test
/// compares the two.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; \
    frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Sets the headers that keep browsers from doing more than they should. What a handler set
/// itself (a narrower policy for attachments) stays.
fn harden(headers: &mut HeaderMap) {
    let all = [
        (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        // Answers hold personal values; only the desk's own files say otherwise.
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in all {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The wall against requests that another site makes a browser send: a method that changes
/// something needs a header that only our own pages send, unless a program signs in by key.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn own_page(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let own = headers.get(OWN_PAGES).is_some_and(|value| value == "1");
    if method.is_safe() || own || cookie::bearer(headers).is_some() {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_the_one_that_the_desk_was_made_for() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/desk/README.md");
        let text = std::fs::read_to_string(path).expect("the desk's README is there");
        let block = text.split("```csp\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
        let asked: Vec<&str> = block.split(';').map(str::trim).collect();
        let sent: Vec<&str> = CONTENT_SECURITY_POLICY.split(';').map(str::trim).collect();
        assert_eq!(asked, sent);
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! Traces by OTLP over HTTP with JSON bodies (OpenTelemetry protocol, version 1.x).
//!
//! Written here in place of the OpenTelemetry crates, which bring forty more and send every
//! field that anyone records: here the allow-list of [`super::fields`] holds for traces as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use belofte_channels::outbound::{ConnectPurpose, RecipientClass};
use belofte_channels::web::{Post, Web, WebError};
use belofte_model::Timestamp;
use belofte_store::Clock;
use belofte_vault::Random;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::Seen;
use crate::config::WebAddress;

/// How many finished spans wait at most; more are dropped and counted.
const WAITING: usize = 4096;
/// How many spans go in one request.
const BATCH: usize = 512;
/// How long spans wait for others.
const PAUSE: Duration = Duration::from_secs(5);
/// The largest answer of a collector that is read, in octets.
const ANSWER: usize = 64 << 10;
/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A finished span.
#[derive(Debug)]
struct Finished {
    trace: [u8; 16],
    span: [u8; 8],
    parent: Option<[u8; 8]>,
    name: &'static str,
    begun: Timestamp,
    ended: Timestamp,
    fields: Vec<(&'static str, Value)>,
}

/// A span at work.
struct Open {
    trace: [u8; 16],
    span: [u8; 8],
    parent: Option<[u8; 8]>,
    begun: Timestamp,
    seen: Seen,
}

/// Hands finished spans to an [`Exporter`].
pub struct TraceLayer {
    clock: Clock,
    random: Random,
    sender: mpsc::Sender<Finished>,
    dropped: Arc<AtomicU64>,
}

/// Sends spans to a collector.
pub struct Exporter {
    endpoint: WebAddress,
    web: Web,
    receiver: mpsc::Receiver<Finished>,
    dropped: Arc<AtomicU64>,
}

/// A layer and the exporter that it hands spans to, which sends by `web`.
#[must_use]
pub fn channel(endpoint: WebAddress, web: Web, clock: Clock, random: Random) -> (TraceLayer, Exporter) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let dropped = Arc::new(AtomicU64::new(0));
    let layer = TraceLayer { clock, random, sender, dropped: Arc::clone(&dropped) };
    (layer, Exporter { endpoint, web, receiver, dropped })
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let parent = span
            .parent()
            .and_then(|parent| parent.extensions().get::<Open>().map(|open| (open.trace, open.span)));
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        span.extensions_mut().insert(Open {
            trace: parent.map_or_else(|| self.random.bytes(), |(trace, _)| trace),
            span: self.random.bytes(),
            parent: parent.map(|(_, span)| span),
            begun: self.clock.now(),
            seen,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.seen);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let finished = Finished {
            trace: open.trace,
            span: open.span,
            parent: open.parent,
            name: span.name(),
            begun: open.begun,
            ended: self.clock.now(),
            fields: open.seen.fields,
        };
        if self.sender.try_send(finished).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Why spans did not arrive.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("the collector was not reached")]
    Web(#[from] WebError),
    #[error("the collector's address is none")]
    Address,
    #[error("the collector answered with status {0}")]
    Refused(u16),
}

impl Exporter {
    /// Sends spans in batches until `stop`, then what is left. Spans that cannot be sent are
    /// dropped: watching must never hold up the work.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            let wait = async {
                if let Some(first) = self.receiver.recv().await {
                    batch.push(first);
                    let fill = async {
                        while batch.len() < BATCH
                            && let Some(next) = self.receiver.recv().await
                        {
                            batch.push(next);
                        }
                    };
                    let _ = timeout(PAUSE, fill).await;
                }
            };
            let stopping = tokio::select! {
                () = wait => false,
                () = stop.cancelled() => true,
            };
            while let Ok(next) = self.receiver.try_recv() {
                batch.push(next);
            }
            if !batch.is_empty() {
                let body = Bytes::from(body(&batch).to_string());
                let sent = self.send(body).await;
                // Told once per outage, not once per batch.
                match sent {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        failing = true;
                        tracing::warn!(error = &error as &dyn std::error::Error, "traces are not delivered");
                    }
                    Err(_) => {}
                }
            }
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                metrics::counter!("belofte_spans_dropped_total").increment(dropped);
            }
            if stopping || self.receiver.is_closed() {
                return;
            }
        }
    }
}

impl Exporter {
    async fn send(&self, body: Bytes) -> Result<(), ExportError> {
        let url = format!("{}/v1/traces", self.endpoint.as_str());
        let url = url.parse().map_err(|_| ExportError::Address)?;
        let post = Post {
            class: &RecipientClass::OperatorsOwn,
            purpose: ConnectPurpose::Traces,
            url: &url,
            content_type: "application/json",
            body,
            largest: ANSWER,
            patience: PATIENCE,
        };
        let (status, _) = self.web.post(post).await?;
        if (200..300).contains(&status) { Ok(()) } else { Err(ExportError::Refused(status)) }
    }
}

/// The body of an `ExportTraceServiceRequest` in OTLP's JSON: ids in hex, 64-bit numbers as texts.
fn body(batch: &[Finished]) -> Value {
    let spans: Vec<Value> = batch.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            { "key": "service.name", "value": { "stringValue": "belofte" } },
            { "key": "service.version", "value": { "stringValue": env!("CARGO_PKG_VERSION") } },
        ] },
        "scopeSpans": [{ "scope": { "name": "belofte" }, "spans": spans }],
    }] })
}

fn span(finished: &Finished) -> Value {
    let nanos = |at: Timestamp| (i128::from(at.as_micros()) * 1_000).to_string();
    let attributes: Vec<Value> = finished
        .fields
        .iter()
        .map(|(name, value)| json!({ "key": format!("belofte.{name}"), "value": attribute(value) }))
        .collect();
    json!({
        "traceId": hex::encode(finished.trace),
        "spanId": hex::encode(finished.span),
        "parentSpanId": finished.parent.map(hex::encode).unwrap_or_default(),
        "name": finished.name,
        // SPAN_KIND_SERVER for what others asked for, SPAN_KIND_INTERNAL for the rest.
        "kind": if finished.parent.is_none() { 2 } else { 1 },
        "startTimeUnixNano": nanos(finished.begun),
        "endTimeUnixNano": nanos(finished.ended),
        "attributes": attributes,
    })
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!({ "boolValue": flag }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        Value::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tracing_subscriber::layer::SubscriberExt as _;

    use belofte_channels::outbound::{Outbound, Register};

    use super::*;
    use crate::config::Setting as _;

    #[tokio::test]
    async fn spans_arrive_at_a_collector_without_personal_values() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let clock = Clock::Manual(Arc::new(AtomicI64::new(1_000_000)));
        let endpoint = WebAddress::from_text(&format!("http://{address}/otlp/")).expect("an address");
        let outbound = Outbound::new(Register::default(), Vec::new());
        let tls = belofte_channels::email::client_tls(Vec::new()).expect("no further roots");
        let (layer, exporter) = channel(endpoint, Web::new(outbound, tls), clock.clone(), Random::seeded(7));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let outer = tracing::info_span!("request", route = "/a/{id}", email = "canary@a.example");
            outer.in_scope(|| drop(tracing::info_span!("work", count = 3_u64).entered()));
            clock.advance(Duration::from_millis(5));
        });
        let stop = CancellationToken::new();
        stop.cancel();
        let collector = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut text = Vec::new();
            while !text.ends_with(b"}]}]}]}") {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).await.expect("reads");
                assert!(length > 0, "ended early: {}", String::from_utf8_lossy(&text));
                text.extend_from_slice(&buffer[..length]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.expect("answers");
            String::from_utf8(text).expect("text")
        };
        let (text, ()) = tokio::join!(collector, exporter.run(stop));
        assert!(text.starts_with("POST /otlp/v1/traces HTTP/1.1\r\n"), "{text}");
        assert!(!text.contains("canary"), "{text}");
        let body: Value =
            serde_json::from_str(&text[text.find("\r\n\r\n").expect("a body")..]).expect("JSON");
        let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        assert_eq!(spans[0]["name"], "work");
        assert_eq!(spans[0]["parentSpanId"], spans[1]["spanId"]);
        assert_eq!(spans[0]["traceId"], spans[1]["traceId"]);
        assert_eq!(spans[1]["endTimeUnixNano"], "1005000000");
        assert_eq!(spans[1]["attributes"][0]["value"]["stringValue"], "/a/{id}");
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! The fields that may be seen, in logs and in traces. Everything else is dropped, so that a
//! personal value cannot come out by carelessness: to show a new field, add its name here and
//! say to yourself why it can never hold one.

use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};

/// The names. Ids are random numbers, codes are of closed sets, routes are templates, and errors
/// are ours, which never hold personal values.
pub const ALLOWED: [&str; 40] = [
    "account",
    "attempt",
    "attempts",
    "bytes",
    "code",
    "conversation",
    "count",
    "delivery",
    "duration_ms",
    "engine",
    "error",
    "exit",
    "file",
    "intake",
    "job",
    "key",
    "kind",
    "lag",
    "level",
    "limit",
    "listen",
    "location",
    "message_id",
    "method",
    "operator",
    "outcome",
    "port",
    "protocol",
    "queue",
    "request",
    "route",
    "seq",
    "size_bytes",
    "state",
    "status",
    "step",
    "tenant",
    "trace",
    "user",
    "version",
];

/// What libraries may not say. Targets of our own crates begin with this.
pub const OURS: &str = "belofte";

/// Collects what may be seen of an event or span.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The sentence of an event.
    pub message: Option<String>,
    /// Fields in the order given.
    pub fields: Vec<(&'static str, Value)>,
}

impl Seen {
    fn add(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        let name = field.name();
        if name == "message" {
            let value = value();
            self.message = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        } else if let Some(known) = ALLOWED.iter().find(|allowed| **allowed == name) {
            self.fields.retain(|(other, _)| other != known);
            self.fields.push((known, value()));
        }
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, || Value::String(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, || Value::String(value.to_owned()));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, || value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, || value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, || value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, || value.into());
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        // A source is not repeated in its own Display, so the chain is told once, here.
        self.add(field, || {
            let mut text = value.to_string();
            let mut source = value.source();
            while let Some(inner) = source {
                text = format!("{text}: {inner}");
                source = inner.source();
            }
            Value::String(text)
        });
    }
}

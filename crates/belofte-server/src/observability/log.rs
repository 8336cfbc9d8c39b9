// SPDX-License-Identifier: EUPL-1.2
//! Log lines, one an event: JSON for programs, text for people.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use belofte_store::Clock;
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::{OURS, Seen};
use crate::api::time::Time;
use crate::config::LogFormat;

/// Where lines go. Closed; the memory variant is for tests.
#[derive(Debug)]
pub enum Sink {
    /// Standard error, as the journal and containers read it.
    Stderr,
    /// A buffer.
    Memory(Mutex<Vec<u8>>),
}

impl Sink {
    fn write(&self, line: &[u8]) {
        match self {
            // A log that cannot be written must not end the service.
            Self::Stderr => drop(std::io::stderr().lock().write_all(line)),
            Self::Memory(buffer) => {
                buffer.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
            }
        }
    }
}

/// Writes events as lines, with the fields of the spans around them.
#[derive(Debug)]
pub struct LogLayer {
    format: LogFormat,
    clock: Clock,
    sink: Arc<Sink>,
}

impl LogLayer {
    /// A layer that writes to `sink` in `format`, with times of `clock`.
    #[must_use]
    pub const fn new(format: LogFormat, clock: Clock, sink: Arc<Sink>) -> Self {
        Self { format, clock, sink }
    }

    fn line(&self, level: &str, target: &str, seen: Seen) -> String {
        let at = Time(self.clock.now()).to_rfc3339();
        let message = seen.message.unwrap_or_default();
        match self.format {
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("at".into(), at.into());
                line.insert("level".into(), level.to_lowercase().into());
                line.insert("target".into(), target.into());
                line.insert("message".into(), message.into());
                for (name, value) in seen.fields {
                    line.entry(name).or_insert(value);
                }
                Value::Object(line).to_string() + "\n"
            }
            LogFormat::Text => {
                let mut line = format!("{at} {level:>5} {target}: {}", one_line(&message));
                for (name, value) in seen.fields {
                    let shown = value.as_str().map_or_else(|| value.to_string(), one_line);
                    let _ = write!(line, " {name}={shown}");
                }
                line + "\n"
            }
        }
    }
}

/// A line stays one line, whatever stands in it.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(seen);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(seen) = span.extensions_mut().get_mut::<Seen>()
        {
            values.record(seen);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut seen = Seen::default();
        if metadata.target().starts_with(OURS) {
            event.record(&mut seen);
        } else {
            seen.message = Some("(what a library said is withheld)".to_owned());
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Seen>() {
                for (name, value) in &outer.fields {
                    if !seen.fields.iter().any(|(known, _)| known == name) {
                        seen.fields.push((name, value.clone()));
                    }
                }
            }
        }
        self.sink.write(self.line(metadata.level().as_str(), metadata.target(), seen).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use belofte_model::Timestamp;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn logged(format: LogFormat, act: impl FnOnce()) -> String {
        let sink = Arc::new(Sink::Memory(Mutex::default()));
        let clock = Clock::manual(Timestamp::from_secs(1_000_000_000));
        let layer = LogLayer::new(format, clock, Arc::clone(&sink));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let Sink::Memory(buffer) = &*sink else { unreachable!("made above") };
        String::from_utf8(buffer.lock().expect("not poisoned").clone()).expect("text")
    }

    #[test]
    fn only_listed_fields_come_through_and_spans_lend_theirs() {
        let text = logged(LogFormat::Json, || {
            let span = tracing::info_span!("request", request = "r1", email = "canary@a.example");
            span.in_scope(|| {
                tracing::info!(route = "/x/{id}", name = "Canary", status = 200_u64, "answered")
            });
        });
        let line: Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!(line["message"], "answered");
        assert_eq!(line["request"], "r1");
        assert_eq!(line["status"], 200);
        assert_eq!(line["at"], "2001-09-09T01:46:40.000Z");
        assert!(!text.to_lowercase().contains("canary"), "{text}");
    }

    #[test]
    fn libraries_are_heard_but_not_quoted() {
        let text = logged(LogFormat::Text, || {
            tracing::warn!(target: "some_library", status = 1_u64, "bad header: canary");
        });
        assert!(text.contains("WARN some_library: (what a library said is withheld)"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn a_line_stays_one_line() {
        let text = logged(LogFormat::Text, || tracing::info!(error = "a\nINFO forged", "b\r\nc"));
        assert_eq!(text.matches('\n').count(), 1, "{text}");
    }
}

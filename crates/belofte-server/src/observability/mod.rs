// SPDX-License-Identifier: EUPL-1.2
//! What can be seen of the server at work: log lines, figures and traces.
//!
//! Nothing of it holds a personal value. That is not left to those who log: only fields whose
//! names stand in [`fields`] come through, and of libraries only where and how bad, not what
//! they said (a library's message may quote what it was given).

pub mod fields;
mod filter;
mod house;
mod log;
mod metrics;
mod otlp;

use std::sync::Arc;

use belofte_channels::outbound::Outbound;
use belofte_channels::web::Web;
use belofte_store::Clock;
use belofte_vault::Random;
use rustls::ClientConfig;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

pub use filter::{Filter, FilterError};
pub use house::House;
pub use log::{LogLayer, Sink};
pub use metrics::{Figures, FiguresError};
pub use otlp::{Exporter, TraceLayer, channel as trace_channel};

use crate::config;

/// Why nothing could be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The filter of the configuration.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Somebody set a subscriber before.
    #[error("logging was set up twice")]
    Twice(#[from] TryInitError),
}

/// Sets logging and tracing up for the whole process. Returns the exporter of traces, whose
/// [`run`](Exporter::run) belongs into the task tracker, when an address for them is configured.
///
/// # Errors
/// [`ObserveError`].
pub fn start(
    settings: &config::Observability,
    outbound: &Outbound,
    tls: &Arc<ClientConfig>,
    clock: &Clock,
    random: &Random,
) -> Result<Option<Exporter>, ObserveError> {
    let filter = Filter::parse(&settings.log)?;
    let log =
        LogLayer::new(settings.format, clock.clone(), Arc::new(Sink::Stderr)).with_filter(filter.targets());
    let (traces, exporter) = match &settings.otlp_endpoint {
        Some(endpoint) => {
            let web = Web::new(outbound.clone(), Arc::clone(tls));
            let (layer, exporter) = trace_channel(endpoint.clone(), web, clock.clone(), random.clone());
            (Some(layer.with_filter(Filter::of_traces().targets())), Some(exporter))
        }
        None => (None, None),
    };
    tracing_subscriber::registry().with(log).with(traces).try_init()?;
    Ok(exporter)
}

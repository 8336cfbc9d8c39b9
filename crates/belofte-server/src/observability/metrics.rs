// SPDX-License-Identifier: EUPL-1.2
//! Figures for Prometheus, on a listener of their own that is not the one of the desk.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The borders of the buckets of durations, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 10.0];

/// Collects figures of the whole process.
#[derive(Clone)]
pub struct Figures {
    handle: PrometheusHandle,
}

/// Why figures cannot be collected or shown.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The recorder was set twice, or its buckets are wrong.
    #[error("figures cannot be collected")]
    Recorder(#[from] BuildError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address} for figures")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Figures {
    /// Begins to collect. Once per process.
    ///
    /// # Errors
    /// [`FiguresError::Recorder`].
    pub fn install() -> Result<Self, FiguresError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .install_recorder()?;
        Ok(Self { handle })
    }

    /// All figures in Prometheus' text format, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// Shows `figures` at `/metrics` on `address` until `stop`.
///
/// # Errors
/// [`FiguresError::Listen`].
pub async fn serve(
    figures: Figures,
    address: SocketAddr,
    stop: CancellationToken,
) -> Result<(), FiguresError> {
    let failed = |source| FiguresError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let router = Router::new().route(
        "/metrics",
        get(move || async move {
            ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], figures.render())
        }),
    );
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await.map_err(failed)
}

// SPDX-License-Identifier: EUPL-1.2
//! Figures for Prometheus, on a listener of their own that is not the one of the desk.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::house::House;

/// The borders of the buckets of durations, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 10.0];

/// Collects figures of the whole process and shows them.
pub struct Figures {
    handle: PrometheusHandle,
    listener: TcpListener,
    address: SocketAddr,
}

/// Why figures cannot be collected or shown.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The recorder was set twice, or its buckets are wrong.
    #[error("figures cannot be collected")]
    Recorder(#[from] BuildError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address} for figures (observability.metrics_listen)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Figures {
    /// Takes `address` and begins to collect. Once per process.
    ///
    /// # Errors
    /// [`FiguresError`].
    pub async fn listen(address: SocketAddr) -> Result<Self, FiguresError> {
        let failed = |source| FiguresError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .install_recorder()?;
        Ok(Self { handle, listener, address })
    }

    /// The address that is listened on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows the figures at `/metrics` in Prometheus' text format, version 0.0.4, until `stop`; those of
    /// `house` as they are when they are asked for.
    pub async fn serve(self, house: Arc<House>, stop: CancellationToken) {
        let Self { handle, listener, .. } = self;
        let show = get(move || async move {
            house.look().await;
            handle.run_upkeep();
            ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
        });
        let router = Router::new().route("/metrics", show);
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(error = &error as &dyn std::error::Error, "figures are not shown any more");
        }
    }
}

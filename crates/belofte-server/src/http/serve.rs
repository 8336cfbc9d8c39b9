// SPDX-License-Identifier: EUPL-1.2
//! The HTTPS listener: bounded in connections and in time, and drained at the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::activity::{Activity, Watched};
use super::doors::{Doors, Held};
use super::stall::Stalled;
use super::{Peer, Proxies};

/// What connections may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How many at once; more wait in the system's queue.
    pub connections: usize,
    /// How many of one address at once; more are closed at once.
    pub of_one_address: usize,
    /// Proxies of one's own, whose connections are many people's: as many as there are places.
    pub proxies: Proxies,
    /// Within how long the TLS handshake must be finished.
    pub handshake: Duration,
    /// Within how long the head of a request must arrive; also how long HTTP/1 stays open idle.
    pub head: Duration,
    /// After how long without a request, or without an answer that moves on, HTTP/2 is ended.
    pub idle: Duration,
}

/// The largest head of a request, in bytes.
const HEAD_BYTES: usize = 32 * 1024;
/// How many requests one HTTP/2 connection may run at once.
const STREAMS: u32 = 100;
/// How long the other end may take nothing of what is sent.
const STALL: Duration = Duration::from_secs(60);
/// How long answers that nobody takes may still hold an idle connection.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves `router` over TLS on `listener` until `stop`; connections are tasks of `tracker`, which
/// finish the requests that run. The protocols of `tls` must be `h2` and `http/1.1`.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    bounds: Bounds,
    tracker: TaskTracker,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(bounds.connections));
    let doors = Doors::new(bounds.of_one_address, bounds.proxies.clone());
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stop.cancelled() => return,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            // Out of file descriptors, mostly: waiting lets running connections end.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = doors.enter(peer.ip(), place) else {
            metrics::counter!("belofte_http_refused_connections_total").increment(1);
            continue;
        };
        let (acceptor, router, stop) = (acceptor.clone(), router.clone(), stop.clone());
        let bounds = bounds.clone();
        tracker.spawn(async move {
            // An error here is the other end's: it spoke no TLS, was too slow or went away.
            let held = Held(Arc::new(place));
            let _ = connection(stream, Peer(peer), held, acceptor, router, bounds, stop).await;
        });
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    held: Held,
    acceptor: TlsAcceptor,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = timeout(bounds.handshake, acceptor.accept(stream)).await??;
    let stream = TokioIo::new(Stalled::new(stream, STALL));

    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(20));
    let activity = Arc::new(Activity::default());
    let watched = Arc::clone(&activity);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(held.clone());
        let (running, activity) = (watched.begin(), Arc::clone(&watched));
        let answering = router.clone().oneshot(request.map(axum::body::Body::new) as Request);
        async move {
            let response = answering.await;
            drop(running);
            response.map(|response| response.map(|body| Watched::new(body, activity)))
        }
    });
    let serving = builder.serve_connection_with_upgrades(stream, service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
        () = activity.idle(bounds.idle) => {
            serving.as_mut().graceful_shutdown();
            timeout(FAREWELL, serving).await?
        }
    };
    ended.map_err(io::Error::other)
}

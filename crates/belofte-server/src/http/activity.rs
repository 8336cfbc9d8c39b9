// SPDX-License-Identifier: EUPL-1.2
//! Whether a connection is of use: a request runs, or an answer moves on. HTTP/2 has no end for
//! connections that only answer pings, so they would keep their place for ever.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::timeout;

/// What happens on one connection.
#[derive(Debug, Default)]
pub struct Activity {
    running: AtomicUsize,
    news: Notify,
}

/// A request that runs; it has ended when this is dropped.
#[derive(Debug)]
pub struct Running(Arc<Activity>);

impl Activity {
    /// A request begins.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    /// Returns when no request has run and no answer has moved for `patience`.
    pub async fn idle(&self, patience: Duration) {
        loop {
            let quiet = timeout(patience, self.news.notified()).await.is_err();
            if quiet && self.running.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        self.0.news.notify_one();
    }
}

/// The body of an answer, of which each piece that the other end takes counts.
#[derive(Debug)]
pub struct Watched {
    inner: Body,
    activity: Arc<Activity>,
}

impl Watched {
    /// `inner`, on the connection of `activity`.
    #[must_use]
    pub const fn new(inner: Body, activity: Arc<Activity>) -> Self {
        Self { inner, activity }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        if polled.is_ready() {
            this.activity.news.notify_one();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

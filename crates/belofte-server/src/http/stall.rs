// SPDX-License-Identifier: EUPL-1.2
//! Ends connections whose other end no longer takes what is sent: it would hold its place for
//! ever otherwise.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream on which a write that makes no progress for a while is an error.
pub struct Stalled<T> {
    inner: T,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl<T> Stalled<T> {
    /// `inner`, of which each write must progress within `patience`.
    pub fn new(inner: T, patience: Duration) -> Self {
        Self { inner, patience, timer: Box::pin(sleep(patience)), waiting: false }
    }

    fn judge<O>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<O>>) -> Poll<io::Result<O>> {
        if polled.is_ready() {
            self.waiting = false;
            return polled;
        }
        if !self.waiting {
            self.waiting = true;
            #[expect(clippy::disallowed_methods, reason = "a timeout on a socket")]
            self.timer.as_mut().reset(Instant::from_std(std::time::Instant::now()) + self.patience);
        }
        match self.timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stalled<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stalled<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.judge(context, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(context);
        this.judge(context, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_shutdown(context);
        this.judge(context, polled)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_write_that_nobody_takes_ends_in_time() {
        let (near, _far) = tokio::io::duplex(16);
        let mut stream = Stalled::new(near, Duration::from_millis(20));
        let written = tokio::time::timeout(Duration::from_secs(10), stream.write_all(&[0; 64])).await;
        let error = written.expect("in time").expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

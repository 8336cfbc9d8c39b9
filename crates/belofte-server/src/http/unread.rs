// SPDX-License-Identifier: EUPL-1.2
//! Bodies of requests that were answered before they were read: a refused id, a missing header, one
//! byte too many.
//!
//! A line that closes while its other end still sends is reset, and the answer may be lost with it
//! (RFC 9112, section 9.6). So the rest is read and thrown away first, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::header::EXPECT;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A body that comes back when it is dropped before its end.
struct Lent {
    body: Option<Body>,
    /// Whether it is sent only when somebody asks for it, and nobody has (RFC 9110, section 10.1.1).
    held_back: bool,
    back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.held_back = false;
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
            && !self.held_back
        {
            // Nobody waits for it when the request was given up.
            let _ = back.send(body);
        }
    }
}

/// What is left of a body once its request is answered.
pub struct Unread(oneshot::Receiver<Body>);

/// The request for a handler, and what is left of its body afterwards.
pub fn lend(request: Request) -> (Request, Unread) {
    let (back, left) = oneshot::channel();
    let (parts, body) = request.into_parts();
    let held_back = parts.headers.contains_key(EXPECT);
    let lent = Lent { body: Some(body), held_back, back: Some(back) };
    (Request::from_parts(parts, Body::new(lent)), Unread(left))
}

impl Unread {
    /// Throws away what is left: at most `bytes` of it, for at most `time`. A body that a handler keeps beyond its
    /// answer is not waited for.
    pub async fn throw_away(mut self, bytes: usize, time: Duration) {
        let Ok(mut body) = self.0.try_recv() else { return };
        let reading = async {
            let mut left = bytes;
            while let Some(Ok(frame)) = body.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                let Some(less) = left.checked_sub(length.max(1)) else { return };
                left = less;
            }
        };
        // What comes too slowly is given up, as it would be by a handler.
        let _ = timeout(time, reading).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;

    use super::*;

    /// A body of `pieces` of ten bytes, and how many were taken.
    fn counted(pieces: usize) -> (Body, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let pieces = (0..pieces).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(b"0123456789"))
        });
        (Body::from_stream(stream::iter(pieces)), taken)
    }

    #[tokio::test]
    async fn what_nobody_read_is_read_to_its_end() {
        let (body, taken) = counted(50);
        let (mut lent, unread) = lend(Request::new(body));
        lent.body_mut().frame().await.expect("a frame").expect("sound");
        drop(lent);
        unread.throw_away(1_000, Duration::from_secs(10)).await;
        assert_eq!(taken.load(Ordering::Relaxed), 50);
    }

    #[tokio::test]
    async fn only_so_much_is_thrown_away() {
        let (body, taken) = counted(50);
        let (lent, unread) = lend(Request::new(body));
        drop(lent);
        unread.throw_away(100, Duration::from_secs(10)).await;
        assert_eq!(taken.load(Ordering::Relaxed), 11);
    }

    #[tokio::test]
    async fn nobody_is_asked_for_what_they_hold_back() {
        let (body, taken) = counted(50);
        let mut request = Request::new(body);
        request.headers_mut().insert(EXPECT, http::HeaderValue::from_static("100-continue"));
        let (lent, unread) = lend(request);
        drop(lent);
        unread.throw_away(1_000, Duration::from_secs(10)).await;
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_never_comes_is_given_up() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let (lent, unread) = lend(Request::new(endless));
        drop(lent);
        unread.throw_away(100, Duration::from_millis(20)).await;
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! The WebSocket of live events (RFC 6455): facts go out by number, and what holds at this moment; pings and
//! where the user is come in.
//!
//! What this module does *not* know: where facts come from. Whoever upgrades the request gives
//! it a channel of them; a slow browser fills the channel, and the giver ends it.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{ApiError, Code};
use crate::api::live::{HereFrame, LiveFrame, WhisperFrame};
use crate::config::WebAddress;

/// The longest message that a browser has to send.
pub const MESSAGE_BYTES: usize = 256;
/// A browser pings every 25 seconds; one that missed two is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a browser may take to accept a frame.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the giver of facts says.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Something happened.
    Frame(LiveFrame),
    /// Something holds at this moment.
    Whisper(WhisperFrame),
    /// The session was ended or the user blocked: nothing more for them.
    SessionEnded,
}

/// Why the stream ended, as the browser reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The server stops or the browser was too slow: connect again and resume.
    Resume,
    /// The session has ended: sign in.
    SessionEnded,
    /// The browser said what it should not.
    Protocol,
    /// The browser went away.
    Gone,
}

impl Close {
    /// The code of the close frame (RFC 6455, section 7.4; 4000 and above are for applications).
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Resume => 1012,
            Self::SessionEnded => 4401,
            Self::Protocol => 1008,
            Self::Gone => 1000,
        }
    }
}

/// What a browser may say.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Ping(#[expect(dead_code, reason = "that it comes is all that it says")] u8),
    Here(HereFrame),
}

/// Whether the request to upgrade comes from our own page: browsers let every site open a
/// WebSocket to any other, and say only where the request came from. Programs name no origin.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn own_origin(headers: &HeaderMap, public_url: &WebAddress) -> Result<(), ApiError> {
    match headers.get(header::ORIGIN) {
        None => Ok(()),
        Some(origin) if origin == public_url.as_str() => Ok(()),
        Some(_) => Err(Code::Forbidden.into()),
    }
}

/// Sends `hello` and then `facts` until they end, `stop` or the browser goes; gives to `said` what the browser
/// says of its user, and ends when nobody takes it in time. Returns why it ended.
pub async fn stream(
    mut socket: WebSocket,
    hello: LiveFrame,
    mut facts: mpsc::Receiver<Fact>,
    said: mpsc::Sender<HereFrame>,
    stop: CancellationToken,
) -> Close {
    let close = talk(&mut socket, hello, &mut facts, &said, &stop).await;
    if close != Close::Gone {
        let frame = CloseFrame { code: close.code(), reason: Utf8Bytes::from_static("") };
        // The browser may be gone already; there is nobody to tell then.
        let _ = timeout(PATIENCE, socket.send(Message::Close(Some(frame)))).await;
    }
    close
}

async fn talk(
    socket: &mut WebSocket,
    hello: LiveFrame,
    facts: &mut mpsc::Receiver<Fact>,
    said: &mpsc::Sender<HereFrame>,
    stop: &CancellationToken,
) -> Close {
    if !send(socket, &hello).await {
        return Close::Gone;
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return Close::Resume,
            fact = facts.recv() => match fact {
                Some(Fact::Frame(frame)) if send(socket, &frame).await => {}
                Some(Fact::Whisper(whisper)) if send(socket, &whisper).await => {}
                Some(Fact::Frame(_) | Fact::Whisper(_)) => return Close::Gone,
                Some(Fact::SessionEnded) => return Close::SessionEnded,
                None => return Close::Resume,
            },
            heard = timeout(SILENCE, socket.recv()) => match heard {
                Ok(Some(Ok(Message::Text(text)))) => match serde_json::from_str::<Said>(&text) {
                    Ok(Said::Ping(_)) => {
                        let pong = Message::Text(Utf8Bytes::from_static("{\"pong\":1}"));
                        if !matches!(timeout(PATIENCE, socket.send(pong)).await, Ok(Ok(()))) {
                            return Close::Gone;
                        }
                    }
                    // Who says more than is listened to is no browser of ours.
                    Ok(Said::Here(here)) if said.try_send(here).is_ok() => {}
                    Ok(Said::Here(_)) | Err(_) => return Close::Protocol,
                },
                // Pings of the protocol are answered by the library.
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(Message::Binary(_)))) => return Close::Protocol,
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return Close::Gone,
            },
        }
    }
}

async fn send<T: Serialize>(socket: &mut WebSocket, frame: &T) -> bool {
    let Ok(text) = serde_json::to_string(frame) else { return false };
    matches!(timeout(PATIENCE, socket.send(Message::Text(text.into()))).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::WebSocketUpgrade;
    use belofte_model::{ConversationId, Timestamp};
    use futures_util::{SinkExt as _, StreamExt as _};
    use serde_json::Value;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message as Said;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::api::live::LiveKind;
    use crate::config::Setting as _;
    use belofte_model::PresenceState;

    fn frame(seq: i64, kind: LiveKind) -> LiveFrame {
        let at = Timestamp::from_secs(1_000_000_000).into();
        let conversation_id = (kind != LiveKind::Hello).then(|| ConversationId(uuid::Uuid::nil()));
        LiveFrame {
            seq,
            kind,
            conversation_id,
            message_id: None,
            channel_account_id: None,
            user_id: None,
            at,
        }
    }

    struct Open {
        socket: WebSocketStream<TcpStream>,
        facts: mpsc::Sender<Fact>,
        stop: CancellationToken,
        said: mpsc::Receiver<HereFrame>,
    }

    async fn open() -> Open {
        let (facts, receiver) = mpsc::channel(4);
        let (sayer, said) = mpsc::channel(2);
        let stop = CancellationToken::new();
        let once = Arc::new(Mutex::new(Some(receiver)));
        let inner = stop.clone();
        let router = Router::new().route(
            "/live",
            axum::routing::get(move |upgrade: WebSocketUpgrade| async move {
                let receiver = once.lock().expect("not poisoned").take().expect("one connection");
                upgrade.max_message_size(MESSAGE_BYTES).on_upgrade(move |socket| async move {
                    stream(socket, frame(7, LiveKind::Hello), receiver, sayer, inner).await;
                })
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
        let stream = TcpStream::connect(address).await.expect("connects");
        let (socket, _) =
            tokio_tungstenite::client_async(format!("ws://{address}/live"), stream).await.expect("upgrades");
        Open { socket, facts, stop, said }
    }

    async fn next(open: &mut Open) -> Result<Value, u16> {
        match open.socket.next().await.expect("a message").expect("readable") {
            Said::Text(text) => Ok(serde_json::from_str(&text).expect("JSON")),
            Said::Close(Some(frame)) => Err(frame.code.into()),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn facts_go_out_in_order_after_hello_and_pings_are_answered() {
        let mut open = open().await;
        assert_eq!(next(&mut open).await.expect("hello")["kind"], "hello");
        open.facts.send(Fact::Frame(frame(8, LiveKind::MessageCreated))).await.expect("taken");
        let fact = next(&mut open).await.expect("a fact");
        assert_eq!((fact["seq"].as_i64(), fact["kind"].as_str()), (Some(8), Some("message_created")));
        assert!(fact.get("message_id").is_none() && fact["at"] == "2001-09-09T01:46:40.000Z");
        open.socket.send(Said::text("{\"ping\":1}")).await.expect("sends");
        assert_eq!(next(&mut open).await.expect("a pong")["pong"], 1);
    }

    #[tokio::test]
    async fn every_end_says_what_to_do_next() {
        let mut stopped = open().await;
        stopped.stop.cancel();
        assert!(next(&mut stopped).await.is_ok());
        assert_eq!(next(&mut stopped).await, Err(Close::Resume.code()));

        let mut revoked = open().await;
        revoked.facts.send(Fact::SessionEnded).await.expect("taken");
        assert!(next(&mut revoked).await.is_ok());
        assert_eq!(next(&mut revoked).await, Err(Close::SessionEnded.code()));

        let mut odd = open().await;
        odd.socket.send(Said::text("{\"subscribe\":\"all\"}")).await.expect("sends");
        assert!(next(&mut odd).await.is_ok());
        assert_eq!(next(&mut odd).await, Err(Close::Protocol.code()));
    }

    #[tokio::test]
    async fn where_the_user_is_comes_in_and_who_says_too_much_is_cut_off() {
        let mut open = open().await;
        assert!(next(&mut open).await.is_ok());
        let here = "{\"here\":{\"conversation_id\":null,\"state\":\"away\"}}";
        open.socket.send(Said::text(here)).await.expect("sends");
        let said = open.said.recv().await.expect("heard");
        assert_eq!((said.conversation_id, said.state, said.take), (None, PresenceState::Away, false));
        for _ in 0..3 {
            open.socket.send(Said::text(here)).await.expect("sends");
        }
        assert_eq!(next(&mut open).await, Err(Close::Protocol.code()));
    }

    #[test]
    fn another_site_cannot_open_the_stream() {
        let public = WebAddress::from_text("https://desk.example").expect("an address");
        let from = |origin| HeaderMap::from_iter([(header::ORIGIN, http::HeaderValue::from_static(origin))]);
        assert!(own_origin(&from("https://desk.example"), &public).is_ok());
        assert!(own_origin(&HeaderMap::new(), &public).is_ok());
        for other in
            ["https://evil.example", "http://desk.example", "https://desk.example.evil.example", "null"]
        {
            assert!(own_origin(&from(other), &public).is_err(), "{other}");
        }
    }
}

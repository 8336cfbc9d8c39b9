// SPDX-License-Identifier: EUPL-1.2
//! GET /live: the stream of facts, by WebSocket.

use std::time::Duration;

use ::http::HeaderMap;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use belofte_channels::rate::{Buckets, Rate};
use belofte_core::{Here, Listener, Notice, Seat, Whisper};
use belofte_model::{EventKind, Permission, Timestamp};
use belofte_store::Access;
use belofte_vault::Pii;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{
    Connect, DraftStanding, HereFrame, LiveFrame, LiveKind, PresentPerson, WhisperFrame, WhisperKind,
};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::live::{Fact, MESSAGE_BYTES, own_origin, stream};
use crate::http::{self, ApiError, Code, Cookie, FieldCode, Held, Query, bearer};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "connect_live",
    "/live",
    Tag::Live,
    "Opens the stream of facts by WebSocket (RFC 6455); resumes after `since`",
)
.may(Permission::ReadConversations)
.query::<Connect>()
.answers(&[Answer {
    status: 101,
    meaning: "The stream; each text frame is a LiveFrame, or a WhisperFrame, which has no number",
    content: Content::Nothing,
}])
.problems(&[Code::Malformed]);

/// So often a session is looked at again.
const LOOK: Duration = Duration::from_secs(30);
/// A browser that is so many facts behind starts again.
const BEHIND: usize = 512;
/// So often a browser may say where its user is: quick changes of a person, and then two in a second.
const SAID: Rate = Rate { burst: 40, every: Duration::from_millis(500) };
/// What it said and was not looked at yet.
const UNHEARD: usize = 16;

/// By what the listener is let in; it is looked at again while the stream lasts.
enum Pass {
    Session(Pii<String>),
    Key(Pii<String>),
}

impl Pass {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let own = |token: &str| Pii::new(token.to_owned());
        match bearer(headers) {
            Some(key) => Some(Self::Key(own(key))),
            None => Cookie::User.read(headers).map(|token| Self::Session(own(token))),
        }
    }

    /// Whether it still holds. A database that does not answer ends nothing: the next look will
    /// tell.
    async fn holds(&self, app: &App) -> bool {
        let system = app.core.store.system();
        let found = match self {
            Self::Session(token) => system.session_holds(token.expose()).await,
            Self::Key(key) => system.api_key_by_token(key.expose()).await.map(|who| who.is_some()),
        };
        found.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "a session could not be looked at");
            true
        })
    }
}

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Forbidden`] from another site's page, [`Code::Malformed`] when it is no upgrade, and
/// those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Query(asked): Query<Connect>,
    headers: HeaderMap,
    held: Option<Extension<Held>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> http::Answer<Response> {
    own_origin(&headers, &app.public_url)?;
    let upgrade = upgrade.map_err(|_| Code::Malformed)?;
    if asked.since.is_some_and(|since| since < 0) {
        return Err(ApiError::field("since", FieldCode::OutOfRange));
    }
    let pass = Pass::of(&headers).ok_or(Code::NotSignedIn)?;
    let listener = app.core.live.listen(&signed.access, asked.since).await?;
    let clock = signed.access.clock().clone();
    let hello = frame(listener.seq(), LiveKind::Hello, clock.now());
    let stop = app.stop.clone();
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES).max_frame_size(MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // The stream is still a connection: it counts until it ends.
        let _held = held;
        let (facts, receiver) = mpsc::channel(BEHIND);
        let (sayer, said) = mpsc::channel(UNHEARD);
        let seat = app.core.presence.sit_down(&signed.access);
        let place = Place { access: &signed.access, seat, said };
        let given = Box::pin(give(&app, listener, &pass, place, facts, move || clock.now()));
        tokio::join!(given, stream(socket, hello, receiver, sayer, stop));
    }))
}

/// Gives what the listener hears, until nobody takes it, the session ends or the browser is too
/// far behind.
async fn give(
    app: &App,
    mut listener: Listener,
    pass: &Pass,
    mut place: Place<'_>,
    facts: mpsc::Sender<Fact>,
    now: impl Fn() -> Timestamp,
) {
    let mut shares = Buckets::new(SAID, 1);
    #[expect(
        clippy::disallowed_methods,
        reason = "the beat of a socket; what it finds is judged by the clock"
    )]
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let notice = tokio::select! {
            notice = listener.next() => notice,
            _ = looks.tick() => {
                if !pass.holds(app).await {
                    // Nobody listening any more is no error.
                    let _ = facts.send(Fact::SessionEnded).await;
                    return;
                }
                continue;
            }
            whisper = heard(&mut place.seat) => {
                let Some(whisper) = whisper else { return };
                if facts.try_send(Fact::Whisper(whisper_frame(whisper))).is_err() {
                    return;
                }
                continue;
            }
            Some(here) = place.said.recv() => {
                let at = Duration::from_micros(now().as_micros().unsigned_abs());
                // Whoever says too much is not heard for a while; the browser says again where it is.
                if shares.take((), at) {
                    place.say(app, here, now()).await;
                }
                continue;
            }
            () = facts.closed() => return,
        };
        let Some(notice) = notice else { return };
        let user_changed = matches!(&notice, Notice::Event(event) if event.kind == EventKind::UserChanged);
        if facts.try_send(Fact::Frame(frame_of(notice, &now))).is_err() {
            // Gone, or too far behind: it connects again and resumes.
            return;
        }
        if user_changed && !pass.holds(app).await {
            let _ = facts.send(Fact::SessionEnded).await;
            return;
        }
    }
}

/// Where the user of a stream is.
struct Place<'a> {
    access: &'a Access,
    /// A program has none.
    seat: Option<Seat>,
    said: mpsc::Receiver<HereFrame>,
}

impl Place<'_> {
    async fn say(&self, app: &App, here: HereFrame, now: Timestamp) {
        let Some(seat) = &self.seat else { return };
        let at = match here.conversation_id {
            None => None,
            // Who is in a case that they cannot see is nowhere.
            Some(id) => match app.core.store.place_of_case(self.access, id).await {
                Ok(place) => place.map(|place| (id, place)),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a case could not be looked at");
                    return;
                }
            },
        };
        seat.say(Here { at, state: here.state, take: here.take }, now);
    }
}

/// What a seat hears; nothing, for ever, where there is none.
async fn heard(seat: &mut Option<Seat>) -> Option<Whisper> {
    match seat {
        Some(seat) => seat.next().await,
        None => std::future::pending().await,
    }
}

fn whisper_frame(whisper: Whisper) -> WhisperFrame {
    match whisper {
        Whisper::Present { conversation, people, writer, place: _ } => WhisperFrame {
            kind: WhisperKind::Presence,
            conversation_id: Some(conversation),
            people: Some(
                people.into_iter().map(|(user_id, state)| PresentPerson { user_id, state }).collect(),
            ),
            writer_id: writer,
            draft: None,
        },
        Whisper::Draft { conversation, kind, version, user: _ } => WhisperFrame {
            kind: WhisperKind::Draft,
            conversation_id: conversation,
            people: None,
            writer_id: None,
            draft: Some(DraftStanding { kind, version }),
        },
    }
}

fn frame(seq: i64, kind: LiveKind, at: Timestamp) -> LiveFrame {
    LiveFrame {
        seq,
        kind,
        conversation_id: None,
        message_id: None,
        channel_account_id: None,
        user_id: None,
        at: at.into(),
    }
}

fn frame_of(notice: Notice, now: impl Fn() -> Timestamp) -> LiveFrame {
    match notice {
        Notice::Event(event) => LiveFrame {
            seq: event.seq,
            kind: event.kind.into(),
            conversation_id: event.conversation,
            message_id: event.message,
            channel_account_id: event.account,
            user_id: event.user,
            at: event.at.into(),
        },
        // About what is hidden only the number is told: the browser counts on and looks at its
        // lists, which show nothing new.
        Notice::Hidden(seq) => frame(seq, LiveKind::ConversationChanged, now()),
        Notice::Resync(seq) => frame(seq, LiveKind::Resync, now()),
    }
}

#[cfg(test)]
mod tests {
    use belofte_model::{ConversationId, MessageId, QueueId};
    use belofte_store::Event;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_hidden_tells_its_number_only() {
        let at = Timestamp::from_secs(1_000_000_000);
        let shown = |notice| serde_json::to_value(frame_of(notice, || at)).expect("JSON");
        let event = Event {
            seq: 7,
            conversation: Some(ConversationId(Uuid::from_u128(1))),
            message: Some(MessageId(Uuid::from_u128(2))),
            queue: Some(QueueId(Uuid::from_u128(3))),
            ..Event::new(EventKind::MessageCreated, at)
        };
        let told = shown(Notice::Event(event));
        assert_eq!((&told["seq"], &told["kind"]), (&7.into(), &"message_created".into()));
        assert_eq!(told["message_id"], Uuid::from_u128(2).to_string());
        let hidden = shown(Notice::Hidden(8));
        let names: Vec<&String> = hidden.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["at", "kind", "seq"]);
        assert_eq!(shown(Notice::Resync(9))["kind"], "resync");
    }
}

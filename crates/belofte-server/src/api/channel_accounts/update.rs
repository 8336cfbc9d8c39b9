// SPDX-License-Identifier: EUPL-1.2
//! PATCH /channel-accounts/{id}: changes an account.

use axum::Json as Shown;
use axum::extract::State;
use belofte_model::Permission;
use belofte_model::{AccountState, ChannelAccountId};
use belofte_store::ChannelAccountChange;

use super::{ChannelAccount, SIGNATURE, UpdateChannelAccount};
use super::{SetAccountState, authorisation, check_server, refused, retrieval, to_store};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_channel_account",
    "/channel-accounts/{id}",
    Tag::Channels,
    "Changes an account; an instruction",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<UpdateChannelAccount>())
.answers(&[Answer {
    status: 200,
    meaning: "The account as it is now",
    content: Content::json::<ChannelAccount>(),
}])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when somebody else changed the account at the same moment,
/// [`Code::Invalid`], 404; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ChannelAccountId>,
    Json(wanted): Json<UpdateChannelAccount>,
) -> http::Answer<Shown<ChannelAccount>> {
    let store = &app.core.store;
    let before = store.channel_account(&signed.access, id).await?;
    let mut checks = Checks::default();
    if let Some(name) = &wanted.from_name {
        checks.text(name, "from_name", 0, 100);
    }
    if let Some(signature) = &wanted.signature {
        checks.text(signature, "signature", 0, SIGNATURE);
    }
    if let Some(Some(server)) = &wanted.submission {
        check_server(&mut checks, server, before.submission.as_ref());
    }
    if let Some(Some(mailbox)) = &wanted.retrieval {
        retrieval::check(&mut checks, mailbox, before.retrieval.as_ref());
    }
    if let Some(Some(provider)) = &wanted.authorisation {
        authorisation::check(&mut checks, provider);
    }
    let has_provider = match &wanted.authorisation {
        Some(provider) => provider.is_some(),
        None => before.authorisation.is_some(),
    };
    let sends = match &wanted.submission {
        Some(server) => server.as_ref().map(|server| server.sign_in),
        None => before.submission.as_ref().map(|server| server.sign_in.into()),
    };
    let reads = match &wanted.retrieval {
        Some(mailbox) => mailbox.as_ref().map(|mailbox| mailbox.sign_in),
        None => before.retrieval.as_ref().map(|mailbox| mailbox.sign_in.into()),
    };
    for (field, sign_in) in [("submission.sign_in", sends), ("retrieval.sign_in", reads)] {
        authorisation::check_there(&mut checks, sign_in.unwrap_or_default(), field, has_provider);
    }
    checks.done()?;
    let wanted_submission = matches!(wanted.submission, Some(Some(_)));
    let change = ChannelAccountChange {
        version: None,
        address: None,
        from_name: wanted.from_name.map(|name| name.trim().to_owned()),
        signature: wanted.signature.map(|signature| signature.trim().to_owned()),
        state: wanted.state.map(|state| match state {
            SetAccountState::Active => AccountState::Active,
            SetAccountState::Paused => AccountState::Paused,
        }),
        queue: wanted.queue_id,
        reply_language: wanted.reply_language,
        submission: wanted.submission.map(|server| server.map(to_store)),
        retrieval: wanted.retrieval.map(|mailbox| mailbox.map(retrieval::to_store)),
        authorisation: wanted.authorisation.map(|provider| provider.map(authorisation::to_store)),
    };
    let sends_otherwise = wanted_submission || change.authorisation.is_some();
    let changed = store.change_channel_account(&signed.access, id, change).await.map_err(refused)?;
    if sends_otherwise {
        // What a wrong password held up need not wait for its next turn.
        store.try_waiting_mail(&signed.access, id).await?;
    }
    Ok(Shown(retrieval::shown_alone(store, &signed.access, changed).await?))
}

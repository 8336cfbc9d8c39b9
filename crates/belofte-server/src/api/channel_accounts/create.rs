// SPDX-License-Identifier: EUPL-1.2
//! POST /channel-accounts: a new account.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::Permission;
use belofte_model::{ChannelAccountId, EmailAddress};
use belofte_store::NewChannelAccount;
use uuid::Uuid;

use super::{ChannelAccount, CreateChannelAccount, SIGNATURE};
use super::{authorisation, check_server, refused, retrieval, to_store};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "create_channel_account",
    "/channel-accounts",
    Tag::Channels,
    "Adds an account; an instruction",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<CreateChannelAccount>())
.answers(&[Answer { status: 201, meaning: "The account", content: Content::json::<ChannelAccount>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when an account of this installation has the address, [`Code::Invalid`];
/// those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateChannelAccount>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        let address = EmailAddress::parse(&wanted.address);
        let mut checks = Checks::default();
        checks
            .that(address.is_ok(), "address", FieldCode::Invalid)
            .that(wanted.address.len() <= 254, "address", FieldCode::TooLong)
            .text(&wanted.from_name, "from_name", 0, 100);
        let signature = wanted.signature.unwrap_or_default();
        checks.text(&signature, "signature", 0, SIGNATURE);
        if let Some(server) = &wanted.submission {
            check_server(&mut checks, server, None);
        }
        if let Some(mailbox) = &wanted.retrieval {
            retrieval::check(&mut checks, mailbox, None);
        }
        if let Some(provider) = &wanted.authorisation {
            authorisation::check(&mut checks, provider);
        }
        let sign_ins = [
            wanted.submission.as_ref().map(|server| ("submission.sign_in", server.sign_in)),
            wanted.retrieval.as_ref().map(|mailbox| ("retrieval.sign_in", mailbox.sign_in)),
        ];
        for (field, sign_in) in sign_ins.into_iter().flatten() {
            authorisation::check_there(&mut checks, sign_in, field, wanted.authorisation.is_some());
        }
        checks.done()?;
        let Ok(address) = address else { return Err(Code::Internal.into()) };
        let new = NewChannelAccount {
            kind: wanted.kind,
            address,
            from_name: wanted.from_name.trim().to_owned(),
            signature: signature.trim().to_owned(),
            queue: wanted.queue_id,
            reply_language: wanted.reply_language.unwrap_or_else(|| context.language()),
            submission: wanted.submission.map(to_store),
            retrieval: wanted.retrieval.map(retrieval::to_store),
            authorisation: wanted.authorisation.map(authorisation::to_store),
        };
        let (store, intended) = (&app.core.store, intended.map(ChannelAccountId));
        let made = store.create_channel_account(&signed.access, intended, new).await.map_err(refused)?;
        retrieval::shown_alone(store, &signed.access, made).await
    };
    app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act).await
}

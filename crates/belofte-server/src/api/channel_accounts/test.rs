// SPDX-License-Identifier: EUPL-1.2
//! POST /channel-accounts/test: tries a connection.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_channels::email::Secret;
use belofte_channels::email::authorisation::NoToken;
use belofte_channels::email::submission::{Credentials, SubmissionServer};
use belofte_model::{
    self as model, ChannelAccountId, EmailAddress, Permission, RetrievalProblem, TokenProblem,
};

use super::{
    SignInWith, Submission, TestStep, TestStepName, TestedServer, check_server, retrieval, same_server,
};
use super::{TestChannelAccount, TestedChannelAccount};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, Code, Context, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "test_channel_account",
    "/channel-accounts/test",
    Tag::Channels,
    "Tries to connect and sign in, step by step, without sending",
)
.may(Permission::ManageChannelAccounts)
.takes(Content::json::<TestChannelAccount>())
.answers(&[Answer {
    status: 200,
    meaning: "What each step gave",
    content: Content::json::<TestedChannelAccount>(),
}])
.problems(&[Code::TooManyTries, Code::NotFound]);

/// Answers the endpoint. A stored password is used only with the host, port and user name that it
/// was given for.
///
/// # Errors
/// [`Code::TooManyTries`]: every test reaches out of the house; [`Code::Invalid`], 404; those of the
/// store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<TestChannelAccount>,
) -> http::Answer<Response> {
    let act = async {
        if wanted.server == Some(TestedServer::Retrieval) {
            return try_mailbox(&app, &signed, &context, wanted).await;
        }
        let (from, server) = match what_to_try(&app, &signed, &context, wanted).await? {
            Ok(found) => found,
            Err(problem) => return Ok(not_signed_in(problem)),
        };
        let steps = app.submission.test(&server, &from).await.into_iter().map(|step| TestStep {
            step: step.step.into(),
            ok: step.failed.is_none(),
            code: step.failed.map(|code| code.as_str().to_owned()),
            detail: step.reply.map(|reply| reply.text()),
        });
        Ok(TestedChannelAccount { steps: steps.collect() })
    };
    app.once(&signed.access, &context, &key, StatusCode::OK, act).await
}

/// Tries the way into a mailbox.
async fn try_mailbox(
    app: &App,
    signed: &Signed,
    context: &Context,
    wanted: TestChannelAccount,
) -> http::Answer<TestedChannelAccount> {
    let (known, kept) = match wanted.id {
        Some(id) => app.core.store.retrieval_with_password(&signed.access, id).await?,
        None => (None, None),
    };
    let mut checks = Checks::default();
    checks.that(wanted.retrieval.is_some() || known.is_some(), "retrieval", FieldCode::Required);
    if let Some(mailbox) = &wanted.retrieval {
        retrieval::check(&mut checks, mailbox, known.as_ref());
    }
    checks.done()?;
    app.tests.take(&signed.access.tenant(), context.at).map_err(ApiError::too_many_tries)?;
    let token = match retrieval::by_token(wanted.retrieval.as_ref(), known.as_ref()) {
        None => None,
        Some(stored) => match token(app, signed, wanted.id.filter(|_| stored)).await? {
            Ok(token) => Some(token),
            Err(problem) => return Ok(not_signed_in(problem)),
        },
    };
    let Some((server, folders)) = retrieval::to_try(wanted.retrieval, known.as_ref(), kept, token) else {
        return Err(ApiError::field("retrieval.password", FieldCode::Required));
    };
    let steps = app.imap.test(&server, &folders).await.into_iter().map(|(step, problem)| TestStep {
        step: step.into(),
        ok: problem.is_none(),
        code: problem.map(|problem| problem.as_str().to_owned()),
        detail: None,
    });
    Ok(TestedChannelAccount { steps: steps.collect() })
}

/// The token that the provider of a stored account gives.
async fn token(
    app: &App,
    signed: &Signed,
    account: Option<ChannelAccountId>,
) -> http::Answer<Result<String, TokenProblem>> {
    let Some(account) = account else { return Ok(Err(TokenProblem::Missing)) };
    match app.authorising.token(&app.core.store, &signed.access, account, None).await {
        Ok(token) => Ok(Ok(token)),
        Err(NoToken::Problem(problem)) => Ok(Err(problem)),
        Err(NoToken::Store(error)) => Err(error.into()),
    }
}

/// What a test gives that has nothing to sign in with.
fn not_signed_in(problem: TokenProblem) -> TestedChannelAccount {
    let code = Some(RetrievalProblem::from(problem).as_str().to_owned());
    TestedChannelAccount {
        steps: vec![TestStep { step: TestStepName::Authentication, ok: false, code, detail: None }],
    }
}

async fn what_to_try(
    app: &App,
    signed: &Signed,
    context: &Context,
    wanted: TestChannelAccount,
) -> http::Answer<Result<(EmailAddress, SubmissionServer), TokenProblem>> {
    let stored = match wanted.id {
        Some(id) => Some(app.core.store.account_for_delivery(&signed.access, id).await?),
        None => None,
    };
    let known = stored.as_ref().and_then(|stored| stored.account.submission.as_ref());
    let from = match (&wanted.address, &stored) {
        (Some(address), _) => EmailAddress::parse(address).map_err(|_| FieldCode::Invalid),
        (None, Some(stored)) => Ok(stored.account.address.clone()),
        (None, None) => Err(FieldCode::Required),
    };
    let mut checks = Checks::default();
    checks.that(wanted.submission.is_some() || known.is_some(), "submission", FieldCode::Required);
    if let Some(server) = &wanted.submission {
        check_server(&mut checks, server, known);
    }
    if let Err(code) = from {
        checks.that(false, "address", code);
    }
    checks.done()?;
    let (Ok(from), password) = (from, stored.as_ref().and_then(|stored| stored.password.clone())) else {
        return Err(Code::Internal.into());
    };
    app.tests.take(&signed.access.tenant(), context.at).map_err(ApiError::too_many_tries)?;
    // A token goes to no other server than those that are stored.
    let stored = known.filter(|known| known.sign_in == model::SignInWith::Authorisation);
    let by_token = match &wanted.submission {
        Some(server) => (server.sign_in == SignInWith::Authorisation).then(|| {
            let security = model::LineSecurity::from(server.security);
            stored.is_some_and(|known| same_server(server, known) && security == known.security)
        }),
        None => stored.map(|_| true),
    };
    let token = match by_token {
        None => None,
        Some(stored) => match token(app, signed, wanted.id.filter(|_| stored)).await? {
            Ok(token) => Some(Secret::Token(token)),
            Err(problem) => return Ok(Err(problem)),
        },
    };
    let (host, port, security, username, password) = match (wanted.submission, known) {
        (Some(server), known) => {
            let kept = password.filter(|_| known.is_some_and(|known| same_server(&server, known)));
            let password = server.password.or_else(|| kept.map(|password| password.into_inner()));
            (server.host, server.port, server.security.into(), server.username, password)
        }
        (None, Some(known)) => {
            let shown = Submission::from(known.clone());
            let password = password.map(|password| password.into_inner());
            (shown.host, shown.port, shown.security.into(), shown.username, password)
        }
        (None, None) => return Err(Code::Internal.into()),
    };
    let secret = token.or(password.map(Secret::Password));
    let credentials = username.zip(secret).map(|(username, secret)| Credentials { username, secret });
    let host = host.trim().to_owned();
    Ok(Ok((from, SubmissionServer { host, recorded: true, port, security, credentials })))
}

// SPDX-License-Identifier: EUPL-1.2
//! Looks in the mailbox of an account whether a message went out of which nobody knows: all of it was sent, and the
//! line dropped before the answer. Nothing is ever sent again here.

use std::time::Duration;

use belofte_core::Core;
use belofte_model::{DeliveryState, MessageId, RetrievalProblem, SignInWith, next_look};
use belofte_store::{Access, ClaimedJob, FinishJob, Message, Reconciled, SentMailbox, StoreError};
use tokio::time::timeout;

use super::authorisation::NoToken;
use super::retrieve::{Retrieving, server};
use super::sign_in::Secret;

/// A look may take so long; shorter than the lease of its job.
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks for the message of `job`; a failure of the store puts the job back.
pub async fn reconcile(core: &Core, with: &Retrieving, job: &ClaimedJob) {
    if let Err(error) = try_reconcile(core, with, job).await {
        belofte_core::retry_later(core, job, &error).await;
    }
}

async fn try_reconcile(core: &Core, with: &Retrieving, job: &ClaimedJob) -> Result<(), StoreError> {
    let access = Access::job(job, core.clock().clone());
    let Some((message, mailbox)) = doubtful(core, &access, job).await? else {
        return core.store.write(&access, FinishJob(job.clone())).await;
    };
    let unknown = message.deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Unknown);
    let since = unknown.map(|delivery| delivery.updated_at).max();
    let found = match timeout(PATIENCE, look(core, with, &access, &message, &mailbox)).await {
        Ok(Ok(found)) => found,
        Ok(Err(End::Store(error))) => return Err(error),
        Ok(Err(End::Problem(problem))) => {
            tracing::info!(message_id = %message.id, code = problem.as_str(), "a sent message could not be looked for");
            false
        }
        Err(_) => false,
    };
    let outcome = if found { "found" } else { "not_found" };
    tracing::info!(message_id = %message.id, outcome, "looked for a sent message");
    metrics::counter!("belofte_reconciliations_total", "outcome" => outcome).increment(1);
    let again_at = since.and_then(|since| next_look(since, access.clock().now()));
    let reconciled = Reconciled::new(&access, job.clone(), &message, found, again_at);
    core.store.write(&access, reconciled).await?;
    Ok(())
}

/// The message and where to look for it; `None` when nobody is unknown any more, or there is nowhere to look.
async fn doubtful(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
) -> Result<Option<(Message, SentMailbox)>, StoreError> {
    let message = match core.store.message(access, MessageId(job.subject)).await {
        Ok(message) => message,
        Err(StoreError::NotFound | StoreError::KeyGone(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let unknown = message.deliveries.iter().any(|delivery| delivery.state == DeliveryState::Unknown);
    let Some(account) = message.account.filter(|_| unknown && message.content.message_id.is_some()) else {
        return Ok(None);
    };
    let mailbox = core.store.sent_mailbox(access, account).await?;
    Ok(mailbox.map(|mailbox| (message, mailbox)))
}

enum End {
    Problem(RetrievalProblem),
    Store(StoreError),
}

impl From<RetrievalProblem> for End {
    fn from(problem: RetrievalProblem) -> Self {
        Self::Problem(problem)
    }
}

async fn look(
    core: &Core,
    with: &Retrieving,
    access: &Access,
    message: &Message,
    mailbox: &SentMailbox,
) -> Result<bool, End> {
    let (Some(account), Some(id)) = (message.account, &message.content.message_id) else { return Ok(false) };
    let retrieval = &mailbox.retrieval;
    let secret = match retrieval.sign_in {
        SignInWith::Password => {
            let password = mailbox.password.as_ref().ok_or(RetrievalProblem::AuthenticationFailed)?;
            Secret::Password(password.expose().clone())
        }
        SignInWith::Authorisation => {
            let token = with.authorising.token(&core.store, access, account, None).await;
            Secret::Token(token.map_err(|error| match error {
                NoToken::Problem(problem) => End::Problem(problem.into()),
                NoToken::Store(error) => End::Store(error),
            })?)
        }
    };
    let server = server(retrieval, mailbox.recorded, secret);
    let mut mailbox = with.imap.open(&server).await?;
    let found = mailbox.has_sent(id).await;
    mailbox.leave().await;
    Ok(found?)
}

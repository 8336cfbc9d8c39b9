// SPDX-License-Identifier: EUPL-1.2
//! What handlers share, and who is calling them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use belofte_channels::dns::Dns;
use belofte_channels::email::authorisation::Authorising;
use belofte_channels::email::imap::Imap;
use belofte_channels::email::submission::Submission;
use belofte_channels::images::Images;
use belofte_channels::outbound::Register;
use belofte_channels::push::Pushing;
use belofte_channels::scanner::Scanner;
use belofte_core::Core;
use belofte_model::{Permission, Purpose, TenantId};
use belofte_store::{
    Access, Authenticated, Begun, IdempotencyTicket, Operator, StoreError, UploadQuota, Views, Who, Write,
};
use belofte_vault::Pii;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::request::Parts;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::operation::{Caller, Operation};
use crate::config::WebAddress;
use crate::http::shares::{Load, Shares};
use crate::http::tries::{Tries, network_of};
use crate::http::{Answer, ApiError, Code, Context, Cookie, IdempotencyKey, bearer};
use crate::passwords::Passwords;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The verbs and the stores.
    pub core: Core,
    /// The client that tries mail servers, for the test of a channel account.
    pub submission: Submission,
    /// The client that tries mailboxes.
    pub imap: Imap,
    /// Gets tokens at the providers of mailboxes.
    pub authorising: Authorising,
    /// Fetches the images that mails name.
    pub images: Images,
    /// Asks the domain name system.
    pub dns: Dns,
    /// Looks for malware.
    pub scanner: Scanner,
    /// Tells browsers that something is new.
    pub pushing: Pushing,
    /// Tests of channel accounts, per tenant: each reaches out of the house.
    pub tests: Arc<Tries<TenantId>>,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Tries of invitations, per network.
    pub invitations: Arc<Tries<IpAddr>>,
    /// What each signed-in caller and each tenant may ask in a time.
    pub shares: Arc<Shares>,
    /// The operator's sub-processors.
    pub register: Arc<Register>,
    /// How much may wait for messages of one user or key.
    pub uploads: UploadQuota,
    /// Gathers what users look at, for their tenant's ledger.
    pub views: Views,
    /// How people reach the desk.
    pub public_url: Arc<WebAddress>,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
}

/// Somebody who may call this endpoint: a user with a session, or a program with a key.
///
/// The extractor is the whole check: what the endpoint's [`Operation`] says of its callers holds
/// before the handler begins, and the handler gets the [`Access`] that it may use.
pub struct Signed {
    /// The access that goes with it.
    pub access: Access,
    /// Who it is.
    pub who: Authenticated,
}

/// As [`Signed`], for a signed-in user only: programs have no things of their own.
pub struct SignedUser {
    /// The access that goes with it.
    pub access: Access,
    /// Who it is.
    pub who: Authenticated,
    /// The session's token, for signing out.
    pub token: Pii<String>,
}

/// Somebody of the operator.
pub struct SignedOperator {
    /// Who it is.
    pub operator: Operator,
    /// The session's token, for signing out.
    pub token: Pii<String>,
}

impl App {
    /// Carries out a POST that changes nothing of ours once per idempotency key: the same key with
    /// the same request gets the first answer again, with another request it is refused, and while
    /// the first still runs the client is told to wait. Without a key the request is simply carried
    /// out. The same request is the same endpoint, path and body. With 204 nothing is answered.
    ///
    /// What changes something uses [`once_as`](Self::once_as), [`once_with`](Self::once_with) or
    /// [`once_marked`](Self::once_marked): who dies between doing and answering has not answered, and
    /// is asked again.
    ///
    /// # Errors
    /// What `act` answers; nothing is remembered then, since nothing was changed.
    pub fn once<'a, T: Serialize + Send + 'a>(
        &'a self,
        access: &'a Access,
        context: &'a Context,
        key: &'a IdempotencyKey,
        status: StatusCode,
        act: impl Future<Output = Answer<T>> + Send + 'a,
    ) -> BoxFuture<'a, Answer<Response>> {
        // Boxed here, once, and not in every handler: what is carried out can be large.
        Box::pin(self.once_as(access, context, key, status, |_| act))
    }

    /// As [`once`](Self::once), for what makes a row: `act` gets the row's id, the same for everybody
    /// who carries the request out after the one before died, and finds by it what that one made.
    ///
    /// # Errors
    /// As [`once`](Self::once).
    pub async fn once_as<T: Serialize, F: Future<Output = Answer<T>>>(
        &self,
        access: &Access,
        context: &Context,
        key: &IdempotencyKey,
        status: StatusCode,
        act: impl FnOnce(Option<Uuid>) -> F,
    ) -> Answer<Response> {
        let ticket = match self.begin(access, context, key).await? {
            Turn::Answered(response) => return Ok(response),
            Turn::Unkeyed => return answer(status, &act(None).await?),
            Turn::Mine(ticket) => ticket,
        };
        match act(Some(ticket.intended)).await {
            Ok(value) => self.remember(access, &ticket, status, body(status, &value)?).await,
            Err(error) => self.give_up(access, &ticket, error).await,
        }
    }

    /// As [`once`](Self::once), for a change whose answer is known before it: `plan` gives both, and
    /// they become durable in one transaction. So is answered what is told only once, such as a key.
    ///
    /// # Errors
    /// What `plan` answers, and the store's errors for its change; nothing is changed then.
    pub fn once_with<'a, W: Write, T: Serialize + Send + Sync + 'a>(
        &'a self,
        access: &'a Access,
        context: &'a Context,
        key: &'a IdempotencyKey,
        status: StatusCode,
        plan: impl Future<Output = Answer<(W, T)>> + Send + 'a,
    ) -> BoxFuture<'a, Answer<Response>> {
        Box::pin(async move {
            let store = &self.core.store;
            let ticket = match self.begin(access, context, key).await? {
                Turn::Answered(response) => return Ok(response),
                Turn::Unkeyed => {
                    let (change, value) = plan.await?;
                    store.write(access, change).await?;
                    return answer(status, &value);
                }
                Turn::Mine(ticket) => ticket,
            };
            let carried = async {
                let (change, value) = plan.await?;
                let body = body(status, &value)?;
                store.write_answered(access, &ticket, status.as_u16(), &body, change).await?;
                Ok(json(status, body))
            };
            match carried.await {
                Ok(response) => Ok(response),
                Err(error) => self.give_up(access, &ticket, error).await,
            }
        })
    }

    /// As [`once`](Self::once), for a change of rows that are there: `plan` gives the change, which
    /// is not made again for who asks again, and `tell` the answer, from how things are afterwards.
    ///
    /// # Errors
    /// What `plan` and `tell` answer, and the store's errors for the change.
    pub fn once_marked<'a, W: Write, T: Serialize + Send + Sync + 'a>(
        &'a self,
        access: &'a Access,
        context: &'a Context,
        key: &'a IdempotencyKey,
        status: StatusCode,
        plan: impl Future<Output = Answer<W>> + Send + 'a,
        tell: impl Future<Output = Answer<T>> + Send + 'a,
    ) -> BoxFuture<'a, Answer<Response>> {
        Box::pin(async move {
            let store = &self.core.store;
            let ticket = match self.begin(access, context, key).await? {
                Turn::Answered(response) => return Ok(response),
                Turn::Unkeyed => {
                    store.write(access, plan.await?).await?;
                    return answer(status, &tell.await?);
                }
                Turn::Mine(ticket) => ticket,
            };
            let carried = async {
                if !ticket.done {
                    store.write_marked(access, &ticket, plan.await?).await?;
                }
                tell.await
            };
            match carried.await {
                Ok(value) => self.remember(access, &ticket, status, body(status, &value)?).await,
                Err(error) => self.give_up(access, &ticket, error).await,
            }
        })
    }

    async fn begin(&self, access: &Access, context: &Context, key: &IdempotencyKey) -> Answer<Turn> {
        let Some(key) = &key.0 else { return Ok(Turn::Unkeyed) };
        match self.core.store.begin_request(access, key, &context.request_digest()).await? {
            Begun::Proceed(ticket) => Ok(Turn::Mine(ticket)),
            Begun::Stored(stored) => {
                let status =
                    StatusCode::from_u16(stored.status).map_err(|error| ApiError::internal(&error))?;
                Ok(Turn::Answered(json(status, stored.body)))
            }
            Begun::OtherRequest => Err(Code::IdempotencyKeyReused.into()),
            Begun::Running => Err(Code::Busy.into()),
        }
    }

    async fn remember(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
        status: StatusCode,
        body: Vec<u8>,
    ) -> Answer<Response> {
        self.core.store.finish_request(access, ticket, status.as_u16(), &body).await?;
        Ok(json(status, body))
    }

    async fn give_up(
        &self,
        access: &Access,
        ticket: &IdempotencyTicket,
        error: ApiError,
    ) -> Answer<Response> {
        // A key that cannot be given back now is given back when its lease ends.
        if let Err(lost) = self.core.store.abandon_request(access, ticket).await {
            tracing::warn!(error = &lost as &dyn std::error::Error, "a request could not be forgotten");
        }
        Err(error)
    }
}

/// Whose turn a request is.
enum Turn {
    /// It was carried out before: this is its answer.
    Answered(Response),
    /// It has no key: it is carried out each time.
    Unkeyed,
    /// It is to be carried out.
    Mine(IdempotencyTicket),
}

fn body<T: Serialize>(status: StatusCode, value: &T) -> Answer<Vec<u8>> {
    if status == StatusCode::NO_CONTENT {
        return Ok(Vec::new());
    }
    serde_json::to_vec(value).map_err(|error| ApiError::internal(&error))
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn answer<T: Serialize>(status: StatusCode, value: &T) -> Answer<Response> {
    Ok(json(status, body(status, value)?))
}

/// What browsers call themselves is kept up to this many characters.
const AGENT: usize = 200;

/// What the browser calls itself, shortened.
#[must_use]
pub fn user_agent(headers: &http::HeaderMap) -> Pii<String> {
    let told = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Pii::new(told.chars().take(AGENT).collect())
}

/// The network that the request came from, as tries are counted. A request without a peer (there
/// is none over a socket) counts as one network of its own.
#[must_use]
pub fn network(context: &Context) -> IpAddr {
    network_of(context.peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip()))
}

/// Why an endpoint is called, from what it demands of its callers.
const fn purpose(operation: &Operation) -> Purpose {
    match operation.caller {
        // A mail that got stuck is a customer who is not helped yet.
        Caller::May(
            Permission::ReadConversations
            | Permission::Answer
            | Permission::Assign
            | Permission::ExportContacts
            | Permission::SeeMailAccounting
            | Permission::ReadSource
            | Permission::RetryQuarantine,
        ) => Purpose::Service,
        Caller::May(Permission::ReadLedger) => Purpose::Oversight,
        Caller::Anyone
        | Caller::SignedIn
        | Caller::May(
            Permission::ManageUsers
            | Permission::ManageChannelAccounts
            | Permission::ManageApiKeys
            | Permission::CreateTags
            | Permission::ManageTags
            | Permission::SeeQueues
            | Permission::ManageQueues
            | Permission::ManageFields
            | Permission::ShareViews
            | Permission::SeeDeadLetters
            | Permission::ManageTenant,
        )
        | Caller::Operator => Purpose::Administration,
    }
}

fn context(parts: &Parts) -> Answer<Arc<Context>> {
    parts.extensions.get::<Arc<Context>>().cloned().ok_or_else(|| Code::Internal.into())
}

fn operation(parts: &Parts) -> Answer<&'static Operation> {
    parts.extensions.get::<&'static Operation>().copied().ok_or_else(|| Code::Internal.into())
}

async fn authenticate(parts: &Parts, app: &App) -> Answer<(Authenticated, Option<Pii<String>>)> {
    let system = app.core.store.system();
    // A program says who it is in every request; a browser's cookie must not add to that.
    if let Some(key) = bearer(&parts.headers) {
        let who = system.api_key_by_token(key).await?.ok_or(Code::NotSignedIn)?;
        return Ok((who, None));
    }
    let token = Cookie::User.read(&parts.headers).ok_or(Code::NotSignedIn)?;
    let who = system.session_by_token(token).await?.ok_or(Code::NotSignedIn)?;
    Ok((who, Some(Pii::new(token.to_owned()))))
}

async fn admit(parts: &Parts, app: &App) -> Answer<(Authenticated, Access, Option<Pii<String>>)> {
    let (context, operation) = (context(parts)?, operation(parts)?);
    let (who, token) = authenticate(parts, app).await?;
    let permitted = match operation.caller {
        Caller::Anyone => true,
        Caller::SignedIn => matches!(who.who(), Who::User { .. }),
        Caller::May(permission) => who.may(permission),
        Caller::Operator => false,
    };
    let access = Access::authenticated(&who, purpose(operation), context.id, app.core.clock().clone());
    context.recognise(who.tenant(), who.language());
    let caller = match *who.who() {
        Who::User { user, .. } => user.uuid(),
        Who::ApiKey { key, .. } => key.uuid(),
    };
    share(app, &context, operation.load, caller, Some(who.tenant()))?;
    if permitted { Ok((who, access, token)) } else { Err(Code::Forbidden.into()) }
}

/// Takes a request out of the share of `caller`.
fn share(app: &App, context: &Context, load: Load, caller: Uuid, tenant: Option<TenantId>) -> Answer<()> {
    let (standings, taken) = app.shares.take(load, caller, tenant.map(|tenant| tenant.uuid()), context.at);
    context.set_standings(standings);
    taken.map_err(ApiError::too_many_requests)
}

impl FromRequestParts<App> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let (who, access, _) = admit(parts, app).await?;
        Ok(Self { access, who })
    }
}

impl FromRequestParts<App> for SignedUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let (who, access, token) = admit(parts, app).await?;
        let token = token.ok_or(Code::Forbidden)?;
        Ok(Self { access, who, token })
    }
}

impl FromRequestParts<App> for SignedOperator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        if operation(parts)?.caller != Caller::Operator {
            return Err(Code::Forbidden.into());
        }
        // As with users: who names a key is judged by the key, and no key is the operator's.
        if bearer(&parts.headers).is_some() {
            return Err(Code::NotSignedIn.into());
        }
        let token = Cookie::Operator.read(&parts.headers).ok_or(Code::NotSignedIn)?;
        let operator = app.core.store.system().operator_by_token(token).await?.ok_or(Code::NotSignedIn)?;
        share(app, &*context(parts)?, operation(parts)?.load, operator.id.uuid(), None)?;
        Ok(Self { operator, token: Pii::new(token.to_owned()) })
    }
}

impl From<StoreError> for ApiError {
    /// What a store's failure means to a caller. What is erased or of another tenant does not
    /// exist.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound | StoreError::KeyGone(_) => Code::NotFound.into(),
            StoreError::NotOfficer => Code::PrivacyOfficerOnly.into(),
            StoreError::Conflict => Code::Conflict.into(),
            StoreError::Overtaken => Code::AnsweredMeanwhile.into(),
            StoreError::Full => Code::StorageFull.into(),
            StoreError::Busy => Code::Busy.into(),
            error => Self::internal(&error),
        }
    }
}

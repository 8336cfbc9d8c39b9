// SPDX-License-Identifier: EUPL-1.2
//! POST /contacts/export: what is known of people, as a table or as cards.

use ::http::header;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use belofte_model::{self as model, MOST_FIELDS, Permission, RecordKind};
use belofte_store::{Access, ContactQuestion, Field, ListError, StoreError, ViewKind};
use belofte_vault::Pii;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::sheet::Sheet;
use super::{ExportContacts, ExportFormat, find, vcard};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::shares::Load;
use crate::http::{self, ApiError, Checks, Code, ContextOf, FieldCode, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "export_contacts",
    "/contacts/export",
    Tag::Contacts,
    "The people who satisfy conditions, as a table or as cards",
)
.done_again()
.may(Permission::ExportContacts)
.load(Load::Export)
.takes(Content::json::<ExportContacts>())
.answers(&[Answer {
    status: 200,
    meaning: "The table (text/csv) or the cards (text/vcard)",
    content: Content::Bytes("*/*"),
}]);

/// So many cells are in memory at once, as far as there are so many people …
const CELLS: usize = 10_000;
/// … who are so many at most …
const MOST_PEOPLE: usize = 500;
/// … and so many at least.
const LEAST_PEOPLE: usize = 20;
/// So many bytes are handed over at a time: a connection that takes them slowly is seen to take them.
const PIECE: usize = 64 * 1024;

/// Answers the endpoint. What is taken out is made while it is taken, of people as they are opened: it lies nowhere in
/// clear. Each of them is in the ledger before they are sent.
///
/// # Errors
/// [`Code::Invalid`] with what does not hold; those of the store. What fails after the first byte breaks the answer off:
/// it has no end then, and whoever takes it is told so by their browser.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: SignedUser,
    Json(asked): Json<ExportContacts>,
) -> http::Answer<Response> {
    let access = &signed.access;
    let columns = asked.field_ids.as_deref().unwrap_or_default();
    Checks::default().that(columns.len() <= MOST_FIELDS, "field_ids", FieldCode::TooLong).done()?;
    let filter = find::read_filter(asked.q, asked.any, asked.conditions)?;
    let mut fields = app.core.store.fields(access).await?;
    fields.retain(|field| field.record == RecordKind::Contact);
    if let Some(chosen) = &asked.field_ids {
        for (place, id) in chosen.iter().enumerate() {
            if !fields.iter().any(|field| field.id == *id) {
                return Err(ApiError::field(format!("field_ids[{place}]"), FieldCode::NotFound));
            }
        }
        fields.retain(|field| chosen.contains(&field.id));
    }
    let language = signed.who.language().unwrap_or_default();
    let order = model::Order { by: model::Subject::CreatedAt, descending: false };
    let columns: Vec<_> = fields.iter().map(|field| field.id).collect();
    let limit = (CELLS / (columns.len() + 1)).clamp(LEAST_PEOPLE, MOST_PEOPLE);
    let mut export = Export {
        question: ContactQuestion { filter, order, columns, after: None, limit, in_passing: true },
        fields,
        format: asked.format,
        sheet: Sheet { separator: asked.separator, language },
        token: signed.token,
        request: context.id,
        begun: false,
        ready: Bytes::new(),
        ended: false,
        app,
    };
    // What does not hold is told before anything is sent.
    let first = export.next().await.map_err(|error| match error {
        Broken::List(error) => find::refused(error),
        Broken::SignedOut => Code::NotSignedIn.into(),
    })?;
    let rest = stream::try_unfold(export, |mut export| async move {
        let next = export.next().await;
        if let Err(error) = &next {
            tracing::error!(error = error as &dyn std::error::Error, "an export of contacts broke off");
        }
        next.map(|piece| piece.map(|piece| (piece, export)))
    });
    let (kind, name) = match asked.format {
        ExportFormat::Csv => ("text/csv; charset=utf-8; header=present", "contacts.csv"),
        ExportFormat::Vcard => ("text/vcard; charset=utf-8", "contacts.vcf"),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let first = stream::iter(first.map(Ok::<_, Broken>));
    Ok((headers, Body::from_stream(first.chain(rest))).into_response())
}

/// Why there is no more.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    List(#[from] ListError),
    #[error("who asked may no more")]
    SignedOut,
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::List(error.into())
    }
}

/// An export in the making.
struct Export {
    app: App,
    question: ContactQuestion,
    fields: Vec<Field>,
    format: ExportFormat,
    sheet: Sheet,
    token: Pii<String>,
    request: model::RequestId,
    begun: bool,
    /// What was made and is not handed over.
    ready: Bytes,
    ended: bool,
}

impl Export {
    /// What who asked may do now: it takes minutes, and their session may end meanwhile.
    async fn access(&self) -> Result<Access, Broken> {
        let who = self.app.core.store.system().session_by_token(self.token.expose()).await?;
        let who = who.filter(|who| who.may(Permission::ExportContacts)).ok_or(Broken::SignedOut)?;
        Ok(Access::authenticated(&who, model::Purpose::Service, self.request, self.app.core.clock().clone()))
    }

    /// The next piece, never an empty one; nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        if self.ready.is_empty() {
            self.ready = self.make().await?.into();
        }
        let piece = self.ready.split_to(self.ready.len().min(PIECE));
        Ok(if piece.is_empty() { None } else { Some(piece) })
    }

    /// What follows, as soon as there is something; nothing at the end.
    async fn make(&mut self) -> Result<Vec<u8>, Broken> {
        let mut piece = Vec::new();
        while !self.ended {
            let access = self.access().await?;
            let page = self.app.core.store.list_contacts(&access, self.question.clone()).await?;
            let begins = !std::mem::replace(&mut self.begun, true);
            let whole = begins.then(|| (ViewKind::ContactExport, access.tenant().uuid()));
            let each = page.items.iter().map(|one| (ViewKind::Contact, one.id.uuid()));
            // Who is sent is in the ledger.
            self.app.views.record(&access, &whole.into_iter().chain(each).collect::<Vec<_>>()).await?;
            if begins && self.format == ExportFormat::Csv {
                piece = self.sheet.head(&self.fields);
            }
            match self.format {
                ExportFormat::Csv => piece.extend(self.sheet.rows(&self.fields, &page.items)),
                ExportFormat::Vcard => {
                    piece.extend(page.items.iter().flat_map(|one| vcard::card(one).into_bytes()));
                }
            }
            self.ended = page.next.is_none();
            self.question.after = page.next;
            if !piece.is_empty() {
                break;
            }
        }
        Ok(piece)
    }
}

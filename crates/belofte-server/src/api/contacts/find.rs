// SPDX-License-Identifier: EUPL-1.2
//! POST /contacts/search: people by what is known of them. By POST, so that what is looked for stands in no URL.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{self as model, MOST_COLUMNS, MOST_CONDITIONS, Permission, SOUGHT_MOST};
use belofte_store::{ContactQuestion, ListError, ViewKind};

use super::{Condition, ContactPage, FindContacts};
use crate::api::fields::code_of_value;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::shares::Load;
use crate::http::{self, ApiError, Checks, Code, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "find_contacts",
    "/contacts/search",
    Tag::Contacts,
    "People who satisfy conditions, in an order",
)
.may(Permission::ReadConversations)
.load(Load::Search)
.takes(Content::json::<FindContacts>())
.answers(&[Answer { status: 200, meaning: "A page of them", content: Content::json::<ContactPage>() }])
.problems(&[Code::Conflict]);

/// So many people stand on a page when nothing else is asked.
const PAGE: u32 = 50;

/// Answers the endpoint. It changes nothing: to ask twice is the same as once, so that a key needs no remembering.
///
/// # Errors
/// [`Code::Invalid`] with what does not hold; [`Code::Conflict`] when the person is gone with whom the page before ended;
/// those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    _: IdempotencyKey,
    Json(asked): Json<FindContacts>,
) -> http::Answer<Body<ContactPage>> {
    let access = &signed.access;
    let page = app.core.store.list_contacts(access, read(asked)?).await.map_err(refused)?;
    for one in &page.items {
        app.views.note(access, ViewKind::Contact, one.id.uuid())?;
    }
    let count = |count| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Body(ContactPage {
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next,
        total: page.total.map(count),
        looked_at: count(page.looked_at),
    }))
}

fn read(asked: FindContacts) -> http::Answer<ContactQuestion> {
    let mut checks = Checks::default();
    checks.that(asked.field_ids.len() <= MOST_COLUMNS, "field_ids", FieldCode::TooLong);
    let limit = asked.limit.unwrap_or(PAGE);
    checks.that((1..=100).contains(&limit), "limit", FieldCode::OutOfRange).done()?;
    let filter = read_filter(asked.q, asked.any, asked.conditions)?;
    let order = match asked.order {
        None => model::Order::default(),
        Some(order) => {
            let by = order.by.read(order.field_id);
            let by = by.ok_or_else(|| ApiError::field("order.field_id", FieldCode::Invalid))?;
            model::Order { by, descending: order.descending }
        }
    };
    Ok(ContactQuestion {
        filter,
        order,
        columns: asked.field_ids,
        after: asked.cursor,
        limit: limit as usize,
        in_passing: false,
    })
}

/// What is looked for.
///
/// # Errors
/// [`Code::Invalid`] with what does not hold.
pub(super) fn read_filter(q: String, any: bool, asked: Vec<Condition>) -> http::Answer<model::Filter> {
    let mut checks = Checks::default();
    checks.text(&q, "q", 0, SOUGHT_MOST);
    checks.that(asked.len() <= MOST_CONDITIONS, "conditions", FieldCode::TooLong).done()?;
    let mut conditions = Vec::with_capacity(asked.len());
    for (place, condition) in asked.into_iter().enumerate() {
        let subject = condition.subject.read(condition.field_id);
        let wrong = || ApiError::field(format!("conditions[{place}].field_id"), FieldCode::Invalid);
        conditions.push(model::Condition {
            subject: subject.ok_or_else(wrong)?,
            test: condition.test,
            value: condition.value.map(Into::into),
        });
    }
    Ok(model::Filter { words: q, any, conditions })
}

/// Why there is no list.
pub(super) fn refused(error: ListError) -> ApiError {
    match error {
        ListError::NoSuchSubject(place) => {
            ApiError::field(format!("conditions[{place}].field_id"), FieldCode::NotFound)
        }
        ListError::Condition(place, fault) => {
            ApiError::field(format!("conditions[{place}].value"), code_of_value(fault))
        }
        ListError::Words => ApiError::field("q", FieldCode::TooLong),
        ListError::Order => ApiError::field("order.field_id", FieldCode::NotFound),
        ListError::Column(place) => ApiError::field(format!("field_ids[{place}]"), FieldCode::NotFound),
        ListError::Gone => Code::Conflict.into(),
        ListError::Store(error) => error.into(),
    }
}

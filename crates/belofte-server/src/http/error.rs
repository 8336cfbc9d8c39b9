// SPDX-License-Identifier: EUPL-1.2
//! What handlers answer with when something went wrong.

use std::error::Error;
use std::time::Duration;

use axum::response::{IntoResponse, Response};

use super::{Code, FieldCode, FieldProblem, Organisation};

/// A problem, not yet in words: the language and the request's id are added on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What kind.
    pub code: Code,
    /// What does not hold, field by field.
    pub fields: Vec<FieldProblem>,
    /// After how long another try makes sense.
    pub retry_after: Option<Duration>,
    /// The organisations to choose from.
    pub organisations: Vec<Organisation>,
}

/// What a handler answers.
pub type Answer<T> = Result<T, ApiError>;

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self { code, fields: Vec::new(), retry_after: None, organisations: Vec::new() }
    }
}

impl ApiError {
    /// One field does not hold.
    #[must_use]
    pub fn field(field: impl Into<String>, code: FieldCode) -> Self {
        Self::fields(vec![FieldProblem { field: field.into(), code }])
    }

    /// Several fields do not hold.
    #[must_use]
    pub fn fields(fields: Vec<FieldProblem>) -> Self {
        Self { fields, ..Code::Invalid.into() }
    }

    /// Too many tries; another makes sense after `wait`.
    #[must_use]
    pub fn too_many_tries(wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Code::TooManyTries.into() }
    }

    /// More than the caller's share; another request makes sense after `wait`.
    #[must_use]
    pub fn too_many_requests(wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Code::TooManyRequests.into() }
    }

    /// The address and password belong to users of several organisations.
    #[must_use]
    pub fn choose_organisation(organisations: Vec<Organisation>) -> Self {
        Self { organisations, ..Code::ChooseOrganisation.into() }
    }

    /// A failure that the caller can do nothing about. It is logged here, once, with its sources.
    #[must_use]
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, code = Code::Internal.as_str(), "a request failed");
        Code::Internal.into()
    }
}

impl IntoResponse for ApiError {
    /// An answer without words; [`super::around`] writes them.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gathers what does not hold about several fields.
#[derive(Debug, Default)]
pub struct Checks {
    found: Vec<FieldProblem>,
}

impl Checks {
    /// Notes that `field` does not hold, unless `holds`.
    pub fn that(&mut self, holds: bool, field: &str, code: FieldCode) -> &mut Self {
        if !holds {
            self.found.push(FieldProblem { field: field.to_owned(), code });
        }
        self
    }

    /// Checks that `text` has between `least` and `most` characters after trimming and no
    /// control characters other than line ends and tabs.
    pub fn text(&mut self, text: &str, field: &str, least: usize, most: usize) -> &mut Self {
        let length = text.trim().chars().count();
        let short = if length == 0 { FieldCode::Required } else { FieldCode::TooShort };
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        self.that(length >= least, field, short)
            .that(text.chars().count() <= most, field, FieldCode::TooLong)
            .that(!text.chars().any(odd), field, FieldCode::Invalid)
    }

    /// Whether all held.
    ///
    /// # Errors
    /// [`Code::Invalid`] with every field that did not.
    pub fn done(&mut self) -> Answer<()> {
        if self.found.is_empty() { Ok(()) } else { Err(ApiError::fields(std::mem::take(&mut self.found))) }
    }
}

/// The size of a page: `asked`, or 50.
///
/// # Errors
/// [`Code::Invalid`] outside 1 to 100.
pub fn page_limit(asked: Option<u32>) -> Answer<u32> {
    match asked.unwrap_or(50) {
        limit @ 1..=100 => Ok(limit),
        _ => Err(ApiError::field("limit", FieldCode::OutOfRange)),
    }
}

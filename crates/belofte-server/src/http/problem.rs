// SPDX-License-Identifier: EUPL-1.2
//! What an answer says when something went wrong: problem details (RFC 9457).

use belofte_model::TenantId;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::code::{Code, FieldCode};

/// The media type of problem details.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Problem details, in the language of the one who asked.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// A relative reference that names the kind of problem: `/errors/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is, in a few words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// The stable name of the kind of problem.
    pub code: Code,
    /// What happened, what it means and what to do.
    pub detail: String,
    /// The id of this request, to find it in the logs.
    pub request: Uuid,
    /// What does not hold, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
    /// After how many seconds another try makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The organisations to choose from, with `choose_organisation`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organisations: Vec<Organisation>,
}

/// What does not hold about one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The name of the field, with dots and indices into what is nested: `submission.port`.
    pub field: String,
    /// What does not hold.
    pub code: FieldCode,
}

/// An organisation to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Organisation {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: TenantId,
    /// Its name.
    pub name: String,
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for FieldCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::ALL.map(Self::as_str))).into()
    }
}

impl ToSchema for Code {
    fn name() -> std::borrow::Cow<'static, str> {
        "ProblemCode".into()
    }
}

impl PartialSchema for FieldCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::ALL.map(Self::as_str))).into()
    }
}

impl ToSchema for FieldCode {
    fn name() -> std::borrow::Cow<'static, str> {
        "FieldProblemCode".into()
    }
}

// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about the tenant's own fields.

use belofte_model::{
    self as model, Audience, Decimal, FieldId, FieldKind, GivenValue, Language, MOST_OPTIONS, QueueId,
    RecordKind, Sensitivity, Timestamp,
};
use belofte_store as store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::schema;
use crate::api::time::Time;
use crate::http::{self, ApiError, Checks, FieldCode};

/// Words of the tenant's own in both languages; one of them may be empty.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnWords {
    /// In Dutch.
    #[serde(default)]
    pub nl: String,
    /// In English.
    #[serde(default)]
    pub en: String,
}

impl From<model::OwnWords> for OwnWords {
    fn from(words: model::OwnWords) -> Self {
        Self { nl: words.nl, en: words.en }
    }
}

impl From<OwnWords> for model::OwnWords {
    fn from(words: OwnWords) -> Self {
        Self { nl: words.nl, en: words.en }
    }
}

/// One thing that can be chosen.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldOption {
    /// Its number: values name it by this one, so that it can be renamed. A new one has a higher number than any
    /// option of the field ever had.
    pub no: u32,
    /// What it is called.
    pub label: OwnWords,
    /// The number of the option within which it lies, in a tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<u32>,
    /// Whether it can no longer be chosen. An option is archived, and not taken away.
    #[serde(default)]
    pub archived: bool,
}

impl From<model::FieldOption> for FieldOption {
    fn from(option: model::FieldOption) -> Self {
        let model::FieldOption { no, label, within, archived, former: _ } = option;
        Self { no, label: label.into(), within, archived }
    }
}

impl From<FieldOption> for model::FieldOption {
    fn from(option: FieldOption) -> Self {
        let FieldOption { no, label, within, archived } = option;
        // What it was called before, the house knows, and no caller says.
        Self { no, label: label.into(), within, archived, former: Vec::new() }
    }
}

/// What a value must be beyond its kind.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRules {
    /// So many characters at least, or so many options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_length: Option<u32>,
    /// So many characters at most, or so many options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_length: Option<u32>,
    /// The smallest number or amount, as `12.50`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<String>,
    /// The largest number or amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<String>,
    /// A regular expression that the whole text matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub pattern: Option<String>,
}

impl From<model::FieldRules> for FieldRules {
    fn from(rules: model::FieldRules) -> Self {
        let model::FieldRules { least_length, most_length, least, most, pattern } = rules;
        let number = |number: Option<Decimal>| number.map(|number| number.to_string());
        Self { least_length, most_length, least: number(least), most: number(most), pattern }
    }
}

/// What was signed for data that is refused otherwise.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldOverride {
    /// On what ground of the law.
    #[schema(max_length = 1000)]
    pub legal_basis: String,
    /// What for.
    #[schema(max_length = 1000)]
    pub purpose: String,
    /// From when on it holds no more; at most 366 days from now.
    pub ends_at: Time,
    /// When it was signed, told by the server; what is sent is left aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Time>,
}

/// A value of a field, in the plainest form that JSON has for it: text for text, numbers behind a point, days
/// (`2026-11-30`), instants (RFC 3339), telephone numbers (E.164), addresses of mail and of the web and bank accounts;
/// a number for a whole number and for the number of an option; numbers for several options.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// Yes or no.
    Boolean(bool),
    /// A whole number, or the number of an option.
    Number(i64),
    /// Text, and all that is written as text.
    Text(String),
    /// The numbers of options.
    Options(Vec<u32>),
    /// An amount.
    Money(Money),
    /// An address of the post.
    PostalAddress(PostalAddress),
}

/// An amount of money.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How much, as `12.50`.
    pub amount: String,
    /// In what: three capitals (ISO 4217).
    pub currency: String,
}

/// A postal address; every part may be empty, but not all of them.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// The street, or the first line.
    #[serde(default)]
    pub street: String,
    /// The number in the street, with what is added to it.
    #[serde(default)]
    pub number: String,
    /// The postal code.
    #[serde(default)]
    pub postal_code: String,
    /// The town.
    #[serde(default)]
    pub city: String,
    /// The country: two capitals (ISO 3166-1).
    #[serde(default)]
    pub country: String,
}

impl From<GivenValue> for FieldValue {
    fn from(value: GivenValue) -> Self {
        match value {
            GivenValue::Boolean(yes) => Self::Boolean(yes),
            GivenValue::Number(number) => Self::Number(number),
            GivenValue::Text(text) => Self::Text(text),
            GivenValue::Numbers(numbers) => Self::Options(numbers),
            GivenValue::Money(model::Money { amount, currency }) => {
                Self::Money(Money { amount: amount.to_string(), currency })
            }
            GivenValue::PostalAddress(address) => {
                let model::PostalAddress { street, number, postal_code, city, country } = address;
                Self::PostalAddress(PostalAddress { street, number, postal_code, city, country })
            }
        }
    }
}

impl From<FieldValue> for GivenValue {
    fn from(value: FieldValue) -> Self {
        match value {
            FieldValue::Boolean(yes) => Self::Boolean(yes),
            FieldValue::Number(number) => Self::Number(number),
            FieldValue::Text(text) => Self::Text(text),
            FieldValue::Options(numbers) => Self::Numbers(numbers),
            FieldValue::Money(Money { amount, currency }) => match amount.parse() {
                Ok(amount) => Self::Money(model::Money { amount, currency }),
                // No amount is text, and no field of money takes text.
                Err(_) => Self::Text(amount),
            },
            FieldValue::PostalAddress(address) => {
                let PostalAddress { street, number, postal_code, city, country } = address;
                Self::PostalAddress(model::PostalAddress { street, number, postal_code, city, country })
            }
        }
    }
}

/// How a field is set up.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldSettings {
    /// What it holds.
    #[schema(value_type = schema::FieldKind)]
    pub kind: FieldKind,
    /// What it is called.
    pub label: OwnWords,
    /// What to fill in.
    #[serde(default)]
    pub help: OwnWords,
    /// What it is kept for.
    #[schema(min_length = 1, max_length = 1000)]
    pub purpose: String,
    /// How much harm it can do. A national identification number, health, criminal and other special data are refused
    /// unless somebody signs for them.
    #[schema(value_type = schema::Sensitivity)]
    pub sensitivity: Sensitivity,
    /// What was signed for data that is refused otherwise.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub signed: Option<FieldOverride>,
    /// What can be chosen.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub options: Vec<FieldOption>,
    /// What a value must be.
    #[serde(default)]
    pub rules: FieldRules,
    /// Whether who fills in a form cannot leave it empty. No message is ever refused for it.
    #[serde(default)]
    pub required: bool,
    /// What a form begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<FieldValue>,
    /// On the forms of which queues it stands; on all of them when empty.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 200)]
    pub queue_ids: Vec<QueueId>,
    /// Who reads it.
    #[schema(value_type = Vec<schema::Audience>)]
    pub readers: Vec<Audience>,
    /// Who writes it; whoever writes it reads it.
    #[schema(value_type = Vec<schema::Audience>)]
    pub writers: Vec<Audience>,
}

impl From<model::FieldSettings> for FieldSettings {
    fn from(settings: model::FieldSettings) -> Self {
        Self {
            kind: settings.kind,
            label: settings.label.into(),
            help: settings.help.into(),
            purpose: settings.purpose,
            sensitivity: settings.sensitivity,
            signed: settings.signed.map(|signed| FieldOverride {
                legal_basis: signed.legal_basis,
                purpose: signed.purpose,
                ends_at: signed.ends_at.into(),
                signed_at: Some(signed.signed_at.into()),
            }),
            options: settings.options.into_iter().map(Into::into).collect(),
            rules: settings.rules.into(),
            required: settings.required,
            default: settings.default.map(|value| value.given().into()),
            queue_ids: settings.queues,
            readers: settings.readers,
            writers: settings.writers,
        }
    }
}

impl FieldSettings {
    /// These settings, read.
    ///
    /// # Errors
    /// [`http::Code::Invalid`] for what cannot be read; what does not hold is for the store to say.
    pub fn read(self) -> http::Answer<model::FieldSettings> {
        let mut checks = Checks::default();
        checks.that(self.options.len() <= MOST_OPTIONS, "settings.options", FieldCode::TooLong);
        checks.that(self.queue_ids.len() <= store::MOST_QUEUES, "settings.queue_ids", FieldCode::TooLong);
        let mut number = |given: Option<String>, path: &str| {
            let read: Option<Option<Decimal>> = given.map(|text| text.trim().parse().ok());
            checks.that(read != Some(None), path, FieldCode::Invalid);
            read.flatten()
        };
        let rules = model::FieldRules {
            least: number(self.rules.least, "settings.rules.least"),
            most: number(self.rules.most, "settings.rules.most"),
            least_length: self.rules.least_length,
            most_length: self.rules.most_length,
            pattern: self.rules.pattern.filter(|pattern| !pattern.is_empty()),
        };
        checks.done()?;
        let options: Vec<model::FieldOption> = self.options.into_iter().map(Into::into).collect();
        let default = self.default.map(|value| model::FieldValue::read(self.kind, &options, value.into()));
        let default =
            default.transpose().map_err(|_| ApiError::field("settings.default", FieldCode::Invalid))?;
        Ok(model::FieldSettings {
            kind: self.kind,
            label: self.label.into(),
            help: self.help.into(),
            purpose: self.purpose,
            sensitivity: self.sensitivity,
            signed: self.signed.map(|signed| model::FieldOverride {
                sensitivity: self.sensitivity,
                kind: self.kind,
                legal_basis: signed.legal_basis.trim().to_owned(),
                purpose: signed.purpose.trim().to_owned(),
                // As it is told again: what is read can be written back, and is the same signature.
                ends_at: Timestamp::from_micros(signed.ends_at.0.as_micros() / 1_000 * 1_000),
                signed_at: Timestamp::from_micros(0),
            }),
            options,
            next_option: 1,
            rules,
            required: self.required,
            default,
            queues: self.queue_ids,
            readers: self.readers,
            writers: self.writers,
        })
    }
}

/// A field that the tenant defined.
#[derive(Serialize, ToSchema)]
pub struct Field {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: FieldId,
    /// What it is on.
    #[schema(value_type = schema::RecordKind)]
    pub record: RecordKind,
    /// How it is set up.
    pub settings: FieldSettings,
    /// Whether it is on no form any more; what stands in it is kept.
    pub archived: bool,
    /// Whether what was signed for it holds no more: nobody reads or writes it until somebody signs again.
    pub lapsed: bool,
    /// The lowest number that a new option can have.
    pub next_option: u32,
    /// Goes up by one with each change.
    pub version: i64,
}

impl Field {
    /// How `field` is told at `now`.
    #[must_use]
    pub fn of(field: store::Field, now: Timestamp) -> Self {
        Self {
            id: field.id,
            record: field.record,
            archived: field.archived,
            lapsed: !field.settings.holds(now),
            next_option: field.settings.next_option,
            settings: field.settings.into(),
            version: field.version,
        }
    }
}

/// The fields.
#[derive(Serialize, ToSchema)]
pub struct FieldList {
    /// In the tenant's order, by what they are on.
    pub items: Vec<Field>,
}

/// Of what to list the fields.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListReadableFields {
    /// What they are on; people without it.
    #[serde(default)]
    #[param(value_type = Option<schema::RecordKind>, inline)]
    pub record: Option<RecordKind>,
}

/// A field to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateField {
    /// What it is on.
    #[schema(value_type = schema::RecordKind)]
    pub record: RecordKind,
    /// How it is set up.
    pub settings: FieldSettings,
}

/// A change of a field; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateField {
    /// The version that the change was made on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
    /// How it is to be set up, as a whole.
    #[serde(default)]
    pub settings: Option<FieldSettings>,
    /// Whether it is to be on no form.
    #[serde(default)]
    pub archived: Option<bool>,
}

/// An order of fields.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderFields {
    /// Of which kind of record.
    #[schema(value_type = schema::RecordKind)]
    pub record: RecordKind,
    /// Every field in use of it, once.
    #[schema(value_type = Vec<Uuid>, max_items = 250)]
    pub ids: Vec<FieldId>,
}

/// Another kind for a field, to look at first.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewKind {
    /// The kind.
    #[schema(value_type = schema::FieldKind)]
    pub kind: FieldKind,
    /// What could be chosen.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub options: Vec<FieldOption>,
}

/// What another kind would make of the values of a field.
#[derive(Serialize, ToSchema)]
pub struct KindPreview {
    /// So many values stand in the field.
    pub values: i64,
    /// So many were looked at.
    pub looked_at: i64,
    /// So many of those would be one of the new kind.
    pub convert: i64,
    /// Some that would not, in words. They are kept, and shown beside the empty field.
    pub stay: Vec<String>,
}

/// What a person or a case has in one field.
#[derive(Serialize, ToSchema)]
pub struct RecordField {
    /// The field.
    #[schema(value_type = Uuid)]
    pub field_id: FieldId,
    /// The version of how the field is set up, to be sent along with a value.
    pub field_version: i64,
    /// What it holds.
    #[schema(value_type = schema::FieldKind)]
    pub kind: FieldKind,
    /// What it is called.
    pub label: OwnWords,
    /// What to fill in.
    pub help: OwnWords,
    /// What can be chosen.
    pub options: Vec<FieldOption>,
    /// What a value must be.
    pub rules: FieldRules,
    /// Whether a form cannot leave it empty.
    pub required: bool,
    /// What a form begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<FieldValue>,
    /// On the forms of which queues it stands; on all of them when empty.
    #[schema(value_type = Vec<Uuid>)]
    pub queue_ids: Vec<QueueId>,
    /// Whether who asks writes it.
    pub writable: bool,
    /// What stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<FieldValue>,
    /// What was given when the field held something else, in words, and is no value of it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Another one after each change; 0 where nothing stands.
    pub version: i64,
}

impl RecordField {
    /// How `one` is told to `audience`, who reads `language`, at `now`.
    #[must_use]
    pub fn of(
        one: store::FieldOfRecord,
        audience: Option<Audience>,
        language: Language,
        now: Timestamp,
    ) -> Self {
        let writable = one.field.is_written_by(audience, now);
        let settings = one.field.settings;
        Self {
            field_id: one.field.id,
            field_version: one.field.version,
            kind: settings.kind,
            was: one.was.map(|value| value.words(&settings.options, language)),
            label: settings.label.into(),
            help: settings.help.into(),
            options: settings.options.into_iter().map(Into::into).collect(),
            rules: settings.rules.into(),
            required: settings.required,
            default: settings.default.map(|value| value.given().into()),
            queue_ids: settings.queues,
            writable,
            value: one.value.map(|value| value.given().into()),
            version: one.version,
        }
    }
}

/// What a person or a case has in its fields.
#[derive(Serialize, ToSchema)]
pub struct RecordFieldList {
    /// In the tenant's order, empty ones too; those that who asks reads.
    pub items: Vec<RecordField>,
}

/// A change of what stands in one field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeValue {
    /// The field.
    #[schema(value_type = Uuid)]
    pub field_id: FieldId,
    /// The version of how the field is set up that the value was given for; another one is a conflict.
    #[serde(default)]
    pub field_version: Option<i64>,
    /// The version that the change was made on, 0 for an empty field; another one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
    /// The value, or null to empty the field. Never left out: what is left out of a change stays.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub value: Option<FieldValue>,
}

/// Changes of what a person or a case has in its fields: all of them, or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRecordFields {
    /// The changes.
    #[schema(max_items = 250)]
    pub values: Vec<ChangeValue>,
}

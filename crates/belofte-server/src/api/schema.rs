// SPDX-License-Identifier: EUPL-1.2
//! OpenAPI schemas of the nouns of `belofte-model`, which does not know HTTP.
//!
//! Each name here stands for the model's type of the same name in `#[schema(value_type = …)]`;
//! the values come from the model itself, so that a new state appears in openapi.json at once.

use std::borrow::Cow;

use belofte_model::{self as model, Permission as ModelPermission};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! closed_sets {
    ($($(#[$doc:meta])* $name:ident = $values:expr;)+) => {$(
        $(#[$doc])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let values: Vec<&'static str> = $values.into_iter().collect();
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

closed_sets! {
    /// What a user may do.
    Role = model::Role::ALL.map(model::Role::as_str);
    /// A language of the product.
    Language = model::Language::ALL.map(model::Language::tag);
    /// What an API key may be used for.
    Scope = [model::Scope::Read, model::Scope::Write].map(model::Scope::as_str);
    /// Where a case stands.
    ConversationStatus = model::ConversationStatus::ALL.map(model::ConversationStatus::as_str);
    /// What a message is.
    MessageKind = model::MessageKind::ALL.map(model::MessageKind::as_str);
    /// What a notification tells.
    NotificationKind = model::NotificationKind::ALL.map(model::NotificationKind::as_str);
    /// What a draft becomes.
    DraftKind = model::DraftKind::ALL.map(model::DraftKind::as_str);
    /// What somebody does in a conversation.
    PresenceState = model::PresenceState::ALL.map(model::PresenceState::as_str);
    /// Where a delivery stands.
    DeliveryState = model::DeliveryState::ALL.map(model::DeliveryState::as_str);
    /// A kind of channel.
    ChannelKind = [model::ChannelKind::Email].map(model::ChannelKind::as_str);
    /// Whether a channel account takes and sends.
    AccountState = [model::AccountState::Active, model::AccountState::Paused, model::AccountState::Removed]
        .map(model::AccountState::as_str);
    /// Where a received mail stands.
    IntakeState = model::IntakeState::ALL.map(model::IntakeState::as_str);
    /// Why a mail lies in quarantine.
    QuarantineReason = model::QuarantineReason::ALL.map(model::QuarantineReason::as_str);
    /// Why a mailbox is not read at the moment.
    RetrievalProblem = model::RetrievalProblem::ALL.map(model::RetrievalProblem::as_str);
    /// Whether the server that brought a mail may send for the domain of its reverse path (SPF).
    SpfResult = model::SpfResult::ALL.iter().map(|result| result.as_str());
    /// Whether a signature of a mail holds (DKIM).
    DkimResult = model::DkimResult::ALL.iter().map(|result| result.as_str());
    /// Whether the author's domain stands for a mail (DMARC).
    DmarcResult = model::DmarcResult::ALL.iter().map(|result| result.as_str());
    /// What a domain asks others to do with mails that fail.
    DmarcPolicy = model::DmarcPolicy::ALL.iter().map(|policy| policy.as_str());
    /// Whether a mail comes from the domain of its author, in a word.
    SenderVerdict = model::SenderVerdict::ALL.iter().map(|verdict| verdict.as_str());
    /// What sort of mail it is, where it is no letter of one person to another.
    MailSort = model::MailSort::ALL.map(model::MailSort::as_str);
    /// Whether a mail is signed or encrypted, as far as its form tells.
    MailCover = model::MailCover::ALL.map(model::MailCover::as_str);
    /// What a calendar asks or tells.
    InvitationMethod = model::InvitationMethod::ALL.map(model::InvitationMethod::as_str);
    /// The colour of a tag.
    TagColour = model::TagColour::ALL.map(model::TagColour::as_str);
    /// Where a signing key stands.
    SigningState =
        [model::SigningState::Waiting, model::SigningState::Signing, model::SigningState::Former]
            .map(model::SigningState::as_str);
    /// What is wrong with the record of a signing key.
    RecordProblem = model::RecordProblem::ALL.map(model::RecordProblem::as_str);
    /// A holiday of the Netherlands.
    Holiday = model::Holiday::ALL.map(model::Holiday::as_str);
    /// What a field of the tenant's own is on.
    RecordKind = model::RecordKind::ALL.iter().map(|kind| kind.as_str());
    /// What a field holds.
    FieldKind = model::FieldKind::ALL.iter().map(|kind| kind.as_str());
    /// How much harm what stands in a field can do; the last four are refused unless somebody signs for them.
    Sensitivity = model::Sensitivity::ALL.iter().map(|one| one.as_str());
    /// What a condition asks of a value.
    Test = model::Test::ALL.iter().map(|test| test.as_str());
    /// As what somebody reads or writes a field.
    Audience = model::Audience::ALL.iter().map(|audience| audience.as_str());
    /// A kind of background work.
    JobKind = model::JobKind::ALL.map(model::JobKind::as_str);
    /// Why a device was not told the last time.
    PushProblem = model::PushProblem::ALL.map(model::PushProblem::as_str);
    /// What a leaf of the ledger tells.
    LedgerKind = model::LedgerKind::ALL.map(model::LedgerKind::as_str);
    /// What follows a right password, where something does.
    SignInStepKind = model::SignInStepKind::ALL.map(model::SignInStepKind::as_str);
    /// One thing that a user can be allowed.
    Permission = PERMISSIONS.map(permission_name);
}

/// All permissions. [`permission_name`] matches them exhaustively.
pub const PERMISSIONS: [ModelPermission; 19] = [
    ModelPermission::ReadConversations,
    ModelPermission::Answer,
    ModelPermission::Assign,
    ModelPermission::CreateTags,
    ModelPermission::ManageTags,
    ModelPermission::ShareViews,
    ModelPermission::SeeQueues,
    ModelPermission::ManageQueues,
    ModelPermission::ManageFields,
    ModelPermission::ExportContacts,
    ModelPermission::SeeMailAccounting,
    ModelPermission::ReadSource,
    ModelPermission::RetryQuarantine,
    ModelPermission::ManageUsers,
    ModelPermission::ManageChannelAccounts,
    ModelPermission::ManageApiKeys,
    ModelPermission::SeeDeadLetters,
    ModelPermission::ManageTenant,
    ModelPermission::ReadLedger,
];

/// The name of a permission on the wire; the same as the model serialises.
#[must_use]
pub const fn permission_name(permission: ModelPermission) -> &'static str {
    match permission {
        ModelPermission::ReadConversations => "read_conversations",
        ModelPermission::Answer => "answer",
        ModelPermission::Assign => "assign",
        ModelPermission::CreateTags => "create_tags",
        ModelPermission::ManageTags => "manage_tags",
        ModelPermission::ShareViews => "share_views",
        ModelPermission::SeeQueues => "see_queues",
        ModelPermission::ManageQueues => "manage_queues",
        ModelPermission::ManageFields => "manage_fields",
        ModelPermission::ExportContacts => "export_contacts",
        ModelPermission::SeeMailAccounting => "see_mail_accounting",
        ModelPermission::ReadSource => "read_source",
        ModelPermission::RetryQuarantine => "retry_quarantine",
        ModelPermission::ManageUsers => "manage_users",
        ModelPermission::ManageChannelAccounts => "manage_channel_accounts",
        ModelPermission::ManageApiKeys => "manage_api_keys",
        ModelPermission::SeeDeadLetters => "see_dead_letters",
        ModelPermission::ManageTenant => "manage_tenant",
        ModelPermission::ReadLedger => "read_ledger",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_named_as_the_model_serialises_them() {
        for permission in PERMISSIONS {
            let serialised = serde_json::to_value(permission).expect("a plain name");
            assert_eq!(serialised, permission_name(permission));
        }
        let mut distinct = PERMISSIONS.map(permission_name).to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), PERMISSIONS.len());
    }
}

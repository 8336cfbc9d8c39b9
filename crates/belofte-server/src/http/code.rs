// SPDX-License-Identifier: EUPL-1.2
//! The stable codes of everything that can go wrong in an answer. Closed: the desk, the
//! catalogue in both languages and openapi.json know exactly these.

use http::StatusCode;

/// What went wrong. The name is for programs and never changes; the words are in the catalogue
/// under `error.<code>.title` and `error.<code>.detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request cannot be read at all.
    Malformed,
    /// No valid session or key.
    NotSignedIn,
    /// Wrong address or password, said without telling which.
    SignInFailed,
    /// A code that is wrong, or was used.
    WrongCode,
    /// Signed in, but not allowed to; or the request could come from another site.
    Forbidden,
    /// It does not exist for this tenant.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request did not arrive in time.
    Timeout,
    /// Only who has the duty of privacy officer gives or takes it.
    PrivacyOfficerOnly,
    /// Somebody else changed it first.
    Conflict,
    /// A colleague has answered, and who answers now has not seen it.
    AnsweredMeanwhile,
    /// Another version of the draft is kept than the one that was changed.
    DraftChanged,
    /// More drafts than one may have.
    TooManyDrafts,
    /// More macros than there may be.
    TooManyMacros,
    /// More queues than there may be.
    TooManyQueues,
    /// More teams than there may be.
    TooManyTeams,
    /// More fields on one kind of record than there may be.
    TooManyFields,
    /// Only what is archived is removed.
    FieldInUse,
    /// What is refused without a signature stands in the field.
    FieldHoldsRefused,
    /// Conversations begin in it when nothing says otherwise.
    QueueIsDefault,
    /// It was not said where that goes which lies in a queue.
    QueueNotEmpty,
    /// Nobody could administer the organisation any more.
    LastAdmin,
    /// The last privacy officer passes the duty on before laying it down.
    LastPrivacyOfficer,
    /// The channel account through which it would go cannot send.
    AccountCannotSend,
    /// Conversations with different contacts become one only when that is meant.
    OtherContact,
    /// Something was written since that cannot be undone.
    UndoTooLate,
    /// A message is being sent, and stays where it is meanwhile.
    MessageOnItsWay,
    /// The password belongs to users of several organisations: name one.
    ChooseOrganisation,
    /// What was uploaded and waits for a message takes all the room of this user.
    TooManyUploads,
    /// Who asks a second factor of their own role has one.
    SecondFactorFirst,
    /// Used, withdrawn or too old.
    InvitationInvalid,
    /// What was begun at the sign-in, or in one's settings, is over.
    StepOver,
    /// Nobody was sent to a provider with this, or too long ago.
    AuthorisationInvalid,
    /// The provider does not know the client, or refuses what it asks for.
    ClientRefused,
    /// The provider was not reached, or gave nothing that can be used.
    ProviderFailed,
    /// The organisation or the installation has no browser told anything.
    PushNotAllowed,
    /// More devices than one may have.
    TooManyDevices,
    /// A scanner found malware in it.
    MalwareFound,
    /// The scanner for malware does not answer: nobody can tell.
    ScannerUnavailable,
    /// More bytes than this endpoint takes.
    TooLarge,
    /// Another media type than this endpoint takes.
    UnsupportedMediaType,
    /// The part of a file that was asked for is not there.
    RangeNotSatisfiable,
    /// Readable, but something in it does not hold; the fields say what.
    Invalid,
    /// The key was used before with another body.
    IdempotencyKeyReused,
    /// Too many tries; wait.
    TooManyTries,
    /// The caller or its tenant asks more than its share; wait.
    TooManyRequests,
    /// A mistake of the program.
    Internal,
    /// Overloaded, starting or stopping; try again.
    Busy,
    /// No room on the disk.
    StorageFull,
}

impl Code {
    /// All codes.
    pub const ALL: [Self; 49] = [
        Self::Malformed,
        Self::NotSignedIn,
        Self::SignInFailed,
        Self::WrongCode,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::PrivacyOfficerOnly,
        Self::Conflict,
        Self::AnsweredMeanwhile,
        Self::DraftChanged,
        Self::TooManyDrafts,
        Self::TooManyMacros,
        Self::TooManyQueues,
        Self::TooManyTeams,
        Self::TooManyFields,
        Self::FieldInUse,
        Self::FieldHoldsRefused,
        Self::QueueIsDefault,
        Self::QueueNotEmpty,
        Self::LastAdmin,
        Self::LastPrivacyOfficer,
        Self::AccountCannotSend,
        Self::OtherContact,
        Self::UndoTooLate,
        Self::MessageOnItsWay,
        Self::ChooseOrganisation,
        Self::TooManyUploads,
        Self::SecondFactorFirst,
        Self::InvitationInvalid,
        Self::StepOver,
        Self::AuthorisationInvalid,
        Self::ClientRefused,
        Self::ProviderFailed,
        Self::PushNotAllowed,
        Self::TooManyDevices,
        Self::MalwareFound,
        Self::ScannerUnavailable,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::Invalid,
        Self::IdempotencyKeyReused,
        Self::TooManyTries,
        Self::TooManyRequests,
        Self::Internal,
        Self::Busy,
        Self::StorageFull,
    ];

    /// The name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotSignedIn => "not_signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::WrongCode => "wrong_code",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Timeout => "timeout",
            Self::PrivacyOfficerOnly => "privacy_officer_only",
            Self::Conflict => "conflict",
            Self::AnsweredMeanwhile => "answered_meanwhile",
            Self::DraftChanged => "draft_changed",
            Self::TooManyDrafts => "too_many_drafts",
            Self::TooManyMacros => "too_many_macros",
            Self::TooManyQueues => "too_many_queues",
            Self::TooManyTeams => "too_many_teams",
            Self::TooManyFields => "too_many_fields",
            Self::FieldInUse => "field_in_use",
            Self::FieldHoldsRefused => "field_holds_refused",
            Self::QueueIsDefault => "queue_is_default",
            Self::QueueNotEmpty => "queue_not_empty",
            Self::LastAdmin => "last_admin",
            Self::LastPrivacyOfficer => "last_privacy_officer",
            Self::AccountCannotSend => "account_cannot_send",
            Self::OtherContact => "other_contact",
            Self::UndoTooLate => "undo_too_late",
            Self::MessageOnItsWay => "message_on_its_way",
            Self::ChooseOrganisation => "choose_organisation",
            Self::TooManyUploads => "too_many_uploads",
            Self::SecondFactorFirst => "second_factor_first",
            Self::InvitationInvalid => "invitation_invalid",
            Self::StepOver => "step_over",
            Self::AuthorisationInvalid => "authorisation_invalid",
            Self::ClientRefused => "client_refused",
            Self::ProviderFailed => "provider_failed",
            Self::PushNotAllowed => "push_not_allowed",
            Self::TooManyDevices => "too_many_devices",
            Self::MalwareFound => "malware_found",
            Self::ScannerUnavailable => "scanner_unavailable",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RangeNotSatisfiable => "range_not_satisfiable",
            Self::Invalid => "invalid",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::TooManyTries => "too_many_tries",
            Self::TooManyRequests => "too_many_requests",
            Self::Internal => "internal",
            Self::Busy => "busy",
            Self::StorageFull => "storage_full",
        }
    }

    /// The status of RFC 9110 (RFC 4918 for 507) that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotSignedIn | Self::SignInFailed | Self::WrongCode => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::PrivacyOfficerOnly => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict
            | Self::AnsweredMeanwhile
            | Self::DraftChanged
            | Self::TooManyDrafts
            | Self::TooManyMacros
            | Self::TooManyQueues
            | Self::TooManyTeams
            | Self::TooManyFields
            | Self::FieldInUse
            | Self::FieldHoldsRefused
            | Self::QueueIsDefault
            | Self::QueueNotEmpty
            | Self::LastAdmin
            | Self::LastPrivacyOfficer
            | Self::AccountCannotSend
            | Self::OtherContact
            | Self::UndoTooLate
            | Self::MessageOnItsWay
            | Self::ChooseOrganisation
            | Self::TooManyUploads
            | Self::SecondFactorFirst
            | Self::PushNotAllowed
            | Self::TooManyDevices => StatusCode::CONFLICT,
            Self::InvitationInvalid | Self::StepOver | Self::AuthorisationInvalid => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Invalid | Self::IdempotencyKeyReused | Self::ClientRefused | Self::MalwareFound => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::ProviderFailed => StatusCode::BAD_GATEWAY,
            Self::TooManyTries | Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::ScannerUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        }
    }
}

/// What does not hold about one field of a request. The words are in the catalogue under
/// `field_error.<code>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldCode {
    /// It is missing or empty.
    Required,
    /// It is there, but not what it should be.
    Invalid,
    /// No field of this name exists here.
    Unknown,
    /// Fewer characters or members than needed.
    TooShort,
    /// More characters or members than allowed.
    TooLong,
    /// A number or time outside what is allowed.
    OutOfRange,
    /// Another one has it already.
    Taken,
    /// What it names does not exist here.
    NotFound,
}

impl FieldCode {
    /// All codes.
    pub const ALL: [Self; 8] = [
        Self::Required,
        Self::Invalid,
        Self::Unknown,
        Self::TooShort,
        Self::TooLong,
        Self::OutOfRange,
        Self::Taken,
        Self::NotFound,
    ];

    /// The name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::OutOfRange => "out_of_range",
            Self::Taken => "taken",
            Self::NotFound => "not_found",
        }
    }
}
